//! A link's outbound queue: what is written next, how much waits, and which sources it throttles.

use std::collections::VecDeque;
use std::time::Duration;

use super::flow::{Outflow, Wait};
pub(crate) use super::freed::{Freed, Written};
use super::lanes::Lanes;
use super::pace::{Pace, Taken};
use super::weight::{is_control, weight};
use crate::config::Config;
use crate::node::Parcel;
use crate::node::event::PaceChange;
use crate::tally::Tally;
use crate::wire::Total;

/// Bytes of this node's messages that wait for none of the relays.
const OWN_BESIDE_RELAYS: usize = 16 * 1024;

/// Sources that one queue wakes when it is below its bound: those of all links, and of some that
/// have ended.
const MAX_THROTTLED: usize = 1024;

/// `L` refers to a link whose relays are throttled by this queue. `T` is what the simulator keeps
/// with each parcel.
#[derive(Debug)]
pub(crate) struct Outgoing<L, T = ()> {
    /// Messages between neighbours go first: they must not wait behind data.
    control: VecDeque<(Parcel, T)>,
    data: Lanes<T>,
    flow: Outflow,
    pace: Pace,
    /// Woken when the queue is below its bound again.
    throttled: Vec<L>,
    /// Bytes that are kept for the peer if nobody waits for it.
    unwaited_room: usize,
    is_sealed: bool,
    /// Bytes that were ever taken.
    taken: u64,
}

/// What was queued at one moment; see [`Outgoing::mark`].
#[derive(Debug)]
pub(crate) struct Mark {
    came: u64,
    /// Known once all of it was taken: it is written when this much has left the queue.
    moved: Option<u64>,
}

/// What putting a parcel into a queue led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Fine,
    /// Above the bound: the source of a relay is to be throttled.
    Throttle,
    /// The peer is left behind, and there is no room: not taken.
    Missed,
    /// So much waits, though it is between neighbours only, that the link has to be closed.
    Overflow,
    /// It is an answer, and the peer has not taken the ones before: not taken.
    Declined,
    /// The link is ending: not taken.
    Sealed,
}

impl<L: PartialEq, T> Outgoing<L, T> {
    pub fn new(config: &Config) -> Self {
        Outgoing {
            control: VecDeque::new(),
            data: Lanes::default(),
            flow: Outflow::new(config),
            pace: Pace::new(config),
            throttled: Vec::new(),
            unwaited_room: config.outbound / 2,
            is_sealed: false,
            taken: 0,
        }
    }

    pub fn put(&mut self, parcel: Parcel, tag: T) -> Put {
        if self.is_sealed {
            return Put::Sealed;
        }
        let weight = weight(&parcel);
        let is_full = self.flow.would_overflow(weight, self.throttled.len());
        if let Parcel::Answer(_) = parcel
            && !self.pace.takes_answer()
        {
            return Put::Declined;
        }
        if is_control(&parcel) {
            self.control.push_back((parcel, tag));
        } else if self.is_missed(weight, is_full) {
            return Put::Missed;
        } else {
            self.data.push(parcel, tag, weight);
        }
        self.flow.add(weight);
        self.pace.put(weight);
        match is_full {
            true => Put::Overflow,
            false if self.is_throttling() => Put::Throttle,
            false => Put::Fine,
        }
    }

    /// Whether the queue of a peer that nobody waits for is full.
    fn is_unwaited_full(&self) -> bool {
        !self.pace.floor().is_waited_for() && self.flow.queued() >= self.unwaited_room
    }

    /// Whether the peer misses a message. One that has a full queue is left behind, whatever its
    /// pace. If nobody waits for it, its queue is full sooner.
    fn is_missed(&mut self, weight: usize, is_full: bool) -> bool {
        let is_full = is_full || self.is_unwaited_full();
        if is_full {
            self.pace.floor_mut().leave_behind();
        }
        let is_missed = self.pace.floor().is_behind() && (is_full || !self.pace.has_room());
        if is_missed {
            self.pace.floor_mut().miss(weight);
        }
        is_missed
    }

    /// Gives the next parcels to write, up to about this many bytes. They count as queued until
    /// [`Outgoing::written`].
    pub fn take(&mut self, most: usize, mut give: impl FnMut(Parcel, T)) {
        let mut bytes = 0;
        while bytes < most {
            let next = self.control.pop_front().or_else(|| self.data.next());
            let Some((parcel, tag)) = next else { return };
            let weight = weight(&parcel);
            bytes.tally(weight);
            self.taken.tally(weight as u64);
            give(parcel, tag);
        }
    }

    /// Parcels have been written.
    pub fn written(&mut self, written: Written) -> Freed<L> {
        self.flow.remove(written.weight);
        let queued = Total { bytes: written.weight as u64, frames: written.parcels };
        self.pace.wrote(queued, written.wire);
        self.freed()
    }

    fn freed(&mut self) -> Freed<L> {
        let throttled =
            if self.is_throttling() { Vec::new() } else { std::mem::take(&mut self.throttled) };
        Freed { has_drained: self.lets_resume(), throttled, is_news: self.pace.is_news() }
    }

    /// The peer says how fast it takes what it is sent.
    pub fn expect_reports(&mut self) {
        self.pace.expect_reports();
    }

    /// The peer reports.
    pub fn reported(&mut self, now: Duration, report: Taken) -> Freed<L> {
        self.pace.reported(now, report);
        self.freed()
    }

    /// Looks whether the peer is waited for.
    pub fn judge(&mut self, now: Duration) -> (Option<PaceChange>, Freed<L>) {
        (self.pace.judge(now), self.freed())
    }

    /// Nobody waits for the peer any longer, and no more than so many bytes are kept for it.
    pub fn stop_waiting(&mut self, room: usize) -> Freed<L> {
        self.unwaited_room = room;
        self.pace.floor_mut().stop_waiting();
        self.freed()
    }

    pub fn pace(&mut self) -> &mut Pace {
        &mut self.pace
    }

    pub fn queued(&self) -> usize {
        self.flow.queued()
    }

    /// Remembers what is queued now, to be asked for with [`Outgoing::has_passed`].
    pub fn mark(&self) -> Mark {
        Mark { came: self.data.came(), moved: None }
    }

    /// Whether all that was queued at this mark is written, or the link is ending. What came later and
    /// overtook it may be waited for as well.
    pub fn has_passed(&self, mark: &mut Mark) -> bool {
        if mark.moved.is_none() && self.data.has_left(mark.came) {
            mark.moved = Some(self.taken);
        }
        self.is_sealed || mark.moved.is_some_and(|moved| self.flow.moved() >= moved)
    }

    pub fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    /// Frees the room of empty queues: of the many links of a simulated world few have something to write.
    #[cfg(feature = "sim")]
    pub fn release(&mut self) {
        super::release::release(&mut self.control);
        self.data.release();
    }

    /// Parcels that have not been begun.
    #[cfg(any(test, feature = "sim"))]
    pub fn len(&self) -> usize {
        self.control.len().saturating_add(self.data.len())
    }

    /// Whether a message of this node need not wait: there is room, or nobody waits for the peer.
    pub fn takes_own(&self) -> bool {
        self.is_free()
            || self.flow.takes_own() && self.pace.has_room()
            || self.takes_beside_relays(OWN_BESIDE_RELAYS)
    }

    /// The same for a message that cannot wait: it may go ahead of the pace of the peer.
    pub fn takes_at_once(&self) -> bool {
        self.is_free() || self.flow.takes_own() || self.takes_beside_relays(OWN_BESIDE_RELAYS)
    }

    /// Whether relays are most of what waits here, and less than this is of this node: that does not wait for
    /// them, it has turns of its own.
    fn takes_beside_relays(&self, most: usize) -> bool {
        let own = self.data.own();
        own < most && own < self.data.relayed() / 2 && !self.flow.is_over_bound()
    }

    /// Returns whether a message that the peer asked for has room: nobody is throttled for the queue, and
    /// nothing is missed.
    pub fn takes_answer(&self, parcel: &Parcel) -> bool {
        let is_full = self.flow.would_overflow(weight(parcel), self.throttled.len())
            || self.is_unwaited_full();
        let is_pressed = self.flow.is_over_bound() || self.pace.is_pressed();
        !self.is_sealed && !self.pace.floor().is_behind() && !is_full && !is_pressed
    }

    /// The same for a sender that has begun to wait.
    pub fn lets_resume(&self) -> bool {
        let has_drained = self.flow.has_drained() && self.pace.has_drained();
        self.is_free() || has_drained || self.takes_beside_relays(OWN_BESIDE_RELAYS / 4 * 3)
    }

    /// Whether nobody waits: the link is ending, or its peer is not waited for.
    fn is_free(&self) -> bool {
        self.is_sealed || !self.pace.floor().is_waited_for()
    }

    /// Throttles a link that added this many bytes, and wakes it when the queue is below its bound.
    /// Returns `None` if the queue is below it already.
    pub fn throttle(&mut self, source: L, now: Duration, bytes: usize) -> Option<Wait> {
        let moved = self.moved_above_bound()?;
        // A source that finds no place continues by itself when its wait is over.
        if self.throttled.len() < MAX_THROTTLED && !self.throttled.contains(&source) {
            self.throttled.push(source);
        }
        Some(Wait::new(now, bytes, &mut self.flow, moved))
    }

    /// Returns how many bytes have left the queue so far; `None` if it throttles nobody.
    pub fn moved_above_bound(&self) -> Option<u64> {
        let moved = self.pace.taken().unwrap_or(self.flow.moved());
        self.is_throttling().then_some(moved)
    }

    /// Whether sources of relays are slowed down. A peer that is not waited for slows nobody down.
    fn is_throttling(&self) -> bool {
        let is_over = self.flow.is_over_bound() || self.pace.is_pressed();
        is_over && !self.is_free()
    }

    /// Takes nothing more, and returns the parcels that had not been begun.
    pub fn seal(&mut self) -> (Vec<(Parcel, T)>, Freed<L>) {
        let freed = self.refuse_more();
        let control = std::mem::take(&mut self.control);
        let data = std::mem::take(&mut self.data);
        let parcels: Vec<_> = control.into_iter().chain(data).collect();
        let bytes = parcels.iter().map(|(parcel, _)| weight(parcel)).sum();
        self.flow.remove(bytes);
        self.pace.dropped(Total { bytes: bytes as u64, frames: parcels.len() as u64 });
        (parcels, freed)
    }

    /// Takes nothing more; what is queued can still be written.
    pub fn refuse_more(&mut self) -> Freed<L> {
        self.is_sealed = true;
        let throttled = std::mem::take(&mut self.throttled);
        Freed { has_drained: true, throttled, is_news: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::node::LinkId;
    use crate::options::Flag;
    use crate::packet::Packet;
    use crate::wire::Draft;

    fn draft(size: usize) -> Draft {
        let packets = vec![Packet::from(vec![0; size])];
        Draft { main: Flag::Whisper, packets, time: 1 }
    }

    fn relay(size: usize) -> Parcel {
        let draft = draft(size);
        Parcel::Relay(draft.encode(&NodeId::from_digest(&[1; 48]), &draft.id()), LinkId(1))
    }

    /// Two relays fill it exactly; five are too much.
    fn queue() -> Outgoing<&'static str, u8> {
        let outbound = 2 * weight(&relay(100));
        Outgoing::new(&Config { outbound, max_frame: 0, ..Config::default() })
    }

    fn written(frames: u64) -> Written {
        let weight = frames as usize * weight(&relay(100));
        Written { weight, parcels: frames, wire: Total { bytes: weight as u64, frames } }
    }

    fn fill(queue: &mut Outgoing<&'static str, u8>, count: u8) -> Vec<Put> {
        (0..count).map(|tag| queue.put(relay(100), tag)).collect()
    }

    fn throttle(queue: &mut Outgoing<&'static str, u8>, source: &'static str) -> Option<Wait> {
        queue.throttle(source, Duration::ZERO, 100)
    }

    fn taken(queue: &mut Outgoing<&'static str, u8>, most: usize) -> Vec<u8> {
        let mut tags = Vec::new();
        queue.take(most, |_, tag| tags.push(tag));
        tags
    }

    fn take_some(queue: &mut Outgoing<u8>, most: usize) {
        queue.take(most, |_, ()| {});
    }

    #[test]
    fn neighbours_come_first_and_the_rest_in_its_order() {
        let mut queue = queue();
        for (tag, parcel) in
            [relay(100), relay(100), Parcel::Control(draft(1))].into_iter().enumerate()
        {
            let _ = queue.put(parcel, tag as u8);
        }
        assert_eq!(taken(&mut queue, 1), [2]);
        assert_eq!(taken(&mut queue, usize::MAX), [0, 1]);
    }

    #[test]
    fn relays_above_the_bound_throttle_their_source_and_then_are_missed() {
        let mut queue = queue();
        let puts = fill(&mut queue, 5);
        assert_eq!(puts, [Put::Fine, Put::Fine, Put::Throttle, Put::Throttle, Put::Missed]);
        let (turn, freed) = queue.judge(Duration::ZERO);
        assert_eq!(turn, Some(PaceChange::LeftBehind));
        assert!(freed.has_drained && queue.takes_own(), "nobody waits for it");
        assert!(throttle(&mut queue, "a").is_none(), "nor slows down");
        assert_eq!(queue.put(relay(100), 5), Put::Missed);
    }

    #[test]
    fn a_peer_that_nobody_waits_for_misses_what_is_above_its_room() {
        let size = weight(&relay(100));
        let config = Config { outbound: 80 * size, max_frame: 0, ..Config::default() };
        let mut queue: Outgoing<u8> = Outgoing::new(&config);
        let freed = queue.stop_waiting(4 * size);
        assert!(freed.has_drained && queue.takes_own());
        let puts: Vec<Put> = (0..6).map(|_| queue.put(relay(100), ())).collect();
        assert_eq!(puts[..4], [Put::Fine, Put::Fine, Put::Fine, Put::Fine]);
        assert_eq!(puts[4..], [Put::Missed, Put::Missed], "it is left behind");
        assert!(queue.takes_own() && queue.throttle(1, Duration::ZERO, 100).is_none());
    }

    #[test]
    fn a_queue_full_of_relays_takes_a_little_of_this_node_all_the_same() {
        let size = weight(&relay(100));
        let config = Config { outbound: 400 * size, max_frame: 0, ..Config::default() };
        let mut queue: Outgoing<u8> = Outgoing::new(&config);
        (0..300).for_each(|_| assert_ne!(queue.put(relay(100), ()), Put::Missed));
        let Parcel::Relay(frame, _) = relay(100) else { unreachable!() };
        let mut own = 0;
        while queue.takes_own() && own < 300 {
            assert_ne!(queue.put(Parcel::Own(frame.clone()), ()), Put::Missed);
            own += 1;
        }
        assert!((10..150).contains(&own), "{own}");
        assert!(!queue.takes_own() && !queue.lets_resume(), "its own messages wait for each other");
        take_some(&mut queue, 150 * size);
        assert!(queue.takes_own() && queue.lets_resume());
    }

    #[test]
    fn what_neighbours_say_is_never_missed_but_may_overflow() {
        let mut queue = queue();
        fill(&mut queue, 5);
        assert_eq!(queue.put(Parcel::Control(draft(1)), 5), Put::Overflow);
    }

    #[test]
    fn an_answer_has_room_until_relays_throttle_their_source_and_never_at_a_peer_left_behind() {
        let mut queue = queue();
        assert!(queue.takes_answer(&relay(100)));
        assert!(!queue.takes_answer(&relay(10_000)), "larger than all the room");
        fill(&mut queue, 2);
        assert!(queue.takes_answer(&relay(100)));
        fill(&mut queue, 1);
        assert!(!queue.takes_answer(&relay(100)));
        fill(&mut queue, 2);
        let _ = queue.judge(Duration::ZERO);
        taken(&mut queue, usize::MAX);
        let _ = queue.written(written(4));
        assert!(!queue.takes_answer(&relay(100)), "it is left behind");
    }

    #[test]
    fn every_source_may_put_in_one_large_frame() {
        let size = weight(&relay(1000));
        let config = Config { outbound: size, max_frame: size, ..Config::default() };
        let mut queue: Outgoing<u8> = Outgoing::new(&config);
        for source in 0..6 {
            assert_ne!(queue.put(relay(1000), ()), Put::Missed, "{source}");
            let _ = queue.throttle(source, Duration::ZERO, size);
        }
        // Then they are held back; who is not is too much.
        let puts: Vec<Put> = (0..4).map(|_| queue.put(relay(1000), ())).collect();
        assert_eq!(puts.last(), Some(&Put::Missed), "{puts:?}");
    }

    #[test]
    fn what_is_taken_waits_until_it_is_written() {
        let mut queue = queue();
        fill(&mut queue, 3);
        assert!(throttle(&mut queue, "a").is_some() && throttle(&mut queue, "a").is_some());
        assert!(throttle(&mut queue, "b").is_some());
        assert_eq!(taken(&mut queue, usize::MAX).len(), 3);
        assert!(!queue.takes_own() && queue.moved_above_bound().is_some() && queue.len() == 0);
        let freed = queue.written(written(1));
        assert_eq!((freed.has_drained, freed.throttled), (false, vec!["a", "b"]));
        assert!(throttle(&mut queue, "a").is_none(), "it is below its bound");
        let freed = queue.written(written(2));
        assert!(freed.has_drained && freed.throttled.is_empty() && queue.queued() == 0);
    }

    #[test]
    fn a_mark_has_passed_when_what_was_queued_before_is_written() {
        let mut queue = queue();
        let size = weight(&relay(100));
        let mut empty = queue.mark();
        assert!(queue.has_passed(&mut empty));
        fill(&mut queue, 2);
        let mut mark = queue.mark();
        fill(&mut queue, 1);
        let control = weight(&Parcel::Control(draft(1)));
        let _ = queue.put(Parcel::Control(draft(1)), 9);
        assert_eq!(taken(&mut queue, control + size + 1), [9, 0, 1]);
        assert!(!queue.has_passed(&mut mark), "taken, not written");
        let wrote = |weight| Written { weight, ..Written::default() };
        let _ = queue.written(wrote(control + size));
        assert!(!queue.has_passed(&mut mark), "one of two");
        let _ = queue.written(wrote(size));
        assert!(queue.has_passed(&mut mark), "what came later still waits");
        assert!(queue.queued() > 0);
    }

    #[test]
    fn a_sealed_queue_takes_nothing_and_holds_nobody_back() {
        let mut queue = queue();
        fill(&mut queue, 3);
        assert!(throttle(&mut queue, "a").is_some() && !queue.lets_resume());
        assert_eq!(queue.refuse_more().throttled, ["a"]);
        assert!(queue.lets_resume() && queue.takes_own() && queue.moved_above_bound().is_none());
        assert_eq!(queue.put(relay(100), 3), Put::Sealed);
        assert_eq!(taken(&mut queue, 1), [0], "what was queued can be written");
        let (parcels, _) = queue.seal();
        assert_eq!(parcels.iter().map(|(_, tag)| *tag).collect::<Vec<u8>>(), [1, 2]);
        assert_eq!(queue.queued(), weight(&relay(100)), "one is being written");
    }
}
