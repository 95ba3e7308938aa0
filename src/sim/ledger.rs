//! Who sent what, who got it, and what became of every copy. Kept by the world, beside the nodes'
//! own counters, so that neither can hide a loss.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bytes::BytesMut;

use super::debts::Debt;
use super::schedule::ProcessId;
use crate::id::{MessageId, NodeId};
use crate::stats::Refusal;
use crate::wire::{Envelope, Frame, Header, LastSender};

/// Which message a frame carries, if it is one of the users'.
pub(super) type Tag = Option<usize>;

/// Why a copy that was put on a link never arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum CopyLoss {
    /// The link had ended, or was ending, when it was put there.
    NoLink,
    /// There was no room for it, and its peer was left behind.
    LeftBehind,
    /// It waited when the link ended.
    Unsent,
    /// It was on its way when the connection broke.
    InFlight,
    /// It arrived at a link that was being closed.
    Discarded,
    /// The process that had it ended.
    Crashed,
}

impl CopyLoss {
    pub const ALL: [CopyLoss; 6] = [
        CopyLoss::NoLink,
        CopyLoss::LeftBehind,
        CopyLoss::Unsent,
        CopyLoss::InFlight,
        CopyLoss::Discarded,
        CopyLoss::Crashed,
    ];

    fn as_str(self) -> &'static str {
        match self {
            CopyLoss::NoLink => "put on a link that had ended",
            CopyLoss::LeftBehind => "missed by a peer that was left behind",
            CopyLoss::Unsent => "unsent when the link ended",
            CopyLoss::InFlight => "in flight when the connection broke",
            CopyLoss::Discarded => "arrived at a link that was being closed",
            CopyLoss::Crashed => "in a process that ended",
        }
    }
}

impl fmt::Display for CopyLoss {
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
    /// The second that it is dated with, by its origin's clock.
    pub date: u64,
    /// Of a broadcast, once it was sent.
    pub id: Option<MessageId>,
    /// Whether it may be announced instead of sent.
    pub is_large: bool,
    pub audience: Audience,
    /// Who took it: the origin, with no hops, and everybody whom it reached.
    pub accepted: BTreeMap<ProcessId, Arrival>,
    /// A copy whose memory all nodes share, while it is on its way.
    pub envelope: Option<Box<Envelope>>,
    /// Who had it while linked to whom: the second has to get it. Emptied when all is paid.
    pub owed: Vec<Debt>,
    /// Copies lost, or turned down for a good reason: from whom to whom. No other debt is excused.
    pub excused: Vec<(ProcessId, ProcessId)>,
    /// Copies put on links, ...
    pub put: u64,
    /// ... that arrived anywhere, ...
    pub copies: u64,
    /// ... and that were lost.
    pub lost: u64,
}

/// Whom a message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    Mesh,
    Peers,
    One(NodeId),
}

impl Sending {
    pub fn is_broadcast(&self) -> bool {
        self.audience == Audience::Mesh
    }

    pub fn is_travelling(&self) -> bool {
        self.put > self.copies + self.lost
    }

    /// Who had it while linked to whom, without that the second got it or a loss was counted.
    pub fn unpaid(&self) -> impl Iterator<Item = Debt> {
        let is_paid = |debt: &Debt| {
            self.accepted.contains_key(&debt.to) || self.excused.contains(&(debt.from, debt.to))
        };
        self.owed.iter().copied().filter(move |debt| !is_paid(debt))
    }
}

/// Frames, or copies of users' messages among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub put: u64,
    pub arrived: u64,
    pub lost: [u64; CopyLoss::ALL.len()],
}

impl Count {
    pub fn lost(&self) -> u64 {
        self.lost.iter().sum()
    }

    /// What is on its way; `None` if more has come out than was put in.
    pub fn in_flight(&self) -> Option<u64> {
        self.put.checked_sub(self.arrived + self.lost())
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
    /// Messages that waited for room longer than a sender waits, or for a way longer than a node
    /// looks for one.
    pub given_up: u64,
    /// Messages that wait for a way to the node that they are for.
    pub routing: u64,
    /// Users' messages that a node turned down for a good reason, by that reason.
    pub refusals: BTreeMap<Refusal, u64>,
    /// The broadcasts by their ids.
    pub numbers: BTreeMap<MessageId, usize>,
    /// Messages that are announced to somebody who does not have them yet.
    pub open: BTreeSet<usize>,
    /// Messages of which the last copy may just have arrived, or be lost.
    touched: Vec<usize>,
}

/// The promise that nobody is left out.
pub(super) const AT_LEAST_ONCE: &str =
    "at least once to every node that stays connected to the origin";

impl Ledger {
    pub fn sent(
        &mut self,
        origin: ProcessId,
        at: Duration,
        date: u64,
        audience: Audience,
    ) -> usize {
        let number = self.sendings.len();
        self.sendings.push(Sending {
            origin,
            at,
            date,
            id: None,
            is_large: false,
            audience,
            accepted: BTreeMap::from([(origin, Arrival { at, hops: 0 })]),
            envelope: None,
            owed: Vec::new(),
            excused: Vec::new(),
            put: 0,
            copies: 0,
            lost: 0,
        });
        number
    }

    pub fn put(&mut self, tag: Tag) {
        self.frames.put += 1;
        if let Some(number) = tag {
            self.copies.put += 1;
            self.sendings[number].put += 1;
        }
    }

    /// A frame has been given to a node, or recognised as a duplicate on its behalf.
    pub fn arrived(&mut self, tag: Tag) {
        self.frames.arrived += 1;
        if let Some(number) = tag {
            self.copies.arrived += 1;
            self.sendings[number].copies += 1;
            self.touch(number);
        }
    }

    pub fn lost(&mut self, tag: Tag, from: ProcessId, to: ProcessId, why: CopyLoss) {
        self.frames.lost[why as usize] += 1;
        if let Some(number) = tag {
            self.copies.lost[why as usize] += 1;
            self.sendings[number].lost += 1;
            self.sendings[number].excused.push((from, to));
            self.touch(number);
        }
    }

    /// A copy is about to be given to a node: its memory becomes that of the first one.
    pub fn share_memory(&mut self, tag: Tag, copy: &mut Envelope) {
        let Some(number) = tag else { return };
        let first = &mut self.sendings[number].envelope;
        match first {
            Some(first) => copy.share_memory(first),
            None => *first = Some(Box::new(copy.clone())),
        }
    }

    /// A node turned down a copy that arrived, and may do so.
    pub fn refused(&mut self, number: usize, from: ProcessId, to: ProcessId, why: Refusal) {
        *self.refusals.entry(why).or_default() += 1;
        self.sendings[number].excused.push((from, to));
    }

    /// Each of these had the message while linked to the other.
    pub fn owe(&mut self, number: usize, debts: impl IntoIterator<Item = Debt>) {
        self.sendings[number].owed.extend(debts);
        self.touched.push(number);
    }

    fn touch(&mut self, number: usize) {
        if !self.sendings[number].is_travelling() {
            self.touched.push(number);
        }
    }

    /// Returns the messages of which the last copy may have come to rest.
    pub fn take_touched(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.touched)
    }

    /// Returns which broadcast a frame carries, if it is one of a user.
    pub fn number_of(&self, frame: &Frame) -> Option<usize> {
        let bytes = BytesMut::from(&frame.bytes(None)[..]);
        let head = Header::parse_after(&mut LastSender::default(), bytes, &[], usize::MAX).ok()?;
        self.numbers.get(head.id()).copied()
    }

    /// Says in words that a node should have got a message.
    pub fn debt_in_words(&self, number: usize, debt: &Debt) -> String {
        let (Debt { from, to, .. }, Sending { origin, at, .. }) = (debt, &self.sendings[number]);
        format!(
            "process {from} was linked to process {to} and had message {number} of process \
             {origin}, sent at {at:?}; {to} never got it, and nothing was lost"
        )
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

    /// A node passes on a message that is for another one.
    pub fn passed_on(&mut self, number: usize, by: ProcessId, from: ProcessId, at: Duration) {
        let sending = &mut self.sendings[number];
        let hops = sending.accepted.get(&from).map_or(1, |arrival| arrival.hops + 1);
        sending.accepted.entry(by).or_insert(Arrival { at, hops });
    }

    /// Notes the first promise that is broken.
    pub fn breaks(&mut self, promise: &'static str, what: String) {
        self.broken.get_or_insert((promise, what));
    }
}
