//! A link's outbound queue: what is written next, how much waits, and who is held back for it.

use std::collections::VecDeque;
use std::time::Duration;

use super::flow::{Outflow, Wait};
use crate::config::Config;
use crate::node::Parcel;

/// What a control message is taken to weigh: it is encoded only when it is written.
const CONTROL_OVERHEAD: usize = 256;

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
        }
    }

    pub fn put(&mut self, parcel: Parcel, tag: T) -> Put {
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

    /// Gives the next parcels to write, up to about this many bytes. They count as queued until
    /// [`Outgoing::written`].
    pub fn take(&mut self, most: usize, mut give: impl FnMut(Parcel, T)) {
        let mut bytes = 0;
        while bytes < most {
            let next = self.control.pop_front().or_else(|| self.data.pop_front());
            let Some((parcel, tag)) = next else { return };
            bytes += weight(&parcel);
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
        if !self.pressers.contains(&source) {
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
