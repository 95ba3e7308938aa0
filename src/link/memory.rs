//! Limits the memory of messages that arrive, of all links of a node together. Pure.
//!
//! Counted are frames that are being read, bodies that are being unpacked, and what the daemon has not
//! dealt with beyond the credit of a link. When it is short, only the link that holds most goes on, so that
//! its frame is completed and handed on; the others do not read. A link that keeps the memory short for
//! longer, with a frame that it does not complete, is ended.

use std::time::Duration;

/// Frames of less than this are not counted: their number is limited by that of the links.
pub(crate) const COUNTED: usize = 64 * 1024;
/// How soon a link that waits for memory asks again.
pub(super) const ASK_AGAIN: Duration = Duration::from_millis(10);
/// The time for which memory is short before a link is ended, and then before the next one is.
const PATIENCE: Duration = Duration::from_millis(1000);
const NEXT: Duration = Duration::from_millis(100);
/// A link with less than one part in so many is not ended.
const LEAST_PART: usize = 256;

/// What one link holds, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holding {
    /// A frame that is not complete.
    pub partial: usize,
    /// A body that is being unpacked, verified and handed to the daemon.
    pub unpacked: usize,
    /// What the daemon has not dealt with, beyond the credit.
    pub undigested: usize,
}

impl Holding {
    pub fn all(self) -> usize {
        self.partial.saturating_add(self.unpacked).saturating_add(self.undigested)
    }
}

/// Whether a link may take memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room<L> {
    Granted,
    /// Not now.
    Wait,
    /// Not before this link, which holds most, is ended.
    End(L),
}

#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    /// The largest frame: room for that many bytes is for the link that holds most, and as much for bodies
    /// that are unpacked.
    frame: usize,
    short_since: Option<Duration>,
}

impl Memory {
    /// Half of `budget` is for messages that arrive: the rest is for those that wait and are kept.
    pub fn new(budget: usize, max_frame: usize) -> Self {
        let limit = (budget / 2).max(max_frame.saturating_mul(3));
        Memory { limit, frame: max_frame, short_since: None }
    }

    /// Decides whether a link, which has held this much so far, may hold as much as `mine`. `others` are the other
    /// links.
    pub fn ask<L: Copy + Ord>(
        &mut self,
        now: Duration,
        (me, before): (L, Holding),
        mine: Holding,
        others: &[(L, Holding)],
    ) -> Room<L> {
        let all = others.iter().fold(mine.all(), |sum, (_, other)| sum.saturating_add(other.all()));
        let has_most =
            others.iter().all(|(link, other)| (other.partial, *link) < (before.partial, me));
        let room = match (mine.unpacked, has_most) {
            (0, false) => self.limit.saturating_sub(self.frame.saturating_mul(2)),
            (0, true) => self.limit.saturating_sub(self.frame),
            _ => self.limit,
        };
        if all <= room {
            self.short_since = None;
            return Room::Granted;
        }
        let since = *self.short_since.get_or_insert(now);
        if now.saturating_sub(since) < PATIENCE {
            return Room::Wait;
        }
        // It ends some time after it was told to.
        self.short_since = Some(now.saturating_add(NEXT).saturating_sub(PATIENCE));
        let greediest = others.iter().max_by_key(|(_, other)| other.partial);
        match greediest {
            Some((link, other)) if other.partial >= self.limit / LEAST_PART => Room::End(*link),
            _ => Room::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;
    const MS: fn(u64) -> Duration = Duration::from_millis;

    fn partial(bytes: usize) -> Holding {
        Holding { partial: bytes, ..Holding::default() }
    }

    #[test]
    fn unfinished_frames_of_many_links_stay_within_the_limit_and_one_link_goes_on() {
        let mut memory = Memory::new(128 * MIB, 16 * MIB);
        let mut links: Vec<(usize, Holding)> = (0..100).map(|link| (link, partial(0))).collect();
        for step in 0..200 {
            for link in 0..100 {
                let mut others = links.clone();
                let mine = others.remove(link);
                let wanted = partial((mine.1.partial + MIB / 4).min(16 * MIB));
                if memory.ask(MS(step), mine, wanted, &others) == Room::Granted {
                    links[link].1 = wanted;
                }
            }
            assert!(links.iter().map(|(_, held)| held.all()).sum::<usize>() <= 48 * MIB);
        }
        let complete = links.iter().filter(|(_, held)| held.partial == 16 * MIB).count();
        assert_eq!(complete, 1, "the one that held most");
    }

    #[test]
    fn who_keeps_the_memory_short_is_ended_and_never_who_holds_little() {
        let mut memory = Memory::new(128 * MIB, 16 * MIB);
        let held = [partial(16 * MIB), partial(15 * MIB), partial(1000)];
        let others: Vec<(usize, Holding)> = (1..).zip(held).collect();
        let (mine, wanted) = ((9, partial(MIB)), partial(4 * MIB));
        assert_eq!(memory.ask(MS(0), mine, wanted, &others), Room::Wait);
        assert_eq!(memory.ask(MS(999), mine, wanted, &others), Room::Wait);
        assert_eq!(memory.ask(MS(1000), mine, wanted, &others), Room::End(1));
        assert_eq!(memory.ask(MS(1050), mine, wanted, &others), Room::Wait, "it takes some time");
        assert_eq!(memory.ask(MS(1060), mine, wanted, &others[1..]), Room::Granted);
        let undigested = Holding { undigested: 50 * MIB, ..Holding::default() };
        let others = [(1, undigested), (2, partial(1000))];
        assert_eq!(memory.ask(MS(2000), mine, wanted, &others), Room::Wait);
        assert_eq!(
            memory.ask(MS(9000), mine, wanted, &others),
            Room::Wait,
            "nobody but the program"
        );
    }
}
