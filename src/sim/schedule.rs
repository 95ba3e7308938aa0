//! The events of a world, which are its only clock.

use std::time::Duration;

use super::faults::Incident;
use super::queue::{Entry, Queue};
use super::tcp::Socket;
use crate::node::LinkId;

/// One run of a node on a machine. A machine that restarts its node gets a new number.
pub(super) type ProcessId = usize;

/// More than any world does without time going on.
const MOST_AT_ONCE: u64 = 1_000_000;

/// Everything that can happen in a world.
#[derive(Clone, Debug)]
pub(super) enum Happening {
    /// A node's own deadline.
    Tick { process: ProcessId },
    /// A link's thread wakes up.
    Turn { process: ProcessId, link: LinkId },
    /// The daemon takes what is next.
    WorkOnBatch { process: ProcessId },
    /// The application receives a message.
    Take { process: ProcessId },
    /// The program goes on: it connects to what it has not reached yet.
    Program { process: ProcessId },
    /// Whoever waits for room to send looks again.
    Send { process: ProcessId },
    /// A dial's first packet reaches the other machine, or does not.
    Knock { process: ProcessId, link: LinkId, to: usize, attempt: u32 },
    /// A dial was answered: with a connection, or by nobody listening.
    Answer { process: ProcessId, link: LinkId, socket: Option<Socket> },
    /// The accept thread takes a connection out of the backlog.
    Accept { socket: Socket },
    /// Bytes that this end sent reach the other one.
    Arrive { socket: Socket },
    /// This end is told that there is no such connection.
    Reset { socket: Socket },
    /// This end's keep-alive looks whether the other one is there.
    Probe { socket: Socket, since: Duration },
    /// The other end has read: there is room to write.
    Room { socket: Socket },
    /// It is looked whether an announced message got to all.
    Audit { number: usize },
    /// A fault begins or ends.
    Fault(Incident),
}

#[derive(Debug, Default)]
pub(super) struct Schedule {
    now: Duration,
    queue: Queue<Happening>,
    added: u64,
    passed: u64,
    /// How much has happened at this very instant.
    at_once: u64,
    fingerprint: u64,
}

impl Schedule {
    pub fn now(&self) -> Duration {
        self.now
    }

    /// Returns how many things have happened.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// Returns whether so much has happened at one instant that something must go round in a
    /// circle.
    pub fn stands_still(&self) -> bool {
        self.at_once > MOST_AT_ONCE
    }

    /// Returns a digest of everything that happened: two runs with equal fingerprints took the same
    /// course.
    pub fn fingerprint(&self) -> u64 {
        self.fingerprint
    }

    pub fn at(&mut self, at: Duration, what: Happening) {
        self.added += 1;
        self.queue.push(Entry { at: at.max(self.now), number: self.added, what });
    }

    pub fn after(&mut self, pause: Duration, what: Happening) {
        self.at(self.now + pause, what);
    }

    /// Returns the next thing that happens, unless that is later than `limit`. The clock moves on.
    pub fn next(&mut self, limit: Duration) -> Option<Happening> {
        let Some(Entry { at, number, what }) = self.queue.pop(limit) else {
            self.now = self.now.max(limit);
            return None;
        };
        self.at_once = if at == self.now { self.at_once + 1 } else { 1 };
        self.now = at;
        self.passed += 1;
        for part in [at.as_nanos() as u64, number] {
            self.fingerprint = (self.fingerprint ^ part).wrapping_mul(0x0100_0000_01b3);
        }
        Some(what)
    }
}
