//! A link as threads share it: its mailbox and its connection, each behind a lock, and its wake.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Instant;

use mio::{Poll, Token, Waker};
use parking_lot::{Condvar, Mutex};

use super::awake::Awake;
use super::counters::Counters;
use super::memory::Arriving;
use super::progress::Progress;
use super::stream::Stream;
use crate::config::Config;
use crate::link::mailbox::{self, MailboxAccess, Order};
use crate::link::outgoing::{Freed, Outgoing};
use crate::link::writing::Writing;
use crate::node::LinkId;

/// The poll's token for the waker; the stream's is [`STREAM`].
pub(super) const WAKE: Token = Token(0);
pub(super) const STREAM: Token = Token(1);

/// What others leave for a link's thread.
pub(super) type Mailbox = mailbox::Mailbox<LinkRef, ()>;

/// What is queued on a link.
pub(crate) type Queue = Outgoing<LinkRef, ()>;

/// How one link refers to another.
#[derive(Clone, Debug)]
pub(crate) struct LinkRef(Weak<Link>);

impl LinkRef {
    pub fn to(link: &Arc<Link>) -> Self {
        LinkRef(Arc::downgrade(link))
    }

    pub fn upgrade(&self) -> Option<Arc<Link>> {
        self.0.upgrade()
    }
}

impl PartialEq for LinkRef {
    fn eq(&self, other: &Self) -> bool {
        self.0.ptr_eq(&other.0)
    }
}

/// What waiting for a queue led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flush {
    Written,
    /// The link ends, or gave way: what was queued may be on another link.
    Ended,
    TimedOut,
}

/// The locks of a link. Their order: the node's state or `port`, then `mailbox`; never two of a kind.
/// None is held while its thread waits.
#[derive(Debug)]
pub(crate) struct Link {
    pub id: LinkId,
    mailbox: Mutex<Mailbox>,
    /// Signalled when senders that wait for room may continue.
    room: Condvar,
    /// For those who wait in [`Link::flush`].
    progress: Progress,
    /// `None` until the stream is up, and after it is closed.
    pub(super) port: Mutex<Option<Port>>,
    awake: Awake,
    waker: Waker,
    /// Memory of large frames that arrive.
    pub(super) arriving: Arriving,
}

impl PartialEq for Link {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

/// A connection, and what is being written to it.
#[derive(Debug)]
pub(super) struct Port {
    pub stream: Stream,
    pub writing: Writing<()>,
}

impl Link {
    pub fn new(id: LinkId, poll: &Poll, config: &Config) -> io::Result<Arc<Self>> {
        Ok(Arc::new(Link {
            id,
            mailbox: Mutex::new(Mailbox::new(config)),
            room: Condvar::new(),
            progress: Progress::default(),
            port: Mutex::new(None),
            awake: Awake::default(),
            waker: Waker::new(poll.registry(), WAKE)?,
            arriving: Arriving::default(),
        }))
    }

    /// Wakes the link's thread: there is something on its mailbox.
    pub fn wake(&self) {
        if self.awake.call() {
            // A waker fails only if the poll is gone, and then so is the thread.
            let _ = self.waker.wake();
        }
    }

    /// Notes that the link's thread is about to look at everything.
    pub(super) fn look(&self) {
        self.awake.look();
    }

    /// Notes that the link's thread has looked at everything; false if there is more since.
    pub(super) fn sleep(&self) -> bool {
        self.awake.sleep()
    }

    pub fn mailbox<R>(&self, ask: impl FnOnce(&mut Mailbox) -> R) -> R {
        ask(&mut self.mailbox.lock())
    }

    /// Writes what is queued, here and now, if nobody else is writing and more is not about to
    /// follow; otherwise the link's thread does. Saves a switch of threads; never waits. Returns
    /// whether it wrote.
    pub fn write_now(&self, counters: &Counters) -> bool {
        let is_written = self.mailbox(|mailbox| mailbox.writes_now()) && self.try_write(counters);
        if !is_written {
            self.wake();
        }
        is_written
    }

    /// Writes what is queued; false if another thread is writing, or the link compresses.
    fn try_write(&self, counters: &Counters) -> bool {
        let Some(mut port) = self.port.try_lock() else { return false };
        let Some(Port { stream, writing }) = port.as_mut() else { return false };
        let flush = writing.flush_plain(stream, &mut &self.mailbox);
        drop(port);
        let Some(flush) = flush else { return false };
        let is_complete = flush.is_complete();
        counters.wrote(flush.bytes);
        self.wake_freed(flush.freed);
        // Whatever is left, or wrong, is the thread's business.
        if !is_complete {
            self.wake();
        }
        true
    }

    /// Wakes those who waited for this link's queue. To be called whenever something was written, or
    /// never will be.
    pub(super) fn wake_freed(&self, freed: Freed<LinkRef>) {
        self.progress.note();
        if freed.has_drained {
            self.room.notify_all();
        }
        freed.throttled.iter().filter_map(LinkRef::upgrade).for_each(|link| link.wake());
    }

    /// Has the link end, if it has not been told to: it takes nothing more.
    pub fn end(&self, order: Order<LinkRef>) {
        let freed = self.mailbox(|mailbox| {
            mailbox.order(order);
            mailbox.outgoing.refuse_more()
        });
        self.wake_freed(freed);
        self.wake();
    }

    /// Closes the connection.
    pub(super) fn close_port(&self) {
        self.port.lock().take();
        self.progress.note();
    }

    /// Waits until all that is queued now was handed to the system, or the link ends.
    pub fn flush(&self, deadline: Instant) -> Flush {
        let mut mark = self.mailbox(|mailbox| mailbox.outgoing.mark());
        let has_passed = || self.mailbox(|mailbox| mailbox.outgoing.has_passed(&mut mark));
        let is_taken = self.progress.wait(deadline, has_passed);
        // Encryption has a buffer of its own, below the queue.
        let sent = || self.with_port(|stream, writing, _| writing.sent(stream));
        let goal = self.with_port(|_, writing, _| writing.written());
        let is_sent = is_taken
            && self.progress.wait(deadline, || sent().is_none_or(|sent| Some(sent) >= goal));
        match (is_sent, self.mailbox(|mailbox| mailbox.outgoing.is_sealed())) {
            (false, _) => Flush::TimedOut,
            (true, true) => Flush::Ended,
            (true, false) => Flush::Written,
        }
    }

    /// Waits until senders may continue, or the link ends; false if neither happened in time.
    pub fn wait_for_room(&self, deadline: Instant) -> bool {
        let mut mailbox = self.mailbox.lock();
        while !mailbox.outgoing.lets_resume() {
            if self.room.wait_until(&mut mailbox, deadline).timed_out() {
                return mailbox.outgoing.takes_own();
            }
        }
        true
    }
}

impl MailboxAccess<LinkRef, ()> for &Mutex<Mailbox> {
    fn with<R>(&mut self, ask: impl FnOnce(&mut Mailbox) -> R) -> R {
        ask(&mut self.lock())
    }
}

impl Link {
    /// Uses the connection, the writing end and the mailbox together; `None` if the connection is
    /// closed.
    pub(super) fn with_port<R>(
        &self,
        ask: impl FnOnce(&mut Stream, &mut Writing<()>, &Mutex<Mailbox>) -> R,
    ) -> Option<R> {
        let mut port = self.port.lock();
        let Port { stream, writing } = port.as_mut()?;
        Some(ask(stream, writing, &self.mailbox))
    }
}
