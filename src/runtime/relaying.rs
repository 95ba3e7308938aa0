//! Relaying while the daemon is held up: by a handler, or by a full queue of the program.
//!
//! The daemon decides on a batch, which relays it, and then delivers it. Before it lets the program keep
//! it, it decides on everything that has arrived; until it is back, the links' own threads do. What they
//! decide on waits in a backlog, in its order. The backlog is bounded by the credit of the links. If the
//! daemon does not come back soon, some of that credit is returned, so that relays go on.

use std::mem::take;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::time::Duration;

use crossbeam_channel::Receiver;
use parking_lot::Mutex;

use super::backlog::{Arrived, Backlog};
use super::core::Core;
use super::inbox::Inbound;
use super::link::{Link, LinkRef, Mailbox};
use crate::link::actions::{Mailboxes, Outcome};
use crate::link::batch::{BatchWork, Decide};
use crate::node::event::Item;
use crate::node::{Event, LinkId};
use crate::trouble::Trouble;

/// After this time the credit of messages in the backlog is returned: sooner than their sources leave this
/// node behind, ...
const KEPT: Duration = Duration::from_millis(300);
/// ... and after this time a handler is reported.
const REPORTED: Duration = Duration::from_secs(1);
/// A link is charged no more for one turn, because the thread may have been interrupted in it.
const MOST_CHARGED: Duration = Duration::from_millis(10);

/// What keeps the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keeper {
    Handler,
    Queue,
}

/// The next work of the daemon.
pub(super) enum Work {
    /// To be delivered. The number is the bytes whose credit was returned.
    Batch(BatchWork<Arc<Link>>, usize),
    Finished(LinkId),
    Stop,
}

pub(crate) struct Relaying {
    inbox: Receiver<Inbound>,
    backlog: Mutex<Backlog>,
    /// When the daemon was held up, in nanoseconds of the clock; 0 if it is not.
    held_since: AtomicU64,
    is_in_handler: AtomicBool,
    /// Whether the user was told that a handler does not return.
    is_told: AtomicBool,
    /// When the accept thread was last asked to watch.
    watched: AtomicU64,
}

impl Relaying {
    pub fn new(inbox: Receiver<Inbound>) -> Self {
        Relaying {
            inbox,
            backlog: Mutex::default(),
            held_since: AtomicU64::new(0),
            is_in_handler: AtomicBool::new(false),
            is_told: AtomicBool::new(false),
            watched: AtomicU64::new(0),
        }
    }

    /// Returns whether there is work for the daemon.
    pub(super) fn has_work(&self) -> bool {
        !self.inbox.is_empty() || self.backlog.lock().has_work()
    }

    fn held_since(&self) -> Option<Duration> {
        let since = self.held_since.load(Ordering::SeqCst);
        (since > 0).then(|| Duration::from_nanos(since))
    }
}

impl Core {
    /// Returns the next work of the daemon. Batches are decided on here, the links in turn.
    pub(super) fn next_work(self: &Arc<Self>) -> Option<Work> {
        let mut backlog = self.relaying.backlog.lock();
        let work = match backlog.work.pop_front() {
            Some(work) => work,
            None => {
                // What comes after the word to stop would keep it from being heard.
                if !backlog.stops {
                    backlog.gather(&self.relaying.inbox);
                }
                self.decide(&mut backlog)?
            }
        };
        if let Work::Batch(_, returned) = &work {
            backlog.returned -= returned;
        }
        Some(work)
    }

    /// Decides on what the next link has handed in.
    fn decide(self: &Arc<Self>, backlog: &mut Backlog) -> Option<Work> {
        let Some(id) = backlog.turns.choose() else {
            return take(&mut backlog.stops).then_some(Work::Stop);
        };
        match backlog.turns.take(id)? {
            Arrived::Batch(link, batch) => {
                let begun = self.clock.mono();
                let work = BatchWork::begin(&mut Decider { core: self }, link, batch);
                let took = self.clock.mono().saturating_sub(begun);
                backlog.turns.charge(id, nanos(took.min(MOST_CHARGED)));
                Some(Work::Batch(work, 0))
            }
            Arrived::Finished => Some(Work::Finished(id)),
        }
    }

    /// Notes that the program is about to keep the daemon, and relays what has arrived.
    pub fn hold_up(self: &Arc<Self>, by: Keeper) {
        let relaying = &self.relaying;
        if relaying.held_since.load(Ordering::Relaxed) == 0 {
            let now = nanos(self.clock.mono()).max(1);
            relaying.is_in_handler.store(by == Keeper::Handler, Ordering::SeqCst);
            relaying.held_since.store(now, Ordering::SeqCst);
            if now.saturating_sub(relaying.watched.load(Ordering::Relaxed)) > nanos(KEPT) {
                relaying.watched.store(now, Ordering::Relaxed);
                // Fails only if the accept thread is gone.
                let _ = self.alarm.wake();
            }
        }
        self.relay_on();
    }

    /// Notes that the daemon goes on.
    pub fn go_on(&self) {
        self.relaying.held_since.store(0, Ordering::SeqCst);
        if self.relaying.is_told.swap(false, Ordering::SeqCst) {
            self.trouble_over(&Trouble::HandlerBlocks);
        }
    }

    /// Relays what has arrived, if the daemon is held up. Never waits: if another thread relays, that one
    /// looks again.
    pub(super) fn relay_on(self: &Arc<Self>) {
        // Either we see here that the daemon is held up, or it sees what was put into its channel.
        fence(Ordering::SeqCst);
        while let Some(since) = self.relaying.held_since() {
            let Some(mut backlog) = self.relaying.backlog.try_lock() else { return };
            let arrived = backlog.gather(&self.relaying.inbox);
            while let Some(work) = self.decide(&mut backlog) {
                backlog.work.push_back(work);
            }
            if self.clock.mono() >= since.saturating_add(KEPT) {
                backlog.return_credit(&mut Decider { core: self });
            }
            drop(backlog);
            if arrived > 0 {
                self.wake_held();
                self.inbox.ring();
            }
            fence(Ordering::SeqCst);
            if self.relaying.inbox.is_empty() {
                return;
            }
        }
    }

    /// Looks, in the accept thread, whether the daemon is held up for long. Returns when to look again.
    pub(super) fn watch_daemon(self: &Arc<Self>) -> Option<Duration> {
        let relaying = &self.relaying;
        let now = self.clock.mono();
        let Some(since) = relaying.held_since() else {
            // Until then nobody wakes this thread again.
            let until = Duration::from_nanos(relaying.watched.load(Ordering::Relaxed)) + KEPT;
            return (now < until).then_some(until);
        };
        if now < since.saturating_add(KEPT) {
            return Some(since.saturating_add(KEPT));
        }
        self.relay_on();
        let is_late = now >= since.saturating_add(REPORTED);
        let is_handler = is_late && relaying.is_in_handler.load(Ordering::SeqCst);
        if is_handler && !relaying.is_told.swap(true, Ordering::SeqCst) {
            self.trouble(Trouble::HandlerBlocks);
            // It may have returned meanwhile, and not have seen that there was something to end.
            if relaying.held_since() != Some(since) {
                relaying.is_told.store(false, Ordering::SeqCst);
                self.trouble_over(&Trouble::HandlerBlocks);
            }
        }
        Some(now + KEPT)
    }
}

fn nanos(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX)
}

/// Has the node decide on batches.
pub(super) struct Decider<'a> {
    pub core: &'a Arc<Core>,
}

impl Mailboxes for Decider<'_> {
    type Tag = ();
    type LinkRef = LinkRef;
    type Link = Arc<Link>;

    fn refer(link: &Arc<Link>) -> LinkRef {
        LinkRef::to(link)
    }

    fn mailbox<R>(&mut self, link: &Arc<Link>, ask: impl FnOnce(&mut Mailbox) -> R) -> Option<R> {
        Some(link.mailbox(ask))
    }

    fn wake(&mut self, link: &Arc<Link>) {
        link.wake();
    }
}

impl Decide for Decider<'_> {
    fn now(&self) -> Duration {
        self.core.clock.mono()
    }

    /// Takes the node's lock once for all of them.
    fn decide(&mut self, link: &Arc<Link>, items: Vec<((), Item)>) -> Outcome<Arc<Link>> {
        touch_all(&items);
        let ((), mut after) = self.core.step(|state, now| {
            for ((), item) in items {
                state.node.handle(now, Event::read(link.id, item));
            }
        });
        let outcome = &mut after.outcome;
        let (deliver, throttling) = (take(&mut outcome.deliver), take(&mut outcome.throttling));
        after.run(self.core);
        Outcome { deliver, throttling, ..Outcome::default() }
    }
}

/// Brings messages, which another thread read, to this one's core: all at once, rather than one after
/// the other while the node's lock is held.
fn touch_all(items: &[((), Item)]) {
    let touched = items.iter().flat_map(|((), item)| item).map(|envelope| envelope.touch());
    std::hint::black_box(touched.fold(0, usize::wrapping_add));
}
