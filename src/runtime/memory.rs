//! The memory of messages that arrive: what each link holds, and who may unpack.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::available_parallelism;

use parking_lot::Mutex;

use super::core::Core;
use super::link::Link;
use crate::config::Config;
use crate::link::memory::{Holding, Memory, Room};
use crate::node::{Event, LinkId};

/// Most bodies that are unpacked at the same time.
const MOST_AT_ONCE: usize = 4;

/// What a link holds, as far as only its own thread changes it.
#[derive(Debug, Default)]
pub(crate) struct Arriving {
    partial: AtomicUsize,
    unpacked: AtomicUsize,
}

#[derive(Debug)]
pub(crate) struct Arrivals {
    memory: Mutex<Memory>,
    /// How many threads may begin to unpack.
    free: AtomicUsize,
}

impl Arrivals {
    pub fn new(config: &Config) -> Self {
        // Half of the processors are for other work.
        let half = available_parallelism().map_or(1, |all| all.get() / 2);
        let free = AtomicUsize::new(half.clamp(1, MOST_AT_ONCE));
        Arrivals { memory: Mutex::new(Memory::new(config.memory, config.max_frame)), free }
    }

    /// Runs one of a few unpackings at a time. Returns `None` if there are enough of them.
    fn enter<R>(&self, unpack: impl FnOnce() -> R) -> Option<R> {
        self.free.fetch_update(Relaxed, Relaxed, |free| free.checked_sub(1)).ok()?;
        // Given back also if a decompressor panics: otherwise nobody could unpack any more.
        let _permit = Permit(&self.free);
        Some(unpack())
    }
}

struct Permit<'a>(&'a AtomicUsize);

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.fetch_add(1, Relaxed);
    }
}

impl Arriving {
    fn set(&self, partial: usize, unpacked: usize) {
        self.partial.store(partial, Relaxed);
        self.unpacked.store(unpacked, Relaxed);
    }
}

impl Core {
    /// Notes that a link holds this much and nothing else; false if that is more than before and cannot be
    /// had now.
    pub(super) fn hold(self: &Arc<Self>, link: &Arc<Link>, partial: usize) -> bool {
        let before = &link.arriving;
        let is_less = partial <= before.partial.load(Relaxed) + before.unpacked.load(Relaxed);
        let may = is_less || self.may_hold(link, partial, 0);
        if may {
            link.arriving.set(partial, 0);
        }
        may
    }

    /// Unpacks a body to at most this many bytes, unless others do, or memory cannot be had now.
    pub(super) fn unpack<R>(
        self: &Arc<Self>,
        link: &Arc<Link>,
        most: usize,
        unpack: impl FnOnce() -> R,
    ) -> Option<R> {
        let partial = link.arriving.partial.load(Relaxed);
        let unpacked = self.arrivals.enter(|| {
            self.may_hold(link, partial, most).then(|| {
                link.arriving.set(partial, most);
                unpack()
            })
        });
        unpacked.flatten()
    }

    fn may_hold(self: &Arc<Self>, link: &Arc<Link>, partial: usize, unpacked: usize) -> bool {
        let now = self.clock.mono();
        let before = self.holding(link);
        let mine = Holding { partial, unpacked, ..before };
        // Locked while the others are looked at: two links do not get the same memory.
        let mut memory = self.arrivals.memory.lock();
        let others = self.holdings(Some(link.id));
        let room = memory.ask(now, (link.id, before), mine, &others);
        if room == Room::Granted {
            link.arriving.set(partial, unpacked);
        }
        drop(memory);
        if let Room::End(greediest) = room {
            self.tell(Event::Greedy { link: greediest });
        }
        room == Room::Granted
    }

    fn holding(&self, link: &Link) -> Holding {
        let undigested = link.mailbox(|mailbox| mailbox.undigested());
        Holding {
            partial: link.arriving.partial.load(Relaxed),
            unpacked: link.arriving.unpacked.load(Relaxed),
            undigested: undigested.saturating_sub(self.config.link_credit),
        }
    }

    fn holdings(&self, but: Option<LinkId>) -> Vec<(LinkId, Holding)> {
        self.look(|state| {
            let others = state.links.values().filter(|other| Some(other.id) != but);
            others.map(|other| (other.id, self.holding(other))).collect()
        })
    }

    /// Returns how many bytes large messages that arrive take now.
    pub(super) fn arriving(&self) -> usize {
        self.holdings(None).iter().map(|(_, held)| held.all()).sum()
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn a_place_to_unpack_is_given_back_whatever_happens_there() {
        let arrivals = Arrivals::new(&Config::default());
        let places = arrivals.free.load(Relaxed);
        let panics = || arrivals.enter(|| panic!("a fault in a decompressor"));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        assert_eq!(arrivals.enter(|| arrivals.free.load(Relaxed)), Some(places - 1));
        assert_eq!(arrivals.free.load(Relaxed), places);
    }
}
