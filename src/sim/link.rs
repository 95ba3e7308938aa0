//! A link as its thread sees it: what waits to be written, what was read, what it was ordered.
//! The counterpart of `runtime/{link,outbox,writer}.rs`; what those decide is in `crate::link`.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;

use super::ledger::Tag;
use super::schedule::ProcessId;
use super::tcp::Socket;
use super::turn::Turns;
use crate::config::Config;
use crate::events::Cause;
use crate::link::flow::{Credit, Hold, StallWatch};
use crate::link::leaving::Leaving;
use crate::link::outgoing::{Outgoing, weight};
use crate::node::{LinkId, Parcel, Terms};
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
    pub outbox: Outgoing<LinkId, Tag>,
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

impl Link {
    pub fn new(config: &Config, socket: Option<Socket>) -> Self {
        Link {
            socket,
            peer: None,
            outbox: Outgoing::new(config),
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

    /// The next chunks to write, their frames encoded. `me` signs what is encoded only now.
    pub fn refill(&mut self, most: usize, me: &crate::NodeId) {
        let method = self.terms.as_ref().and_then(|terms| terms.send);
        self.outbox.take(most, |parcel, tag| {
            let weight = weight(&parcel);
            let bytes = match parcel {
                Parcel::Own(frame) | Parcel::Relay(frame) => {
                    self.last = Some(frame.clone());
                    frame.bytes(method).clone()
                }
                Parcel::Control(draft) => draft.encode(me, &draft.id()).bytes(None).clone(),
            };
            self.batch.push_back(Chunk { bytes, weight, tag });
        });
    }
}
