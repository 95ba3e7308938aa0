"""What a py2p node needs so that what a test sees does not depend on how busy the
machine is: its threads work in turns, and a broadcast has one date.
"""
import contextlib
import threading
import time


class Turns(object):
    """Lets py2p's network thread and its user's thread work in turns. They share
    py2p's lists and, with TLS, its streams, and py2p guards none of them: a send
    while a message arrives can lose that message and its link ("deque mutated
    during iteration").
    """

    def __init__(self):
        self.queue = threading.Lock()  # who waits is next
        self.floor = threading.Lock()
        self.owner = None

    @contextlib.contextmanager
    def turn(self, limit=-1):
        me = threading.get_ident()
        if self.owner == me:  # a network thread that dials while it reads
            yield
            return
        with self.queue:
            taken = self.floor.acquire(timeout=limit)
        if taken:
            self.owner = me
        try:
            yield
        finally:
            if taken:
                self.release()

    def release(self):
        self.owner = None
        self.floor.release()

    @contextlib.contextmanager
    def interrupted(self):
        """Gives up the network thread's turn for a while."""
        self.release()
        try:
            yield
        finally:
            with self.queue:
                self.floor.acquire()
            self.owner = threading.get_ident()


class Clock(object):
    """py2p's clock. py2p dates each copy of a broadcast by itself: one that is
    sent while a second ends is two messages, and those who hear both are right
    to. So the user's thread stops its clock while it sends.
    """

    def __init__(self, read):
        self.read = read
        self.held = threading.local()

    def __call__(self):
        return getattr(self.held, "date", None) or self.read()

    @contextlib.contextmanager
    def stopped(self):
        self.held.date = self.read()
        try:
            yield
        finally:
            self.held.date = None


@contextlib.contextmanager
def resting(sock, seconds):
    """Rests after each copy, as long as a busy machine may make a node wait."""
    links = list(sock.routing_table.values()) if seconds else []

    def slow(send):
        def send_and_rest(*packets, **options):
            send(*packets, **options)
            time.sleep(seconds)
        return send_and_rest

    for link in links:
        link.send = slow(link.send)
    try:
        yield
    finally:
        for link in links:
            del link.send  # the class has the real one
