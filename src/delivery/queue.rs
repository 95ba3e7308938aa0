//! The queue between the daemon and `recv`.
//!
//! It is a crossbeam channel, so that a user can `select!` on it. The daemon alone fills it, and keeps
//! its bounds: the channel's length tells it how many messages have left, and it knows their sizes in
//! order. The channel itself has no bound: a bounded one takes memory for all messages that it could
//! hold, 2 MiB for each socket and subscription.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::backlog::{Backlog, Offer};
use super::callback::Callback;
use crate::bell::Bell;
use crate::config::Config;

/// How soon the daemon looks again while it waits for a receiver that reads the channel directly
/// and so cannot say that it took something. Only ever used when the queue is full.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The side of those who receive.
#[derive(Debug)]
pub(crate) struct Outlet<M> {
    pub receiver: Receiver<M>,
    is_asked: AtomicBool,
    is_awaited: AtomicBool,
    room: (Sender<()>, Receiver<()>),
    door: Arc<Door>,
    pub queued: AtomicU64,
    pub dropped: AtomicU64,
    /// Messages that the queue holds; `u64::MAX` while a full queue waits for nobody.
    capacity: AtomicU64,
}

/// Wakes those who wait in `recv`. Whoever selects on the channel is woken by the channel.
#[derive(Debug, Default)]
struct Door {
    bell: Bell,
    callback: Callback,
    /// The socket closes.
    is_closed: AtomicBool,
    /// The daemon has ended.
    has_ended: AtomicBool,
}

/// Says that the daemon has ended, also if it panics.
#[derive(Debug)]
struct End(Arc<Door>);

impl Drop for End {
    fn drop(&mut self) {
        self.0.has_ended.store(true, Ordering::Release);
        self.0.ring(false);
    }
}

impl Door {
    fn ring(&self, is_for_one: bool) {
        self.bell.ring(is_for_one);
        self.callback.call();
    }
}

/// The daemon's side.
#[derive(Debug)]
pub(crate) struct Inlet<M> {
    sender: Sender<M>,
    backlog: Backlog,
    since: Instant,
    dropped: u64,
    /// Messages that were put in and that nobody was woken for.
    unrung: usize,
    door: End,
}

/// What waiting led to.
#[derive(Debug)]
pub(crate) enum Waited<M> {
    Message(M),
    TimedOut,
    Closed,
}

pub(crate) fn queue<M>(config: &Config) -> (Inlet<M>, Outlet<M>) {
    let (sender, receiver) = unbounded();
    let door = Arc::<Door>::default();
    let inlet = Inlet {
        sender,
        backlog: Backlog::new(config),
        since: Instant::now(),
        dropped: 0,
        unrung: 0,
        door: End(Arc::clone(&door)),
    };
    let outlet = Outlet {
        receiver,
        is_asked: AtomicBool::new(false),
        is_awaited: AtomicBool::new(false),
        room: bounded(1),
        door,
        queued: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
        capacity: AtomicU64::new(u64::MAX),
    };
    (inlet, outlet)
}

impl<M> Outlet<M> {
    /// Waits for a message; `None` once the socket is closed and the queue empty, or at the
    /// deadline.
    pub fn wait(&self, deadline: Option<Instant>) -> Waited<M> {
        self.ask();
        let waited = self.door.bell.wait(deadline, || match self.try_take() {
            Some(message) => Some(Waited::Message(message)),
            // What was put in before the end is handed out first.
            None if self.is_closed() => {
                Some(self.try_take().map_or(Waited::Closed, Waited::Message))
            }
            None => None,
        });
        waited.unwrap_or(Waited::TimedOut)
    }

    /// A message that waits, if there is one.
    pub fn try_take(&self) -> Option<M> {
        let message = self.receiver.try_recv().ok()?;
        self.took();
        Some(message)
    }

    /// Whether nothing will be added any more: the socket is closed, or its daemon has ended.
    pub fn is_closed(&self) -> bool {
        let is_over = |end: &AtomicBool| end.load(Ordering::Acquire);
        is_over(&self.door.is_closed) || is_over(&self.door.has_ended)
    }

    pub fn close(&self) {
        self.door.is_closed.store(true, Ordering::Release);
        self.door.ring(false);
    }

    /// Has this called whenever there is something to take, also if there is now.
    pub fn notify_with(&self, callback: impl Fn() + Send + Sync + 'static) {
        self.ask();
        self.door.callback.set(callback);
        if !self.receiver.is_empty() || self.is_closed() {
            self.door.callback.call();
        }
    }

    /// Waits until the daemon has dropped its side.
    pub fn wait_for_end(&self, by: Instant) {
        let has_ended = || self.door.has_ended.load(Ordering::Acquire).then_some(());
        let _ = self.door.bell.wait(Some(by), has_ended);
    }

    /// Somebody wants messages: from now on a full queue waits for them.
    pub fn ask(&self) {
        if !self.is_asked.load(Ordering::Relaxed) {
            self.is_asked.store(true, Ordering::Release);
        }
    }

    /// Returns how many bytes of messages of this size find room before somebody has to be waited for;
    /// `u64::MAX` if nobody waits for the program.
    pub fn room_for(&self, message: u64) -> u64 {
        let capacity = self.capacity.load(Ordering::Relaxed);
        if capacity == u64::MAX || !self.is_asked.load(Ordering::Relaxed) {
            return u64::MAX;
        }
        capacity.saturating_sub(self.receiver.len() as u64).saturating_mul(message)
    }

    /// A message was taken: the daemon may be waiting for that.
    pub fn took(&self) {
        if self.is_awaited.load(Ordering::Acquire) {
            self.nudge();
        }
    }

    /// Has the daemon look again if it waits for room.
    pub fn nudge(&self) {
        // Full means that a nudge is on its way already.
        let _ = self.room.0.try_send(());
    }
}

impl<M> Inlet<M> {
    /// Appends a message that pins this many bytes, waiting for room or dropping the oldest as the
    /// policy says. [`Inlet::ring`] wakes those who wait for it. `stop` is asked now and then: once
    /// true, it waits for nothing. Whether it waited.
    pub fn push(
        &mut self,
        outlet: &Outlet<M>,
        message: M,
        size: usize,
        stop: impl Fn() -> bool,
    ) -> bool {
        outlet.queued.fetch_add(1, Ordering::Relaxed);
        let waited = self.make_room(outlet, size, stop);
        // Fails only if nobody can receive any more.
        let _ = self.sender.send(message);
        self.backlog.put(size);
        outlet.capacity.store(self.backlog.capacity(), Ordering::Relaxed);
        self.unrung += 1;
        waited
    }

    /// Wakes those who wait in `recv`: once for all messages since the last time.
    pub fn ring(&mut self) {
        if self.unrung > 0 {
            self.door.0.ring(self.unrung == 1);
            self.unrung = 0;
        }
    }

    /// Whether messages were dropped since that was last asked.
    pub fn has_dropped(&self) -> bool {
        self.dropped > 0
    }

    /// How many messages were dropped since this was last asked.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn make_room(&mut self, outlet: &Outlet<M>, size: usize, stop: impl Fn() -> bool) -> bool {
        let mut has_waited = false;
        while let Some(wait) = self.must_wait(outlet, size) {
            if !wait || stop() {
                self.drop_oldest(outlet);
                continue;
            }
            self.ring();
            // Whoever takes a message from now on tells.
            outlet.is_awaited.store(true, Ordering::Release);
            has_waited = true;
            if self.must_wait(outlet, size) == Some(true) {
                // Told or not: look again.
                let _ = outlet.room.1.recv_timeout(LOOK_AGAIN);
            }
        }
        if has_waited {
            outlet.is_awaited.store(false, Ordering::Release);
        }
        has_waited
    }

    /// Whether to wait for room rather than drop the oldest message; `None` if there is room.
    fn must_wait(&mut self, outlet: &Outlet<M>, size: usize) -> Option<bool> {
        self.backlog.left(outlet.receiver.len());
        let is_asked = outlet.is_asked.load(Ordering::Acquire);
        let since = self.since;
        match self.backlog.offer(|| since.elapsed(), size, is_asked) {
            Offer::Put => None,
            Offer::WaitUntil(_) => Some(true),
            Offer::DropOldest => Some(false),
        }
    }

    fn drop_oldest(&mut self, outlet: &Outlet<M>) {
        self.backlog.left(outlet.receiver.len());
        if outlet.receiver.try_recv().is_ok() {
            self.backlog.dropped();
            self.dropped += 1;
            outlet.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
