"""The Python half of python_interop.rs: python python_interop.py PORT"""
import sys
import time

from py2p import mesh

PATIENCE = 120


def wait(find):
    """py2p has no waiting `recv`: look until there is something."""
    end = time.time() + PATIENCE
    while time.time() < end:
        found = find()
        if found:
            return found
        time.sleep(0.05)
    sys.exit("waited in vain")


sock = mesh.mesh_socket("127.0.0.1", 0, out_addr=("127.0.0.1", 0))
sock.connect("127.0.0.1", int(sys.argv[1]))
wait(lambda: sock.routing_table)
sock.send("hello from Python")
print("Rust says:", wait(sock.recv).packets[1].decode())

question = wait(sock.recv)
number = int(question.packets[2])
question.reply(str(number * number))
print("goodbye:", wait(sock.recv).packets[1].decode())
