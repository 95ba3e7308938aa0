//! Who sent what, who got it, and what became of every copy. Kept by the world, beside the nodes'
//! own counters, so that neither can hide a loss.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::schedule::ProcessId;

/// Which message a frame carries, if it is one of the users'.
pub(super) type Tag = Option<usize>;

/// Why a copy that was put on a link never arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loss {
    /// The link had ended, or was ending, when it was put there.
    NoLink,
    /// It waited when the link ended.
    Unsent,
    /// It was on its way when the connection broke.
    InFlight,
    /// It arrived at a link that was being closed.
    Discarded,
    /// The process that had it ended.
    Crashed,
}

impl Loss {
    pub const ALL: [Loss; 5] =
        [Loss::NoLink, Loss::Unsent, Loss::InFlight, Loss::Discarded, Loss::Crashed];

    fn as_str(self) -> &'static str {
        match self {
            Loss::NoLink => "put on a link that had ended",
            Loss::Unsent => "unsent when the link ended",
            Loss::InFlight => "in flight when the connection broke",
            Loss::Discarded => "arrived at a link that was being closed",
            Loss::Crashed => "in a process that ended",
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub at: Duration,
    pub hops: u32,
}

/// One message of a user.
#[derive(Debug)]
pub(super) struct Sending {
    pub origin: ProcessId,
    pub at: Duration,
    /// Whether it is for the whole mesh.
    pub is_broadcast: bool,
    /// Who took it: the origin, with no hops, and everybody whom it reached.
    pub accepted: BTreeMap<ProcessId, Arrival>,
    /// Copies turned down for a good reason and counted, from whom by whom.
    pub refused: Vec<(ProcessId, ProcessId)>,
    /// Who had it while linked to whom: the second has to get it.
    pub owed: Vec<(ProcessId, ProcessId)>,
    /// Copies lost, from whom to whom.
    pub lost: Vec<(ProcessId, ProcessId)>,
    /// Copies that arrived anywhere.
    pub copies: u64,
    /// Copies on links now.
    pub travelling: u64,
}

impl Sending {
    /// Whether the second has it from anybody, or it is known why not.
    pub fn is_settled_between(&self, from: ProcessId, to: ProcessId) -> bool {
        self.accepted.contains_key(&to)
            || self.lost.contains(&(from, to))
            || self.refused.contains(&(from, to))
    }
}

/// Frames, or copies of users' messages among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub put: u64,
    pub arrived: u64,
    pub lost: [u64; Loss::ALL.len()],
}

impl Count {
    pub fn lost(&self) -> u64 {
        self.lost.iter().sum()
    }

    pub fn in_flight(&self) -> u64 {
        self.put.saturating_sub(self.arrived + self.lost())
    }
}

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub sendings: Vec<Sending>,
    /// All frames.
    pub frames: Count,
    /// The users' messages among them.
    pub copies: Count,
    /// What broke while it happened, in a sentence, with what exactly.
    pub broken: Option<(&'static str, String)>,
    /// Messages that waited for room longer than a sender waits.
    pub given_up: u64,
    /// Frames that links, not nodes, put there: repetitions, and what py2p's rule adds.
    pub extra: u64,
}

impl Ledger {
    pub fn sent(&mut self, origin: ProcessId, at: Duration, is_broadcast: bool) -> usize {
        let number = self.sendings.len();
        self.sendings.push(Sending {
            origin,
            at,
            is_broadcast,
            accepted: BTreeMap::from([(origin, Arrival { at, hops: 0 })]),
            refused: Vec::new(),
            owed: Vec::new(),
            lost: Vec::new(),
            copies: 0,
            travelling: 0,
        });
        number
    }

    pub fn put(&mut self, tag: Tag) {
        self.frames.put += 1;
        if let Some(number) = tag {
            self.copies.put += 1;
            self.sendings[number].travelling += 1;
        }
    }

    /// The same for a frame that is not the node's.
    pub fn put_extra(&mut self, tag: Tag) {
        self.extra += 1;
        self.put(tag);
    }

    /// A frame has been given to a node, or recognised as a duplicate on its behalf.
    pub fn arrived(&mut self, tag: Tag) {
        self.frames.arrived += 1;
        if let Some(number) = tag {
            self.copies.arrived += 1;
            self.sendings[number].copies += 1;
            self.ended(number);
        }
    }

    pub fn lost(&mut self, tag: Tag, from: ProcessId, to: ProcessId, why: Loss) {
        self.frames.lost[why as usize] += 1;
        if let Some(number) = tag {
            self.copies.lost[why as usize] += 1;
            self.sendings[number].lost.push((from, to));
            self.ended(number);
        }
    }

    fn ended(&mut self, number: usize) {
        match self.sendings[number].travelling.checked_sub(1) {
            Some(left) => self.sendings[number].travelling = left,
            None => self.breaks(
                "sent = delivered + counted losses",
                format!("a copy of message {number} came from nowhere"),
            ),
        }
    }

    /// The node delivers it. Said twice for one process, a promise is broken.
    pub fn delivered(&mut self, number: usize, to: ProcessId, from: ProcessId, at: Duration) {
        let sending = &mut self.sendings[number];
        let hops = sending.accepted.get(&from).map_or(1, |arrival| arrival.hops + 1);
        if sending.accepted.insert(to, Arrival { at, hops }).is_some() {
            let what = format!("message {number} was delivered again in process {to}, at {at:?}");
            self.breaks("at most once to the application", what);
        }
    }

    /// Notes the first promise that is broken.
    pub fn breaks(&mut self, promise: &'static str, what: String) {
        self.broken.get_or_insert((promise, what));
    }
}
