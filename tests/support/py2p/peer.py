"""Runs one real py2p 0.4.516 mesh socket for the tests that talk to it.

    python peer.py --port 5001 [--subnet mesh] [--encryption SSL] ...

Commands come in on stdin and events go out on stdout, one JSON object a line.
py2p has no events, so this driver looks at its queue and table every few
milliseconds and pushes what is new: the tests only ever wait.

    in   {"cmd": "connect", "host": "127.0.0.1", "port": 5002}
         {"cmd": "send", "packets": [hex..], "flag"?: hex, "type"?: hex,
          "to"?: id, "repeat"?: n, "numbered"?: true, "rest"?: seconds}
         {"cmd": "reply", "n": 0, "packets": [hex..]}    n: of a message event
         {"cmd": "disconnect", "id": id}
         {"cmd": "throttle", "pause"?: true, "slow"?: seconds}
         {"cmd": "table" | "status" | "request_peers" | "close"}
    out  ready, or fatal: there is no node, and this program ends
         result: one for each command, in order; after the events before it
         message, and peers when the links changed
         exit, after close

Packets and flags are hex, ids base 58 text. What py2p prints goes to stderr.
When stdin ends without a close the program ends at once: so no node outlives
the test that started it. Python 3.8 to 3.11, standard library and py2p only.
"""
import argparse
import errno
import hashlib
import json
import os
import socket
import sys
import threading
import time
import uuid

from guards import Clock, Turns, resting

LOOK_EVERY = 0.003  # seconds; py2p itself polls its sockets every 10 ms
TURN_LIMIT = 2.0  # seconds; a node whose network thread hangs sends all the same
PAUSE_LIMIT = 60.0  # seconds; a forgotten pause must not hang `close`


class Output(object):
    """The event stream; stdout proper is given to stderr, py2p prints there."""

    def __init__(self):
        self.lock = threading.Lock()
        self.file = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def say(self, event, **fields):
        line = json.dumps(dict(fields, event=event))
        with self.lock:
            self.file.write(line + "\n")
            self.file.flush()


class Watcher(object):
    """Pushes messages and changes of the links, as they come and on demand."""

    def __init__(self, sock, out):
        self.sock, self.out = sock, out
        self.messages = []  # their places are the numbers that `reply` takes
        self.last = None
        self.lock = threading.Lock()  # one look at a time
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.stopped.wait(LOOK_EVERY):
            self.look()
            if not self.sock.daemon.daemon.is_alive():
                # No event would ever come again: say so, do not let tests wait.
                self.out.say("fatal", text="py2p's network thread has died")
                os._exit(1)

    def look(self):
        with self.lock:
            for message in iter(self.sock.recv, None):
                self.messages.append(message)  # first: a reply may be quick
                n = len(self.messages) - 1
                self.out.say("message", n=n, **describe(message))
            links = links_of(self.sock)
            if links != self.last:
                self.last = links
                self.out.say("peers", **links)

    def stop(self):
        self.stopped.set()
        self.thread.join()


def describe(message):
    return {
        "flag": hex_of(message.msg.msg_type),
        "packets": [hex_of(packet) for packet in message.packets],
        "sender": text_of(message.sender),
        "id": text_of(message.id),
        "time": message.time,
    }


def links_of(sock):
    """Links whose handshakes are done, both ways, and how many are still at it.

    A node dialled from a peers list sits in the table from the start, under
    the id it should have: its own `id` is set by its handshake.
    """
    rows = list(sock.routing_table.values())
    done = [row for row in rows if row.id and getattr(row, "answered", False)]
    return {
        "peers": [
            {"id": text_of(row.id), "outgoing": row.outgoing, "addr": row.addr}
            for row in done
        ],
        "awaiting": len(sock.awaiting_ids) + len(rows) - len(done),
    }


class Brake(object):
    """Makes py2p read slowly: handlers run on its network thread.

    It bites after the next message for the user: that one is delayed, what
    follows stays unread. (SIGSTOP, by the test, is the way to stop at once.)
    """

    def __init__(self, turns):
        self.turns = turns
        self.running = threading.Event()
        self.slow = 0.0
        self.set()

    def set(self, pause=False, slow=0.0):
        self.slow = slow
        if pause:
            self.running.clear()
        else:
            self.running.set()

    def handle(self, message, connection):
        if self.slow or not self.running.is_set():
            with self.turns.interrupted():
                time.sleep(self.slow)
                self.running.wait(PAUSE_LIMIT)


class Commands(object):
    """What a test may ask; each method takes the fields of its command."""

    def __init__(self, sock, watcher, brake):
        self.sock, self.watcher, self.brake = sock, watcher, brake

    def turn(self):
        return self.sock.turns.turn(TURN_LIMIT)

    def connect(self, host, port):
        # Not in a turn: TLS shakes hands in it, with a node that may be dialling
        # this one. None is py2p's success; False says "that is me, or known
        # already".
        return {"dialled": self.sock.connect(host, port) is not False}

    def send(self, packets, to=None, repeat=1, numbered=False, rest=0.0, **flags):
        kinds = {name: bytes.fromhex(flag) for name, flag in flags.items()}
        packets = [bytes.fromhex(packet) for packet in packets]
        with self.sock.clock.stopped(), resting(self.sock, rest):
            for number in range(repeat):
                # Equal payloads of one second are one message to py2p.
                tail = [str(number).encode()] if numbered else []
                with self.turn():
                    self.send_one(packets + tail, to, **kinds)

    def send_one(self, packets, to, flag=b"\x00", type=b"\x00"):
        if to is None:
            self.sock.send(*packets, flag=flag, type=type)
        else:
            self.sock.routing_table[to.encode()].send(flag, type, *packets)

    def reply(self, n, packets):
        packets = [bytes.fromhex(packet) for packet in packets]
        with self.turn():
            self.watcher.messages[n].reply(*packets)

    def disconnect(self, id):
        connection = self.sock.routing_table.get(id.encode())
        if connection:
            with self.turn():
                self.sock.disconnect(connection)
        return {"found": connection is not None}

    def throttle(self, **how):
        self.brake.set(**how)

    def table(self):
        return dict(links_of(self.sock), seen=len(self.sock.waterfalls))

    def status(self):
        status = self.sock.status
        if status == "Nominal":
            return {"errors": []}
        # (exception, traceback); texts where py2p puts them.
        return {"errors": [e if isinstance(e, str) else e[1] for e in status]}

    def words(self):
        return {"words": sorted(text_of(word) for word in self.sock.words)}

    def request_peers(self):
        with self.turn():
            self.sock.request_peers()

    def close(self):
        self.watcher.stop()
        self.brake.set()  # py2p's close waits for its network thread
        self.sock.close()


def serve(commands, out):
    """Answers commands until `close`; false when stdin ended before it."""
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("cmd")
        try:
            answer = dict(getattr(commands, name)(**request) or {}, ok=True)
        except Exception as error:
            answer = {"ok": False, "text": text_of_error(error)}
        commands.watcher.look()  # before the answer, what came before it
        out.say("result", **answer)
        if name == "close":
            return True
    return False


def make_socket(options):
    from py2p import base, mesh

    protocol = base.protocol(options.subnet, options.encryption)
    out_addr = announced(options)
    if options.max_outgoing is not None:
        mesh.max_outgoing = options.max_outgoing  # read at each peers list
    if options.tls:
        limit_tls(options.tls)
    if options.methods is not None:
        limit_methods(base, mesh, options.methods.split(","))
    if options.id:
        draw_salt(base, protocol, out_addr, PREFIX[options.id])

    turns = Turns()
    clock = base.getUTC = Clock(base.getUTC)

    class Daemon(mesh.mesh_daemon):
        def handle_accept(self):
            with turns.turn():
                super(Daemon, self).handle_accept()

        def process_data(self, connection):
            with turns.turn():
                super(Daemon, self).process_data(connection)

    class Node(mesh.mesh_socket):
        """Notes when it has answered a handshake: the link is in its table a
        moment earlier. Notes what rs2p nodes say beyond the protocol, too.
        """

        words = set()  # of the whole process, which is one node

        def handle_msg(self, msg, conn):
            kind, list_of_words = (list(msg.packets) + [b"", b""])[:2]
            if kind == b"rs2p":
                self.words.add(bytes(list_of_words))
            return super(Node, self).handle_msg(msg, conn)

        def _send_handshake(self, connection):
            with turns.turn(TURN_LIMIT):  # the user's thread has dialled without
                super(Node, self)._send_handshake(connection)

        def _send_handshake_response(self, connection):
            super(Node, self)._send_handshake_response(connection)
            connection.answered = True

    mesh.mesh_daemon = Daemon
    sock = Node(options.host, options.port, prot=protocol, out_addr=out_addr,
                debug_level=options.debug_level)
    sock.turns, sock.clock = turns, clock
    if options.narrow:
        # Of the listening socket: what is accepted from it inherits them. The
        # size of segments is what the sender's buffer is measured by.
        listener = sock.daemon.sock
        if hasattr(socket, "TCP_MAXSEG"):
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 1400)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 10)
    digest = base.from_base_58(sock.id).to_bytes(48, "big")
    if options.id and not digest.startswith(PREFIX[options.id]):
        raise RuntimeError("py2p made its id in another way: %r" % sock.id)
    return sock


def limit_methods(base, mesh, names):
    """Makes py2p one on a Python that was built with these methods only."""
    base.compression[:] = [getattr(base.flags, name) for name in names if name]
    text = json.dumps([method.decode() for method in base.compression])
    base.json_compressions = mesh.json_compressions = text


def announced(options):
    """The outward address: as py2p would choose, where no option says it."""
    from py2p import utils

    host = utils.get_lan_ip() if options.host == "0.0.0.0" else options.host
    port = options.port if options.out_port is None else options.out_port
    return options.out_host or host, port


def limit_tls(name):
    """Has py2p speak only this version: it calls `ssl.wrap_socket`, which has
    no say in it, and which overrides OpenSSL's own configuration."""
    import ssl

    version = getattr(ssl.TLSVersion, name)

    def wrap_socket(sock, keyfile=None, certfile=None, server_side=False, **options):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS)
        context.minimum_version = context.maximum_version = version
        if certfile:
            context.load_cert_chain(certfile, keyfile)
        wanted = ("do_handshake_on_connect", "suppress_ragged_eofs")
        options = {name: options[name] for name in wanted if name in options}
        return context.wrap_socket(sock, server_side=server_side, **options)

    ssl.wrap_socket = wrap_socket


# How the digest that is the id begins. Above what rs2p draws, which begins with
# one such byte, in all but few cases.
PREFIX = {"low": b"\x00", "high": b"\xff\xff"}


def draw_salt(base, protocol, out_addr, prefix):
    """Draws py2p's process salt again until it makes such a node id: the
    SHA-384 of address, protocol and salt."""
    while True:
        base.user_salt = str(uuid.uuid4()).encode()
        text = str(out_addr).encode() + protocol.id + base.user_salt
        if hashlib.sha384(text).digest().startswith(prefix):
            return


def hex_of(packet):
    return bytes(packet).hex()


def text_of(value):
    """Ids are bytes; after an indirect reply py2p keeps some as text."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def text_of_error(error):
    return "%s: %s" % (type(error).__name__, error)


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--out-host")
    parser.add_argument("--out-port", type=int)
    parser.add_argument("--subnet", default="mesh")
    parser.add_argument("--encryption", default="Plaintext")
    parser.add_argument("--tls", choices=["TLSv1_2", "TLSv1_3"])
    parser.add_argument("--debug-level", type=int, default=0)
    parser.add_argument("--max-outgoing", type=int)
    parser.add_argument("--methods")
    parser.add_argument("--narrow", action="store_true")
    parser.add_argument("--id", choices=sorted(PREFIX))
    return parser.parse_args(arguments)


def main():
    options, out = parse(sys.argv[1:]), Output()
    try:
        # On the main thread: py2p's network thread ends with the one that
        # made its socket.
        sock = make_socket(options)
    except Exception as error:
        taken = getattr(error, "errno", None) == errno.EADDRINUSE
        out.say("fatal", text=text_of_error(error), port_taken=taken)
        return 1
    brake = Brake(sock.turns)
    sock.register_handler(brake.handle)
    import py2p

    out.say("ready", id=text_of(sock.id), protocol_id=text_of(sock.protocol.id),
            out_addr=list(sock.out_addr), version=py2p.__version__,
            python=sys.version.split()[0])
    if not serve(Commands(sock, Watcher(sock, out), brake), out):
        os._exit(0)  # nobody listens any more: no farewells
    out.say("exit")
    return 0


if __name__ == "__main__":
    sys.exit(main())
