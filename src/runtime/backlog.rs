//! What the daemon has not dealt with: what has arrived and is to be decided on, and what is decided on and
//! to be delivered.

use std::collections::VecDeque;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::inbox::Inbound;
use super::link::Link;
use super::relaying::{Decider, Work};
use crate::link::reading::Batch;
use crate::link::turns::Turns;
use crate::node::LinkId;

/// Most bytes in the backlog whose credit was returned.
const MOST: usize = 16 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Backlog {
    /// What has arrived, and is to be decided on: the links take turns.
    pub turns: Turns<LinkId, Arrived>,
    /// Whether the daemon's work is over after that.
    pub stops: bool,
    /// What is decided, and to be delivered.
    pub work: VecDeque<Work>,
    /// Bytes in it whose credit was returned.
    pub returned: usize,
}

/// What a link has handed in.
pub(super) enum Arrived {
    Batch(Arc<Link>, Batch<()>),
    Finished,
}

impl Backlog {
    pub fn has_work(&self) -> bool {
        !self.work.is_empty() || !self.turns.is_empty() || self.stops
    }

    /// Takes what has arrived. Returns how much it was.
    pub fn gather(&mut self, inbox: &Receiver<Inbound>) -> usize {
        let arrived = inbox.len();
        for inbound in inbox.try_iter().take(arrived) {
            match inbound {
                Inbound::Batch(link, batch) => {
                    self.turns.add(link.id, Arrived::Batch(link, batch));
                }
                Inbound::Finished(link) => self.turns.add(link, Arrived::Finished),
                Inbound::Stop => self.stops = true,
            }
        }
        arrived
    }

    /// Returns credit for what waits here, so that its links read on.
    pub fn return_credit(&mut self, host: &mut Decider<'_>) {
        for work in &mut self.work {
            if self.returned >= MOST {
                break;
            }
            if let Work::Batch(batch, returned @ 0) = work {
                let bytes = batch.return_credit(host);
                *returned += bytes;
                self.returned += bytes;
            }
        }
    }
}
