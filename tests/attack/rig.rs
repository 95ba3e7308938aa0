//! A node X between honest nodes, which sends a message every 20 ms while it is attacked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rs2p::{Builder, MeshSocket};

use crate::support::raw::{HANDSHAKE, Raw, WHISPER};
use crate::support::{PATIENCE, is_long, let_pass};

const PERIOD: Duration = Duration::from_millis(20);

/// What X is attacked by.
#[derive(Debug)]
pub struct Attack<'a> {
    pub target: SocketAddr,
    pub protocol: &'a str,
    /// The id of the honest node that is linked to X.
    pub honest: &'a str,
    is_over: &'a AtomicBool,
}

#[derive(Debug)]
pub struct Outcome {
    /// Messages that were due, that X has sent, and that the honest node got.
    pub due: usize,
    pub sent: usize,
    pub heard: usize,
    pub stats: rs2p::Stats,
    pub status: String,
}

impl Attack<'_> {
    pub fn goes_on(&self) -> bool {
        !self.is_over.load(Relaxed)
    }

    pub fn link(&self) -> Raw {
        assert!(self.target.ip().is_loopback(), "{} is not on loopback", self.target);
        Raw::link(self.target, self.protocol, Instant::now() + PATIENCE)
    }

    /// Links as an rs2p node that says how far it is, and never does.
    pub fn link_as_rs2p(&self) -> Raw {
        assert!(self.target.ip().is_loopback(), "{} is not on loopback", self.target);
        let mut raw = Raw::connect(self.target);
        raw.say(WHISPER, &[b"rs2p", br#"["links","pace"]"#]);
        raw.shake_hands(self.protocol);
        let until = Instant::now() + PATIENCE;
        while raw.next(until).expect("a handshake").payload[0] != HANDSHAKE {}
        raw
    }
}

/// How long an attack lasts.
pub fn span() -> Duration {
    Duration::from_secs(if is_long() { 60 } else { 4 })
}

/// Has X send while it is attacked.
pub fn under(builder: &Builder, size: usize, attack: impl Fn(&Attack<'_>) + Sync) -> Outcome {
    let bind = || builder.clone().max_outgoing(0).bind(("127.0.0.1", 0)).expect("a port");
    let (x, honest) = (bind(), bind());
    honest.connect(x.local_addr()).expect("a link");
    let (is_over, id) = (AtomicBool::new(false), honest.id().to_string());
    let attacked = Attack {
        target: x.local_addr(),
        protocol: x.protocol().id(),
        honest: &id,
        is_over: &is_over,
    };
    let (due, late) = thread::scope(|scope| {
        scope.spawn(|| attack(&attacked));
        let sent = send_all(&x, size);
        is_over.store(true, Relaxed);
        sent
    });
    let heard = hear_all(&honest, late.len());
    let (sent, stats, status) = (late.len(), x.stats(), x.status().to_string());
    let outcome = Outcome { due, sent, heard, stats, status };
    print(&outcome, late);
    for node in [x, honest] {
        node.close().expect("closed");
    }
    outcome
}

/// Sends what is due until the time is up. Returns how many were due, and how late each was.
fn send_all(x: &MeshSocket, size: usize) -> (usize, Vec<Duration>) {
    let (begun, span, mut late) = (Instant::now(), span(), Vec::new());
    for number in 0_u32.. {
        let due = begun + PERIOD * number;
        if due.duration_since(begun) >= span || begun.elapsed() >= span {
            break;
        }
        let_pass(due.saturating_duration_since(Instant::now()));
        if x.send([format!("x{number}").into_bytes(), vec![7; size]]).is_ok() {
            late.push(due.elapsed());
        }
    }
    ((span.as_millis() / PERIOD.as_millis()) as usize, late)
}

/// Returns how many different messages of X have come, waiting for this many.
fn hear_all(honest: &MeshSocket, wanted: usize) -> usize {
    let mut heard = std::collections::BTreeSet::new();
    while heard.len() < wanted {
        match honest.recv_timeout(Duration::from_secs(10)) {
            Ok(message) if message[1].starts_with(b"x") => drop(heard.insert(message[1].to_vec())),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    heard.len()
}

/// Prints how late messages were when `send` returned.
fn print(outcome: &Outcome, mut late: Vec<Duration>) {
    late.sort_unstable();
    let at = |percent| late.get((late.len().max(1) - 1) * percent / 100).copied();
    let Outcome { due, sent, heard, stats, status } = outcome;
    println!("{sent} of {due} sent, {heard} heard; late {:?} {:?} {:?}", at(50), at(99), at(100));
    println!("{stats}\n{status}");
}

impl Outcome {
    /// Nothing that X sent is lost, and X was kept from sending for a third of the time at most.
    pub fn is_calm(&self) {
        assert_eq!(self.heard, self.sent, "nothing is lost: {}", self.status);
        assert!(self.sent >= self.due * 2 / 3, "{} of {} sent", self.sent, self.due);
    }
}
