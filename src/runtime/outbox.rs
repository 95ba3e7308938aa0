//! A link's outbound queue: what waits to be written, how much, and who waits for room.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::link::Link;
use crate::config::Config;
use crate::node::Parcel;
use crate::node::flow::{Outflow, Wait};

/// What a control message is taken to weigh: it is encoded only when it is written.
const CONTROL_OVERHEAD: usize = 256;

#[derive(Debug)]
pub(crate) struct Outbox {
    inner: Mutex<Inner>,
    room: Condvar,
}

#[derive(Debug)]
struct Inner {
    /// Messages between neighbours go first: they must not wait behind data.
    control: VecDeque<Parcel>,
    data: VecDeque<Parcel>,
    flow: Outflow,
    /// Links whose relays pushed this queue above its bound; woken when it is below again.
    pressers: Vec<Weak<Link>>,
    is_sealed: bool,
}

/// What putting a parcel into an outbox led to.
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

impl Outbox {
    pub fn new(config: &Config) -> Self {
        let inner = Inner {
            control: VecDeque::new(),
            data: VecDeque::new(),
            flow: Outflow::new(config),
            pressers: Vec::new(),
            is_sealed: false,
        };
        Outbox { inner: Mutex::new(inner), room: Condvar::new() }
    }

    pub fn put(&self, parcel: Parcel) -> Put {
        let mut inner = self.inner.lock();
        if inner.is_sealed {
            return Put::Sealed;
        }
        inner.flow.add(weight(&parcel));
        match parcel {
            Parcel::Control(_) => inner.control.push_back(parcel),
            _ => inner.data.push_back(parcel),
        }
        match &inner.flow {
            flow if flow.is_overflowing() => Put::Overflow,
            flow if flow.is_pressed() => Put::Pressed,
            _ => Put::Fine,
        }
    }

    /// The next parcels to write, up to about this many bytes. They count as queued until
    /// [`Outbox::written`].
    pub fn take(&self, most: usize, parcels: &mut Vec<Parcel>) {
        let mut inner = self.inner.lock();
        let mut bytes = 0;
        while bytes < most {
            let Some(parcel) = inner.control.pop_front().or_else(|| inner.data.pop_front()) else {
                return;
            };
            bytes += weight(&parcel);
            parcels.push(parcel);
        }
    }

    /// Parcels of this weight have been written.
    pub fn written(&self, weight: usize) {
        let mut inner = self.inner.lock();
        inner.flow.remove(weight);
        if inner.flow.has_drained() {
            self.room.notify_all();
        }
        if !inner.flow.is_pressed() && !inner.pressers.is_empty() {
            let pressers = std::mem::take(&mut inner.pressers);
            drop(inner);
            pressers.iter().filter_map(Weak::upgrade).for_each(|link| link.wake());
        }
    }

    pub fn queued(&self) -> usize {
        self.inner.lock().flow.queued()
    }

    pub fn takes_own(&self) -> bool {
        let inner = self.inner.lock();
        inner.is_sealed || inner.flow.takes_own()
    }

    /// Waits until senders may go on, or the link ends; false if neither happened in time.
    pub fn wait_for_room(&self, deadline: Instant) -> bool {
        let mut inner = self.inner.lock();
        while !inner.is_sealed && !inner.flow.has_drained() {
            if self.room.wait_until(&mut inner, deadline).timed_out() {
                return inner.is_sealed || inner.flow.takes_own();
            }
        }
        true
    }

    /// Has a link that put so much into this queue stand in line, and wakes it when the queue is
    /// below its bound; `None` if it is already.
    pub fn press(
        &self,
        source: &Arc<Link>,
        config: &Config,
        now: Duration,
        bytes: usize,
    ) -> Option<Wait> {
        let mut inner = self.inner.lock();
        inner.pressed()?;
        if !inner.pressers.iter().any(|presser| presser.as_ptr() == Arc::as_ptr(source)) {
            inner.pressers.push(Arc::downgrade(source));
        }
        Some(Wait::new(config, now, bytes, &mut inner.flow))
    }

    /// How much has left the queue so far; `None` if it is not above its bound.
    pub fn pressed(&self) -> Option<u64> {
        self.inner.lock().pressed()
    }

    /// Takes nothing more, and gives what had not been begun. Whoever waits for room is woken.
    pub fn seal(&self) -> Vec<Parcel> {
        let mut inner = self.inner.lock();
        inner.is_sealed = true;
        let control = std::mem::take(&mut inner.control);
        let data = std::mem::take(&mut inner.data);
        let parcels: Vec<Parcel> = control.into_iter().chain(data).collect();
        inner.flow.remove(parcels.iter().map(weight).sum());
        let pressers = std::mem::take(&mut inner.pressers);
        drop(inner);
        self.room.notify_all();
        pressers.iter().filter_map(Weak::upgrade).for_each(|link| link.wake());
        parcels
    }

    /// Takes nothing more; what is queued can still be written.
    pub fn refuse_more(&self) {
        self.inner.lock().is_sealed = true;
        self.room.notify_all();
    }
}

impl Inner {
    fn pressed(&self) -> Option<u64> {
        let is_pressed = !self.is_sealed && self.flow.is_pressed();
        is_pressed.then(|| self.flow.moved())
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
