//! Stopping, in one order: no new work; the daemon relays and delivers what has arrived; the
//! links write what is queued and close; every thread is joined; the handlers are dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use super::core::Core;
use super::fork_guard::ForkGuard;
use super::link::Link;
use crate::close_report::CloseReport;
use crate::error::{Error, Result};
use crate::link::mailbox::Order;

/// A handler that still runs after this is left behind.
const HANDLER_GRACE: Duration = Duration::from_secs(1);
/// What links have at least to write what is queued, once everybody has been told.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Beyond `linger`, what a link's thread may take to end.
const LINK_GRACE: Duration = Duration::from_millis(700);

/// How far the socket is: open, closing, closed with a report.
#[derive(Debug)]
pub(crate) struct Phase {
    home: ForkGuard,
    is_closing: AtomicBool,
    has_stopped: AtomicBool,
    report: Mutex<Option<CloseReport>>,
    closed: Condvar,
}

impl Default for Phase {
    fn default() -> Self {
        let is_closing = AtomicBool::new(false);
        let (report, closed) = (Mutex::new(None), Condvar::new());
        let has_stopped = AtomicBool::new(false);
        Phase { home: ForkGuard::here(), is_closing, has_stopped, report, closed }
    }
}

impl Phase {
    /// Returns whether this is the process that bound the socket.
    pub fn is_home(&self) -> bool {
        self.home.is_here()
    }

    /// Returns the same for calls that are made for every message, see [`ForkGuard::is_here_at`].
    pub fn is_home_at(&self, now: Duration) -> bool {
        self.home.is_here_at(now)
    }

    /// Fails if the socket is closed, or belongs to another process.
    pub fn check(&self) -> Result<()> {
        if self.is_home() { self.check_open() } else { Err(Error::Forked) }
    }

    /// Fails as [`Phase::check`] does; for calls that are made for every message.
    pub fn check_at(&self, now: Duration) -> Result<()> {
        if self.is_home_at(now) { self.check_open() } else { Err(Error::Forked) }
    }

    fn check_open(&self) -> Result<()> {
        if self.is_open() { Ok(()) } else { Err(Error::Closed) }
    }

    pub fn is_open(&self) -> bool {
        !self.is_closing.load(Ordering::Acquire)
    }

    /// Returns whether links may still be made and timers still run, which is so while `close`
    /// waits for replies.
    pub fn goes_on(&self) -> bool {
        !self.has_stopped.load(Ordering::Acquire)
    }

    fn stop(&self) {
        self.has_stopped.store(true, Ordering::Release);
    }

    /// True for the one caller that is to carry out the closing.
    fn begin(&self) -> bool {
        !self.is_closing.swap(true, Ordering::AcqRel)
    }

    fn end(&self, report: CloseReport) {
        *self.report.lock() = Some(report);
        self.closed.notify_all();
    }

    fn wait(&self) -> CloseReport {
        let mut report = self.report.lock();
        loop {
            if let Some(report) = report.as_ref() {
                return report.clone();
            }
            self.closed.wait(&mut report);
        }
    }
}

impl Core {
    /// Closes and waits until it is done. From one of the socket's own threads it only begins.
    pub fn close(self: &Arc<Self>) -> Option<CloseReport> {
        if self.threads.is_mine() {
            self.close_in_background();
            return None;
        }
        if self.phase.begin() {
            self.carry_out_close();
        }
        let report = self.phase.wait();
        // The thread that closed in the background ends now, if there was one.
        self.threads.join_others(Instant::now() + LINK_GRACE);
        Some(report)
    }

    /// Begins to close and returns.
    pub fn close_in_background(self: &Arc<Self>) {
        if !self.phase.begin() {
            return;
        }
        let core = Arc::clone(self);
        let builder = thread::Builder::new().name("rs2p-close".into());
        if self.threads.add(builder, move || core.carry_out_close()).is_err() {
            // No thread to be had: everybody stops, and nobody is waited for.
            self.outlet.close();
            self.stop_all(self.clock.mono());
            self.journal.close();
            self.phase.end(CloseReport::default());
        }
    }

    fn carry_out_close(self: &Arc<Self>) {
        let (begun, unsent_before) = (Instant::now(), self.counters.unsent());
        // Links have been writing all the while: a handler that takes its time takes it from this.
        let linger = self.clock.mono() + self.config.linger;
        self.wait_for_replies(begun + self.config.linger);
        self.stop_daemon(Instant::now() + HANDLER_GRACE);
        // What the last reply led to still has to be written.
        let unsent_replies = self.stop_all(linger.max(self.clock.mono() + LAST_WORDS));
        let by = Instant::now().max(begun + self.config.linger) + LINK_GRACE;
        let left_behind = self.threads.join_others(by);
        self.outlet.drop_handlers();
        self.journal.close();
        let unsent_frames = self.counters.unsent() - unsent_before;
        self.phase.end(CloseReport { unsent_frames, unsent_replies, left_behind });
    }

    /// Waits until all messages to single nodes are taken or given up.
    fn wait_for_replies(&self, by: Instant) {
        self.wait_for_peers(by, |state| state.tickets.is_empty());
    }

    /// Lets the daemon finish what has arrived, unless a handler takes too long.
    fn stop_daemon(&self, by: Instant) {
        self.outlet.hurry();
        if self.inbox.stop(by) {
            self.outlet.wait_for_end(by);
        }
        self.outlet.close();
    }

    /// Everybody who waits is told, the accept thread and the links end; how many replies are given
    /// up.
    fn stop_all(self: &Arc<Self>, linger: Duration) -> u64 {
        let (links, replies) = self.act(|state, now| {
            let replies = state.tickets.len() as u64;
            state.node.say_goodbye(now);
            state.node.close();
            (state.links.values().cloned().collect::<Vec<Arc<Link>>>(), replies)
        });
        for link in links {
            link.end(Order::Linger { until: linger });
        }
        self.phase.stop();
        self.peers_changed.notify_all();
        // Fails only if the accept thread has ended already.
        let _ = self.alarm.wake();
        replies
    }
}
