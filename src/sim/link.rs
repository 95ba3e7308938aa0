//! A link as its thread sees it: what waits to be written, what was read, what it was ordered.
//! The counterpart of `runtime/{link,outbox,writer}.rs`, on the same flow control.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::ledger::Tag;
use super::schedule::ProcessId;
use super::tcp::Socket;
use super::turn::Turns;
use crate::config::Config;
use crate::events::Cause;
use crate::node::flow::{Credit, Hold, Outflow, StallWatch, Wait};
use crate::node::{LinkId, Parcel, Terms};
use crate::runtime::outbox::{Put, weight};
use crate::wire::{Envelope, Frame, FrameReader, Malformed};

/// One frame that was read, with the message that it is.
pub(super) type Item = (Tag, Result<Box<Envelope>, Malformed>);

/// What the node wants of a link's thread.
#[derive(Debug)]
pub(super) enum Order {
    Close(Cause),
    Retire,
    Resend,
}

#[derive(Debug)]
pub(super) struct Link {
    /// `None` while dialling.
    pub socket: Option<Socket>,
    /// The process at the other end, once there is one.
    pub peer: Option<ProcessId>,
    pub outbox: Outbox,
    pub batch: VecDeque<Chunk>,
    pub written: u64,
    pub last: Option<Frame>,
    pub reader: FrameReader,
    pub terms: Option<Terms>,
    pub credit: Credit,
    /// What is in [`Link::credit`], which does not tell.
    pub undigested: usize,
    pub holds: Vec<Hold<LinkId>>,
    pub orders: Vec<Order>,
    pub is_woken: bool,
    pub turns: Turns,
    /// When its thread will wake by itself.
    pub alarm: Option<Duration>,
    pub is_at_end: bool,
    /// Frames that were read wait for credit.
    pub is_backlogged: bool,
    /// There is more to write than one turn took.
    pub has_more: bool,
    /// A batch that the daemon's channel had no room for.
    pub held: Option<Batch>,
    pub unfinished_since: Option<Duration>,
    pub stall: StallWatch,
    pub leaving: Option<Leaving>,
}

/// The rest of a frame that is being written.
#[derive(Debug)]
pub(super) struct Chunk {
    pub bytes: Bytes,
    pub weight: usize,
    pub tag: Tag,
}

/// Messages of one link for the daemon, and the credit that they took.
#[derive(Debug)]
pub(super) struct Batch {
    pub link: LinkId,
    /// Who is at the other end.
    pub from: ProcessId,
    pub items: Vec<Item>,
    pub bytes: usize,
}

impl Batch {
    pub fn append(&mut self, later: Batch) {
        self.items.extend(later.items);
        self.bytes += later.bytes;
    }
}

/// A link on its way out.
#[derive(Debug)]
pub(super) struct Leaving {
    pub cause: Cause,
    pub flush_by: Duration,
    pub grace: Duration,
    /// Whether what still arrives is delivered.
    pub delivers: bool,
    pub read_by: Option<Duration>,
}

impl Leaving {
    pub fn new(cause: Cause, flush_by: Duration, grace: Duration, delivers: bool) -> Self {
        Leaving { cause, flush_by, grace, delivers, read_by: None }
    }

    /// When to look again.
    pub fn deadline(&self) -> Duration {
        self.read_by.unwrap_or(self.flush_by)
    }

    /// It is we who pause reading: that is not the peer's fault.
    pub fn pause(&mut self, now: Duration) {
        if self.delivers && self.read_by.is_some() {
            self.read_by = Some(now + self.grace);
        }
    }
}

impl Link {
    pub fn new(config: &Config, socket: Option<Socket>) -> Self {
        Link {
            socket,
            peer: None,
            outbox: Outbox::new(config),
            batch: VecDeque::new(),
            written: 0,
            last: None,
            reader: FrameReader::new(config.first_frame_limit()),
            terms: None,
            credit: Credit::new(config),
            undigested: 0,
            holds: Vec::new(),
            orders: Vec::new(),
            is_woken: false,
            turns: Turns::default(),
            alarm: None,
            is_at_end: false,
            is_backlogged: false,
            has_more: false,
            held: None,
            unfinished_since: None,
            stall: StallWatch::default(),
            leaving: None,
        }
    }

    pub fn take_credit(&mut self, bytes: usize) {
        self.credit.take(bytes);
        self.undigested += bytes;
    }

    /// True if this is what its thread waited for.
    pub fn give_back(&mut self, bytes: usize) -> bool {
        let could_read = self.credit.may_read();
        self.credit.give_back(bytes);
        self.undigested -= bytes;
        !could_read && self.credit.may_read()
    }

    pub fn is_established(&self) -> bool {
        self.terms.is_some()
    }

    /// Waits for this queue to move on, with its other sources, if it is above its bound.
    pub fn press(
        &mut self,
        config: &Config,
        now: Duration,
        bytes: usize,
        source: LinkId,
    ) -> Option<Wait> {
        self.outbox.pressed()?;
        if !self.outbox.pressers.contains(&source) {
            self.outbox.pressers.push(source);
        }
        Some(Wait::new(config, now, bytes, &mut self.outbox.flow))
    }

    /// The next chunk to write, its frame encoded. `me` signs what is encoded only now.
    pub fn refill(&mut self, most: usize, me: &crate::NodeId) {
        let method = self.terms.as_ref().and_then(|terms| terms.send);
        let mut taken = 0;
        while taken < most {
            let Some((parcel, tag)) = self.outbox.take() else { return };
            let weight = weight(&parcel);
            taken += weight;
            let bytes = match parcel {
                Parcel::Own(frame) | Parcel::Relay(frame) => {
                    self.last = Some(frame.clone());
                    frame.bytes(method).clone()
                }
                Parcel::Control(draft) => draft.encode(me, &draft.id()).bytes(None).clone(),
            };
            self.batch.push_back(Chunk { bytes, weight, tag });
        }
    }
}

/// What waits to be written.
#[derive(Debug)]
pub(super) struct Outbox {
    control: VecDeque<(Parcel, Tag)>,
    data: VecDeque<(Parcel, Tag)>,
    pub flow: Outflow,
    pub pressers: Vec<LinkId>,
    pub is_sealed: bool,
}

impl Outbox {
    fn new(config: &Config) -> Self {
        Outbox {
            control: VecDeque::new(),
            data: VecDeque::new(),
            flow: Outflow::new(config),
            pressers: Vec::new(),
            is_sealed: false,
        }
    }

    pub fn put(&mut self, parcel: Parcel, tag: Tag) -> Put {
        if self.is_sealed {
            return Put::Sealed;
        }
        self.flow.add(weight(&parcel));
        match parcel {
            Parcel::Control(_) => self.control.push_back((parcel, tag)),
            _ => self.data.push_back((parcel, tag)),
        }
        match &self.flow {
            flow if flow.is_overflowing() => Put::Overflow,
            flow if flow.is_pressed() => Put::Pressed,
            _ => Put::Fine,
        }
    }

    /// Parcels that have not been begun.
    pub fn len(&self) -> usize {
        self.control.len() + self.data.len()
    }

    fn take(&mut self) -> Option<(Parcel, Tag)> {
        self.control.pop_front().or_else(|| self.data.pop_front())
    }

    pub fn takes_own(&self) -> bool {
        self.is_sealed || self.flow.takes_own()
    }

    /// How much has left the queue so far; `None` if it is not above its bound.
    pub fn pressed(&self) -> Option<u64> {
        let is_pressed = !self.is_sealed && self.flow.is_pressed();
        is_pressed.then(|| self.flow.moved())
    }

    /// Takes nothing more, and gives what had not been begun.
    pub fn seal(&mut self) -> Vec<(Parcel, Tag)> {
        self.is_sealed = true;
        let control = std::mem::take(&mut self.control);
        let parcels: Vec<_> = control.into_iter().chain(std::mem::take(&mut self.data)).collect();
        self.flow.remove(parcels.iter().map(|(parcel, _)| weight(parcel)).sum());
        parcels
    }
}
