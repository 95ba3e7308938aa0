//! Publishing: a broadcast needs a second of its own. Equal messages of one second would have one
//! id, and all but the first would be dropped.

use std::convert::Infallible;

use super::{Node, Now};
use crate::id::{MessageId, NodeId};
use crate::wire::{Draft, Frame};

/// Equal messages are dated apart: up to this many seconds ahead, which all nodes accept, ...
const AHEAD: u64 = 55;
/// ... then up to this many back, while no node takes them for too old.
const BACK: u64 = 30;

/// Equal messages were sent in all seconds that a message may be dated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

/// A message with its date, and with what that leads to. Made before the node's lock is taken:
/// hashing and encoding take longer than all else.
#[derive(Debug)]
pub(crate) struct Dated {
    draft: Draft,
    me: NodeId,
    id: MessageId,
    frame: Frame,
}

impl Dated {
    /// Dates a message with the second that its draft has.
    pub fn new(draft: Draft, me: NodeId) -> Self {
        let id = draft.id();
        let frame = draft.encode(&me, &id);
        Dated { draft, me, id, frame }
    }

    pub fn id(&self) -> MessageId {
        self.id
    }

    #[cfg(any(test, feature = "sim"))]
    pub fn time(&self) -> u64 {
        self.draft.time
    }

    fn date(&mut self, time: u64) {
        if self.draft.time != time {
            self.draft.time = time;
            self.id = self.draft.id();
            self.frame = self.draft.encode(&self.me, &self.id);
        }
    }
}

impl Node {
    /// Sends a broadcast to all peers and remembers it as seen; returns to how many. It is dated
    /// with the nearest second in which no equal message was sent or seen.
    pub fn publish(&mut self, now: Now, message: &mut Dated) -> Result<usize, Repeated> {
        for time in seconds_near(now.second()) {
            if self.seen.is_evicted(time) {
                continue;
            }
            message.date(time);
            let is_new = self.seen.remember(now, &message.id, time, || Ok::<(), Infallible>(()));
            if is_new == Ok(true) {
                self.schedule_sweep(now);
                self.stats.sent += 1;
                return Ok(self.send_to_all(&message.frame));
            }
        }
        Err(Repeated)
    }
}

/// The seconds that a message may be dated with, the best first.
fn seconds_near(now: u64) -> impl Iterator<Item = u64> {
    (now..=now + AHEAD).chain((now.saturating_sub(BACK)..now).rev())
}
