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

#[cfg(test)]
mod tests {
    use crossbeam_channel::unbounded;

    use super::*;

    #[test]
    fn what_arrives_from_a_quiet_link_does_not_wait_for_all_that_a_busy_one_has_handed_in() {
        let (sender, inbox) = unbounded();
        let mut backlog = Backlog::default();
        let (busy, quiet) = (LinkId(1), LinkId(2));
        let all = (0..100).map(|_| busy).chain([quiet]);
        all.for_each(|link| sender.send(Inbound::Finished(link)).expect("it is open"));
        assert_eq!(backlog.gather(&inbox), 101);
        let mut order = Vec::new();
        while let Some(link) = backlog.turns.choose() {
            backlog.turns.take(link);
            backlog.turns.charge(link, 1000);
            order.push(link);
        }
        assert!(order[..2].contains(&quiet) && order.len() == 101, "{:?}", &order[..5]);
    }

    #[test]
    fn the_word_to_stop_is_work_that_comes_after_all_other() {
        let (sender, inbox) = unbounded();
        let mut backlog = Backlog::default();
        assert!(!backlog.has_work());
        sender.send(Inbound::Finished(LinkId(1))).expect("it is open");
        sender.send(Inbound::Stop).expect("it is open");
        backlog.gather(&inbox);
        assert!(backlog.stops && backlog.has_work());
        assert!(matches!(backlog.turns.take(LinkId(1)), Some(Arrived::Finished)));
        assert!(backlog.has_work(), "to stop");
    }
}
