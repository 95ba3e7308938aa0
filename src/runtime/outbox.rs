//! A link's outbound queue as threads share it: a lock around it, and the waking of who waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::link::Link;
use crate::config::Config;
use crate::link::flow::Wait;
use crate::link::outgoing::{Mark, Outgoing, Put};
use crate::node::Parcel;

#[derive(Debug)]
pub(crate) struct Outbox {
    queue: Mutex<Outgoing<Presser>>,
    room: Condvar,
    /// Who waits in `flush`; only for them the progress is counted and told.
    watchers: AtomicUsize,
    progress: Mutex<u64>,
    progressed: Condvar,
}

/// A link whose relays pushed a queue above its bound.
#[derive(Debug)]
struct Presser(Weak<Link>);

impl PartialEq for Presser {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

impl Outbox {
    pub fn new(config: &Config) -> Self {
        Outbox {
            queue: Mutex::new(Outgoing::new(config)),
            room: Condvar::new(),
            watchers: AtomicUsize::new(0),
            progress: Mutex::new(0),
            progressed: Condvar::new(),
        }
    }

    pub fn put(&self, parcel: Parcel) -> Put {
        self.queue.lock().put(parcel, ())
    }

    /// The next parcels to write, up to about this many bytes. They count as queued until
    /// [`Outbox::written`].
    pub fn take(&self, most: usize, parcels: &mut Vec<Parcel>) {
        self.queue.lock().take(most, |parcel, ()| parcels.push(parcel));
    }

    /// Parcels of this weight have been written.
    pub fn written(&self, weight: usize) {
        let freed = self.queue.lock().written(weight);
        if freed.has_drained {
            self.room.notify_all();
        }
        self.note_progress();
        wake(freed.pressers);
    }

    /// Something was written, or never will be: whoever waits in `flush` looks again.
    pub fn note_progress(&self) {
        if self.watchers.load(Ordering::SeqCst) > 0 {
            *self.progress.lock() += 1;
            self.progressed.notify_all();
        }
    }

    /// Remembers what is queued now.
    pub fn mark(&self) -> Mark {
        self.queue.lock().mark()
    }

    /// See [`Outgoing::has_passed`].
    pub fn has_passed(&self, mark: &mut Mark) -> bool {
        self.queue.lock().has_passed(mark)
    }

    pub fn is_sealed(&self) -> bool {
        self.queue.lock().is_sealed()
    }

    /// Waits until `is_done` says so, asked whenever something was written; false if
    /// it did not in time.
    pub fn watch(&self, deadline: Instant, mut is_done: impl FnMut() -> bool) -> bool {
        self.watchers.fetch_add(1, Ordering::SeqCst);
        let done = loop {
            let before = *self.progress.lock();
            if is_done() {
                break true;
            }
            let mut progress = self.progress.lock();
            if *progress == before
                && self.progressed.wait_until(&mut progress, deadline).timed_out()
            {
                drop(progress);
                break is_done();
            }
        };
        self.watchers.fetch_sub(1, Ordering::SeqCst);
        done
    }

    pub fn queued(&self) -> usize {
        self.queue.lock().queued()
    }

    pub fn takes_own(&self) -> bool {
        self.queue.lock().takes_own()
    }

    /// Waits until senders may go on, or the link ends; false if neither happened in time.
    pub fn wait_for_room(&self, deadline: Instant) -> bool {
        let mut queue = self.queue.lock();
        while !queue.lets_go_on() {
            if self.room.wait_until(&mut queue, deadline).timed_out() {
                return queue.takes_own();
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
        let source = Presser(Arc::downgrade(source));
        self.queue.lock().press(source, config, now, bytes)
    }

    /// How much has left the queue so far; `None` if it holds nobody back.
    pub fn pressed(&self) -> Option<u64> {
        self.queue.lock().pressed()
    }

    /// Takes nothing more, and gives what had not been begun. Whoever waits is woken.
    pub fn seal(&self) -> Vec<Parcel> {
        let sealed = self.queue.lock().seal();
        self.room.notify_all();
        self.note_progress();
        wake(sealed.pressers);
        sealed.parcels.into_iter().map(|(parcel, ())| parcel).collect()
    }

    /// Takes nothing more; what is queued can still be written. Whoever waits is woken.
    pub fn refuse_more(&self) {
        let pressers = self.queue.lock().refuse_more();
        self.room.notify_all();
        self.note_progress();
        wake(pressers);
    }
}

fn wake(pressers: Vec<Presser>) {
    pressers.iter().filter_map(|presser| presser.0.upgrade()).for_each(|link| link.wake());
}
