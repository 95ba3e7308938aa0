//! 64 threads call everything that a socket can do, in any order, on the four sockets of a mesh.
//!
//! `RS2P_LONG=1` goes on for ten minutes instead of five seconds each, `RS2P_SECONDS=n` for any time; `RS2P_SEED=n` draws
//! other calls.

#[path = "../support/mod.rs"]
mod support;

mod calls;
mod ledger;

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use rs2p::{Connection, MeshSocket, Message};

use calls::Caller;
use ledger::Ledger;
use support::{assert_balanced, is_long, let_pass, wait_until};

const SOCKETS: usize = 4;
const THREADS: usize = 64;

/// What the threads share.
pub struct Mesh {
    sockets: Vec<Mutex<MeshSocket>>,
    ledger: Ledger,
    is_over: AtomicBool,
    /// Whether links are cut and sockets closed.
    is_stormy: bool,
    closed: AtomicUsize,
}

impl Mesh {
    fn new(is_stormy: bool) -> Mesh {
        let sockets: Vec<MeshSocket> = (0..SOCKETS).map(|_| bind()).collect();
        for (at, socket) in sockets.iter().enumerate() {
            for other in &sockets[at + 1..] {
                socket.connect(other.local_addr()).expect("a link");
            }
        }
        let linked = || sockets.iter().all(|socket| socket.links() == SOCKETS - 1);
        wait_until("all are linked", linked);
        let sockets = sockets.into_iter().map(Mutex::new).collect();
        let (is_over, closed) = (AtomicBool::new(false), AtomicUsize::new(0));
        Mesh { sockets, ledger: Ledger::default(), is_over, is_stormy, closed }
    }

    pub fn socket(&self, at: usize) -> MeshSocket {
        self.sockets[at].lock().expect("no panic").clone()
    }

    /// Puts another one in place of a socket. Returns the old one.
    pub fn replace(&self, at: usize) -> MeshSocket {
        self.closed.fetch_add(1, Relaxed);
        std::mem::replace(&mut *self.sockets[at].lock().expect("no panic"), bind())
    }

    fn goes_on(&self) -> bool {
        !self.is_over.load(Relaxed)
    }

    /// Receives for a socket, so that it takes what it is sent.
    fn receive(&self, at: usize, is_done: &AtomicBool) {
        while !is_done.load(Relaxed) {
            let socket = self.socket(at);
            if let Ok(message) = socket.recv_timeout(Duration::from_millis(20)) {
                self.ledger.hear(socket.id(), &message);
            }
        }
    }

    /// Runs all threads until the time is up. Returns what each of them has sent.
    fn run(&self, is_done: &AtomicBool, then: impl FnOnce(&[Vec<u32>])) {
        thread::scope(|scope| {
            for at in 0..SOCKETS {
                scope.spawn(move || self.receive(at, is_done));
            }
            let callers: Vec<_> = (0..THREADS)
                .map(|number| scope.spawn(move || Caller::new(self, number).run()))
                .collect();
            let_pass(span());
            self.is_over.store(true, Relaxed);
            let sent: Vec<_> = callers.into_iter().map(|caller| caller.join()).collect();
            let sent: Result<Vec<_>, _> = sent.into_iter().collect();
            // The receivers end in any case, or a failure would wait for ever.
            let result = sent.map(|sent| {
                then(&sent);
                sent.iter().map(Vec::len).sum::<usize>()
            });
            is_done.store(true, Relaxed);
            println!(
                "{:?} messages sent, {} sockets closed",
                result.expect("no panic"),
                self.closed.load(Relaxed)
            );
        });
    }
}

/// For how long the threads call.
fn span() -> Duration {
    let given = std::env::var("RS2P_SECONDS").ok().map(|text| text.parse().expect("a number"));
    Duration::from_secs(given.unwrap_or(if is_long() { 600 } else { 5 }))
}

/// A node that answers questions by repeating them.
fn bind() -> MeshSocket {
    let socket = MeshSocket::bind(("127.0.0.1", 0)).expect("a port");
    socket.register_handler(|message: &Message, _: &Connection| {
        let text = message.payload().first().map(|packet| packet.to_text()).unwrap_or_default();
        text.starts_with("question") && message.reply(format!("answer to {text}")).is_ok()
    });
    socket
}

#[test]
fn a_healthy_mesh_loses_nothing_and_doubles_nothing_whatever_is_called() {
    let mesh = Mesh::new(false);
    mesh.run(&AtomicBool::new(false), |sent| {
        for at in 0..SOCKETS {
            let (id, socket) = (mesh.socket(at).id(), mesh.socket(at));
            let what = || mesh.ledger.missing(id, at, sent) == 0;
            wait_until(&format!("all is heard\n{}\n{}", socket.stats(), socket.status()), what);
        }
    });
    assert_eq!(mesh.ledger.doubled(), 0, "nothing is doubled");
    close(&mesh);
}

#[test]
fn sockets_that_come_and_go_under_all_calls_double_nothing_and_close() {
    let mesh = Mesh::new(true);
    mesh.run(&AtomicBool::new(false), |_| ());
    assert!(mesh.closed.load(Relaxed) > 0, "some were closed");
    assert_eq!(mesh.ledger.doubled(), 0, "nothing is doubled");
    close(&mesh);
}

fn close(mesh: &Mesh) {
    for at in 0..SOCKETS {
        let socket = mesh.socket(at);
        let report = socket.close().expect("closed");
        assert_eq!(report.left_behind, Vec::<String>::new());
        assert_balanced(&socket);
        assert_eq!(socket.stats().panics, 0);
    }
}
