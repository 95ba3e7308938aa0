//! Sends broadcasts, and dates each one. Equal messages of one second have the same id, and all but
//! the first are dropped: so each needs a second of its own.

use std::convert::Infallible;
use std::time::Duration;

use super::event::Parcel;
use super::seen::{Remembered, Source};
use super::{Node, Now};
use crate::id::{MessageId, NodeId};
use crate::options::Flag;
use crate::tally::Tally;
use crate::wire::{Frame, Named, Parts, payload_of};

/// Most seconds that a message is dated ahead, which all nodes accept, ...
const AHEAD: u64 = 55;
/// ... and most seconds that it is dated back, before any node refuses it as too old.
const BACK: u64 = 30;
/// The shortest pause of a sender. The time that it is told may be older than its own by this.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// An equal message was sent in each second that the message may be dated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

/// A dated message with its id and its frame. Made before the node's lock is taken, because hashing
/// and encoding take longer than the rest.
#[derive(Debug)]
pub(crate) struct Dated {
    main: Flag,
    time: u64,
    me: NodeId,
    id: MessageId,
    frame: Frame,
}

impl Dated {
    /// Dates a message with the second that it has.
    pub fn new(parts: Parts<'_>, me: NodeId) -> Self {
        let id = parts.id();
        Dated { main: parts.main, time: parts.time, me, id, frame: parts.encode(&me, &id) }
    }

    pub fn id(&self) -> MessageId {
        self.id
    }

    #[cfg(any(test, feature = "sim"))]
    pub fn time(&self) -> u64 {
        self.time
    }

    #[cfg(feature = "sim")]
    pub fn len(&self) -> usize {
        self.frame.len()
    }

    fn date(&mut self, time: u64) {
        if self.time != time {
            let frame = self.frame.clone();
            let packets = payload_of(&frame);
            *self = Dated::new(Parts { main: self.main, packets: &packets, time }, self.me);
        }
    }
}

impl Node {
    /// Returns for how long this node should send no broadcast, if it has sent so many that others may have no
    /// room to remember their ids: until the next second, when it should ask again.
    pub fn send_pause(&self, now: Now) -> Option<Duration> {
        let passed = Duration::from_nanos(now.wall.subsec_nanos().into());
        let rest = Duration::from_secs(1).saturating_sub(passed).max(LEAST_PAUSE);
        self.seen.is_own_share_used(now).then_some(rest)
    }

    /// Sends a broadcast to all peers, and remembers it as seen. It is dated with the nearest
    /// second in which no equal message was sent or received. Returns the number of peers.
    pub fn publish(&mut self, now: Now, message: &mut Dated) -> Result<usize, Repeated> {
        for time in seconds_near(now.second()) {
            if self.seen.is_evicted(time) {
                continue;
            }
            message.date(time);
            let check = || Ok::<(), Infallible>(());
            let own = self.seen.remember(now, Source::OWN, &message.id, time, check);
            if own == Ok(Remembered::New) {
                self.schedule_sweep(now);
                self.stats.sent.tally(1);
                self.note_own(now, &message.id, message.frame.len());
                let (name, frame) = (Named { id: message.id, time }, &message.frame);
                let frames = self.spread(now, name, Parcel::Own, || frame.clone(), |_, _| true);
                self.stats.own_frames.tally(frames);
                return Ok(self.table.len());
            }
        }
        Err(Repeated)
    }
}

/// Returns the seconds that a message may be dated with, the best first.
fn seconds_near(now: u64) -> impl Iterator<Item = u64> {
    (now..=now.saturating_add(AHEAD)).chain((now.saturating_sub(BACK)..now).rev())
}
