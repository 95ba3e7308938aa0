//! A link's outbound queue: what is written next, how much waits, and who is held back for it.

use std::collections::VecDeque;
use std::time::Duration;

use super::flow::{Outflow, Wait};
use crate::config::Config;
use crate::node::Parcel;

/// What a control message is taken to weigh: it is encoded only when it is written.
const CONTROL_OVERHEAD: usize = 256;

/// Sources that are woken when a queue is below its bound: those of all links, and of some that
/// have ended.
const MAX_PRESSERS: usize = 1024;

/// `S` stands for a link whose relays pressed this queue above its bound. `T` is what the
/// simulator keeps with each parcel.
#[derive(Debug)]
pub(crate) struct Outgoing<S, T = ()> {
    /// Messages between neighbours go first: they must not wait behind data.
    control: VecDeque<(Parcel, T)>,
    data: VecDeque<(Parcel, T)>,
    flow: Outflow,
    /// To be woken when the queue is below its bound again.
    pressers: Vec<S>,
    is_sealed: bool,
    /// Bytes of data that were ever put in, and bytes that were ever taken: of data, of both.
    data_put: u64,
    data_taken: u64,
    taken: u64,
}

/// What was queued at one moment; see [`Outgoing::mark`].
#[derive(Debug)]
pub(crate) struct Mark {
    data_put: u64,
    /// Known once all of it was taken: it is written when this much has left the queue.
    moved: Option<u64>,
}

/// What putting a parcel into a queue led to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Put {
    Fine,
    /// Above the bound: the source of a relay is to be held back.
    Pressed,
    /// So much waits that the link has to be closed.
    Overflow,
    /// The link is ending: not taken.
    Sealed,
}

/// Who goes on, now that something has left a queue.
#[derive(Debug)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct Freed<S> {
    /// Whether senders that wait for room do.
    pub has_drained: bool,
    pub pressers: Vec<S>,
}

/// What is left of a queue that takes nothing more.
#[derive(Debug)]
#[must_use = "somebody waits to be woken"]
pub(crate) struct Sealed<S, T> {
    /// What had not been begun.
    pub parcels: Vec<(Parcel, T)>,
    /// They go on, and so do senders that wait for room.
    pub pressers: Vec<S>,
}

impl<S: PartialEq, T> Outgoing<S, T> {
    pub fn new(config: &Config) -> Self {
        Outgoing {
            control: VecDeque::new(),
            data: VecDeque::new(),
            flow: Outflow::new(config),
            pressers: Vec::new(),
            is_sealed: false,
            data_put: 0,
            data_taken: 0,
            taken: 0,
        }
    }

    pub fn put(&mut self, parcel: Parcel, tag: T) -> Put {
        if self.is_sealed {
            return Put::Sealed;
        }
        self.flow.add(weight(&parcel));
        match parcel {
            Parcel::Control(_) => self.control.push_back((parcel, tag)),
            _ => {
                self.data_put += weight(&parcel) as u64;
                self.data.push_back((parcel, tag));
            }
        }
        match &self.flow {
            flow if flow.is_overflowing(self.pressers.len()) => Put::Overflow,
            flow if flow.is_pressed() => Put::Pressed,
            _ => Put::Fine,
        }
    }

    /// Gives the next parcels to write, up to about this many bytes. They count as queued until
    /// [`Outgoing::written`].
    pub fn take(&mut self, most: usize, mut give: impl FnMut(Parcel, T)) {
        let mut bytes = 0;
        while bytes < most {
            let next = self.control.pop_front().or_else(|| self.data.pop_front());
            let Some((parcel, tag)) = next else { return };
            bytes += weight(&parcel);
            self.taken += weight(&parcel) as u64;
            if !matches!(parcel, Parcel::Control(_)) {
                self.data_taken += weight(&parcel) as u64;
            }
            give(parcel, tag);
        }
    }

    /// Parcels of this weight have been written.
    pub fn written(&mut self, weight: usize) -> Freed<S> {
        self.flow.remove(weight);
        let is_pressed = self.flow.is_pressed();
        Freed {
            has_drained: self.flow.has_drained(),
            pressers: if is_pressed { Vec::new() } else { std::mem::take(&mut self.pressers) },
        }
    }

    pub fn queued(&self) -> usize {
        self.flow.queued()
    }

    /// Remembers what is queued now, to be asked for with [`Outgoing::has_passed`].
    pub fn mark(&self) -> Mark {
        Mark { data_put: self.data_put, moved: None }
    }

    /// Whether all that was queued at this mark is written, or the link is ending. What came
    /// later and overtook it, messages between neighbours, may be waited for as well.
    pub fn has_passed(&self, mark: &mut Mark) -> bool {
        if mark.moved.is_none() && self.data_taken >= mark.data_put {
            mark.moved = Some(self.taken);
        }
        self.is_sealed || mark.moved.is_some_and(|moved| self.flow.moved() >= moved)
    }

    pub fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    /// Parcels that have not been begun.
    #[cfg(any(test, feature = "sim"))]
    pub fn len(&self) -> usize {
        self.control.len() + self.data.len()
    }

    /// Whether a message of this node need not wait: there is room, or the link is ending.
    pub fn takes_own(&self) -> bool {
        self.is_sealed || self.flow.takes_own()
    }

    /// The same for a sender that has begun to wait.
    pub fn lets_go_on(&self) -> bool {
        self.is_sealed || self.flow.has_drained()
    }

    /// Has a link that put so much into this queue stand in line, to be woken when the queue is
    /// below its bound; `None` if it is already.
    pub fn press(
        &mut self,
        source: S,
        config: &Config,
        now: Duration,
        bytes: usize,
    ) -> Option<Wait> {
        self.pressed()?;
        // Whoever finds no place goes on by itself when its wait is over.
        if self.pressers.len() < MAX_PRESSERS && !self.pressers.contains(&source) {
            self.pressers.push(source);
        }
        Some(Wait::new(config, now, bytes, &mut self.flow))
    }

    /// How much has left the queue so far; `None` if it holds nobody back.
    pub fn pressed(&self) -> Option<u64> {
        let is_pressed = !self.is_sealed && self.flow.is_pressed();
        is_pressed.then(|| self.flow.moved())
    }

    /// Takes nothing more, and gives what had not been begun.
    pub fn seal(&mut self) -> Sealed<S, T> {
        let pressers = self.refuse_more();
        let control = std::mem::take(&mut self.control);
        let data = std::mem::take(&mut self.data);
        let parcels: Vec<_> = control.into_iter().chain(data).collect();
        self.flow.remove(parcels.iter().map(|(parcel, _)| weight(parcel)).sum());
        Sealed { parcels, pressers }
    }

    /// Takes nothing more; what is queued can still be written. Who goes on, besides the senders
    /// that wait for room.
    #[must_use = "they wait to be woken"]
    pub fn refuse_more(&mut self) -> Vec<S> {
        self.is_sealed = true;
        std::mem::take(&mut self.pressers)
    }
}

/// Bytes that a parcel counts for.
pub(crate) fn weight(parcel: &Parcel) -> usize {
    match parcel {
        Parcel::Own(frame) | Parcel::Relay(frame) => frame.len(),
        Parcel::Control(draft) => {
            CONTROL_OVERHEAD + draft.packets.iter().map(|packet| packet.len()).sum::<usize>()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;
    use crate::options::Flag;
    use crate::packet::Packet;
    use crate::wire::Draft;

    fn draft(size: usize) -> Draft {
        let packets = vec![Packet::from(vec![0; size])];
        Draft { main: Flag::Whisper, packets, time: 1 }
    }

    fn relay(size: usize) -> Parcel {
        let draft = draft(size);
        Parcel::Relay(draft.encode(&NodeId::from_digest(&[1; 48]), &draft.id()))
    }

    /// Two relays fill it exactly; five are too much.
    fn queue() -> Outgoing<&'static str, u8> {
        let outbound = 2 * weight(&relay(100));
        Outgoing::new(&Config { outbound, max_frame: 0, ..Config::default() })
    }

    fn fill(queue: &mut Outgoing<&'static str, u8>, count: u8) -> Vec<Put> {
        (0..count).map(|tag| queue.put(relay(100), tag)).collect()
    }

    fn press(queue: &mut Outgoing<&'static str, u8>, source: &'static str) -> Option<Wait> {
        queue.press(source, &Config::default(), Duration::ZERO, 100)
    }

    fn taken(queue: &mut Outgoing<&'static str, u8>, most: usize) -> Vec<u8> {
        let mut tags = Vec::new();
        queue.take(most, |_, tag| tags.push(tag));
        tags
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
    fn what_is_put_in_presses_and_then_overflows() {
        let mut queue = queue();
        let puts = fill(&mut queue, 5);
        assert_eq!(puts, [Put::Fine, Put::Fine, Put::Pressed, Put::Pressed, Put::Overflow]);
    }

    #[test]
    fn every_source_may_put_in_one_large_frame() {
        let size = weight(&relay(1000));
        let config = Config { outbound: size, max_frame: size, ..Config::default() };
        let mut queue: Outgoing<u8> = Outgoing::new(&config);
        for source in 0..6 {
            assert_ne!(queue.put(relay(1000), ()), Put::Overflow, "{source}");
            let _ = queue.press(source, &config, Duration::ZERO, size);
        }
        // Then they are held back; who is not is too much.
        let puts: Vec<Put> = (0..4).map(|_| queue.put(relay(1000), ())).collect();
        assert_eq!(puts.last(), Some(&Put::Overflow), "{puts:?}");
    }

    #[test]
    fn what_is_taken_waits_until_it_is_written() {
        let mut queue = queue();
        let size = weight(&relay(100));
        fill(&mut queue, 3);
        assert!(press(&mut queue, "a").is_some() && press(&mut queue, "a").is_some());
        assert!(press(&mut queue, "b").is_some());
        assert_eq!(taken(&mut queue, usize::MAX).len(), 3);
        assert!(!queue.takes_own() && queue.pressed().is_some() && queue.len() == 0);
        let freed = queue.written(size);
        assert_eq!((freed.has_drained, freed.pressers), (false, vec!["a", "b"]));
        assert!(press(&mut queue, "a").is_none(), "it is below its bound");
        let freed = queue.written(2 * size);
        assert!(freed.has_drained && freed.pressers.is_empty() && queue.queued() == 0);
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
        let _ = queue.written(control + size);
        assert!(!queue.has_passed(&mut mark), "one of two");
        let _ = queue.written(size);
        assert!(queue.has_passed(&mut mark), "what came later still waits");
        assert!(queue.queued() > 0);
    }

    #[test]
    fn a_sealed_queue_takes_nothing_and_holds_nobody_back() {
        let mut queue = queue();
        fill(&mut queue, 3);
        assert!(press(&mut queue, "a").is_some() && !queue.lets_go_on());
        assert_eq!(queue.refuse_more(), ["a"]);
        assert!(queue.lets_go_on() && queue.takes_own() && queue.pressed().is_none());
        assert_eq!(queue.put(relay(100), 3), Put::Sealed);
        assert_eq!(taken(&mut queue, 1), [0], "what was queued can be written");
        let sealed = queue.seal();
        assert_eq!(sealed.parcels.iter().map(|(_, tag)| *tag).collect::<Vec<u8>>(), [1, 2]);
        assert_eq!(queue.queued(), weight(&relay(100)), "one is being written");
    }
}
