//! The queue between the daemon and `recv`.
//!
//! It is a crossbeam channel, so that a user can `select!` on it. The daemon alone accounts for
//! its bytes: the channel's length tells it how many messages have left, and it knows their
//! sizes in order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Select, Sender, TryRecvError, TrySendError, bounded};
use parking_lot::Mutex;

use crate::config::Config;
use crate::message::Message;
use crate::options::Overflow;

/// How soon the daemon looks again while it waits for a receiver that reads the channel directly
/// and so cannot say that it took something. Only ever used when the queue is full.
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// The side of those who receive.
#[derive(Debug)]
pub(crate) struct Outlet {
    pub receiver: Receiver<Message>,
    is_asked: AtomicBool,
    is_awaited: AtomicBool,
    room: (Sender<()>, Receiver<()>),
    /// Disconnected when the socket closes: wakes whoever waits in `recv`.
    closing: Mutex<Option<Sender<Never>>>,
    closed: Receiver<Never>,
    /// Disconnected when the daemon has ended.
    ended: Receiver<Never>,
    pub queued: AtomicU64,
    pub dropped: AtomicU64,
}

/// Never sent.
#[derive(Debug, PartialEq)]
pub(crate) enum Never {}

/// The daemon's side.
#[derive(Debug)]
pub(crate) struct Inlet {
    sender: Sender<Message>,
    sizes: VecDeque<usize>,
    bytes: usize,
    max_bytes: usize,
    overflow: Overflow,
    patience: Duration,
    is_abandoned: bool,
    dropped: u64,
    _end: Sender<Never>,
}

/// What waiting led to.
#[derive(Debug)]
pub(crate) enum Waited {
    Message(Message),
    TimedOut,
    Closed,
}

pub(crate) fn queue(config: &Config) -> (Inlet, Outlet) {
    let (sender, receiver) = bounded(config.queue_len.max(1));
    let (closing, closed) = bounded(0);
    let (end, ended) = bounded(0);
    let inlet = Inlet {
        sender,
        sizes: VecDeque::new(),
        bytes: 0,
        max_bytes: config.queue_bytes,
        overflow: config.overflow,
        patience: config.queue_patience,
        is_abandoned: false,
        dropped: 0,
        _end: end,
    };
    let outlet = Outlet {
        receiver,
        is_asked: AtomicBool::new(false),
        is_awaited: AtomicBool::new(false),
        room: bounded(1),
        closing: Mutex::new(Some(closing)),
        closed,
        ended,
        queued: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
    };
    (inlet, outlet)
}

impl Outlet {
    /// Waits for a message; `None` once the socket is closed and the queue empty, or at the
    /// deadline.
    pub fn wait(&self, deadline: Option<Instant>) -> Waited {
        self.ask();
        let mut select = Select::new();
        select.recv(&self.receiver);
        select.recv(&self.closed);
        loop {
            if let Some(message) = self.try_take() {
                return Waited::Message(message);
            }
            if self.is_closed() {
                return self.try_take().map_or(Waited::Closed, Waited::Message);
            }
            let ready = match deadline {
                Some(deadline) => select.ready_deadline(deadline).is_ok(),
                None => {
                    select.ready();
                    true
                }
            };
            if !ready {
                return self.try_take().map_or(Waited::TimedOut, Waited::Message);
            }
        }
    }

    /// A message that waits, if there is one.
    pub fn try_take(&self) -> Option<Message> {
        let message = self.receiver.try_recv().ok()?;
        self.took();
        Some(message)
    }

    /// Whether nothing will be added any more: the socket is closed, or its daemon has ended.
    pub fn is_closed(&self) -> bool {
        let is_over = |end: &Receiver<Never>| end.try_recv() == Err(TryRecvError::Disconnected);
        is_over(&self.closed) || is_over(&self.ended)
    }

    pub fn close(&self) {
        self.closing.lock().take();
    }

    /// Waits until the daemon has dropped its side.
    pub fn wait_for_end(&self, by: Instant) {
        // Nothing is ever sent: this returns when the inlet is dropped, or at the deadline.
        let _ = self.ended.recv_deadline(by);
    }

    /// Somebody wants messages: from now on a full queue waits for them.
    pub fn ask(&self) {
        if !self.is_asked.load(Ordering::Relaxed) {
            self.is_asked.store(true, Ordering::Release);
        }
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

impl Inlet {
    /// Appends a message, waiting for room or dropping the oldest as the policy says. `stop` is
    /// asked now and then: once true, it waits for nothing.
    pub fn push(&mut self, outlet: &Outlet, message: Message, stop: impl Fn() -> bool) {
        let size = message.pinned();
        outlet.queued.fetch_add(1, Ordering::Relaxed);
        self.make_room(outlet, size, stop);
        let mut message = message;
        while let Err(TrySendError::Full(back)) = self.sender.try_send(message) {
            self.drop_oldest(outlet);
            message = back;
        }
        self.sizes.push_back(size);
        self.bytes += size;
    }

    /// Whether messages were dropped since that was last asked.
    pub fn has_dropped(&self) -> bool {
        self.dropped > 0
    }

    /// How many messages were dropped since this was last asked.
    pub fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }

    fn make_room(&mut self, outlet: &Outlet, size: usize, stop: impl Fn() -> bool) {
        self.settle(outlet);
        if self.has_room(outlet, size) {
            return;
        }
        // What was full before this message came does not count: nobody was being waited for.
        let mut since = Instant::now();
        outlet.is_awaited.store(true, Ordering::Release);
        while !self.has_room(outlet, size) {
            self.is_abandoned |= self.is_over(outlet, since);
            if stop() || self.is_abandoned || self.overflow == Overflow::DropOldest {
                self.drop_oldest(outlet);
            } else {
                // Nudged or not: look again.
                let _ = outlet.room.1.recv_timeout(LOOK_AGAIN);
            }
            if self.settle(outlet) {
                since = Instant::now();
            }
        }
        outlet.is_awaited.store(false, Ordering::Release);
    }

    /// Whether waiting has no point any more: nobody ever received, or nobody has for long. It
    /// stays so until a message is taken.
    fn is_over(&self, outlet: &Outlet, since: Instant) -> bool {
        let is_asked = outlet.is_asked.load(Ordering::Acquire);
        self.overflow == Overflow::Auto && (!is_asked || since.elapsed() >= self.patience)
    }

    /// An empty queue takes a message of any size.
    fn has_room(&self, outlet: &Outlet, size: usize) -> bool {
        let waiting = outlet.receiver.len();
        let capacity = outlet.receiver.capacity().unwrap_or(usize::MAX);
        waiting == 0 || (waiting < capacity && self.bytes + size <= self.max_bytes)
    }

    /// Forgets the sizes of messages that were taken; whether there were any.
    fn settle(&mut self, outlet: &Outlet) -> bool {
        let taken = self.sizes.len().saturating_sub(outlet.receiver.len());
        self.bytes -= self.sizes.drain(..taken).sum::<usize>();
        if taken > 0 {
            self.is_abandoned = false;
        }
        taken > 0
    }

    fn drop_oldest(&mut self, outlet: &Outlet) {
        if outlet.receiver.try_recv().is_ok() {
            self.bytes -= self.sizes.pop_front().unwrap_or(0);
            self.dropped += 1;
            outlet.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}
