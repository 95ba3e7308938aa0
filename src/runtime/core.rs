//! What all threads of a socket share: the node behind its one lock, and the carrying out of its
//! actions.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::time::Duration;

use crossbeam_channel::Sender;
use mio::{Poll, Waker};
use parking_lot::{Condvar, Mutex};

use super::after_lock::AfterLock;
use super::clock::Clock;
use super::counters::Counters;
use super::inbox::Inbox;
use super::journal::Journal;
use super::link::Link;
use super::link_thread::Start;
use super::memory::Arrivals;
use super::relaying::Relaying;
use super::resolver::Resolver;
use super::shutdown::Phase;
use super::sink::Program;
use super::slot::Slot;
use super::threads::Threads;
use super::tls::TlsKit;
use super::trace::Trace;
use crate::config::Config;
use crate::id::NodeId;
use crate::link::reading::Head;
use crate::node::{ConnectId, Event, Failure, LinkId, Node, Now, TicketId};
use crate::outward::Outward;
use crate::protocol::Protocol;

pub(crate) struct Core {
    pub id: NodeId,
    pub protocol: Protocol,
    /// How links are encrypted, if they are.
    pub tls: Option<TlsKit>,
    pub outward: Outward,
    pub local_addr: SocketAddr,
    pub config: Config,
    pub clock: Clock,
    pub trace: Trace,
    pub counters: Counters,
    pub journal: Journal,
    /// The program's end of what the node delivers.
    pub outlet: Arc<dyn Program>,
    pub inbox: Inbox,
    pub(super) relaying: Relaying,
    pub(super) arrivals: Arrivals,
    pub threads: Threads,
    pub resolver: Resolver,
    pub phase: Phase,
    pub(super) state: Mutex<State>,
    /// Peers came, went, or the socket is closing.
    pub(super) peers_changed: Condvar,
    /// Wakes the accept thread, which keeps the time.
    pub(super) alarm: Waker,
    /// A link holds a batch because the daemon's channel is full.
    pub(super) held: AtomicBool,
}

/// What the node's lock guards. Lock order: this, then a link's mailbox, see [`Link`].
pub(crate) struct State {
    pub node: Node,
    pub links: BTreeMap<LinkId, Arc<Link>>,
    /// Users that wait in `connect`.
    pub connects: HashMap<ConnectId, Sender<Result<NodeId, Failure>>>,
    /// Replies that wait for a route.
    pub tickets: HashMap<TicketId, Arc<Slot>>,
    /// Links that were made under the lock; their threads are started after it.
    pub(super) starting: Vec<(Arc<Link>, Poll, Start)>,
    /// When the accept thread will look at the node again.
    pub(super) alarm_at: Option<Duration>,
}

impl State {
    pub fn new(node: Node) -> Self {
        State {
            node,
            links: BTreeMap::new(),
            connects: HashMap::new(),
            tickets: HashMap::new(),
            starting: Vec::new(),
            alarm_at: None,
        }
    }
}

impl Core {
    /// Asks the node something, under its lock, and carries out what it wants.
    pub fn act<R>(self: &Arc<Self>, ask: impl FnOnce(&mut State, Now) -> R) -> R {
        let (answer, after) = self.step(ask);
        after.run(self);
        answer
    }

    /// Does the part of [`Core::act`] that needs the lock. Messages are in their queues when it
    /// returns, in the node's order; what takes longer is left for after the lock.
    pub fn step<R>(self: &Arc<Self>, ask: impl FnOnce(&mut State, Now) -> R) -> (R, AfterLock) {
        let mut after = AfterLock::default();
        let mut state = self.state.lock();
        let now = self.clock.now();
        let answer = ask(&mut state, now);
        state.carry_out(self, now, &mut after);
        after.start.append(&mut state.starting);
        let deadline = state.node.next_deadline();
        if deadline.is_some_and(|at| state.alarm_at.is_none_or(|alarm| at < alarm)) {
            state.alarm_at = deadline;
            after.ring = true;
        }
        (answer, after)
    }

    /// Tells the node what happened.
    pub fn tell(self: &Arc<Self>, event: Event) {
        self.act(|state, now| state.node.handle(now, event));
    }

    /// Looks at the node and changes nothing.
    pub fn look<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.lock())
    }

    /// Waits until `done`, or the deadline. Returns what `done` said last.
    pub fn wait_for_peers(
        &self,
        deadline: std::time::Instant,
        done: impl Fn(&State) -> bool,
    ) -> bool {
        let mut state = self.state.lock();
        while !done(&state) {
            if self.peers_changed.wait_until(&mut state, deadline).timed_out() {
                return done(&state);
            }
        }
        true
    }

    /// Drops what has been here before, so that it is not even hashed.
    /// The node may have something to say to who sent it.
    pub(super) fn drop_duplicates(self: &Arc<Self>, link: LinkId, heads: &mut Vec<Head<()>>) {
        self.act(|state, now| heads.retain(|((), head)| !state.node.is_known(now, link, head)));
    }

    /// Makes the link that the node has numbered; its thread is started after the lock.
    pub(super) fn make_link(
        &self,
        state: &mut State,
        id: LinkId,
        start: Start,
    ) -> std::io::Result<()> {
        let poll = Poll::new()?;
        let link = Link::new(id, &poll, &self.config)?;
        state.links.insert(id, Arc::clone(&link));
        state.starting.push((link, poll, start));
        Ok(())
    }

    pub(super) fn forget_link(&self, link: LinkId) {
        self.state.lock().links.remove(&link);
    }

    /// A link holds a batch because the daemon's channel is full.
    pub(super) fn note_held(&self) {
        self.held.store(true, Ordering::SeqCst);
        // Either the daemon sees the note after its next message, or we see here that it took its
        // last one before: then nobody else would look again.
        fence(Ordering::SeqCst);
        if self.inbox.is_empty() {
            self.wake_held();
        }
    }

    /// There is room in the daemon's channel again.
    pub(super) fn wake_held(&self) {
        fence(Ordering::SeqCst);
        if self.held.load(Ordering::SeqCst) && self.held.swap(false, Ordering::SeqCst) {
            self.look(|state| state.links.values().for_each(|link| link.wake()));
        }
    }
}

impl std::fmt::Debug for Core {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Core").field("id", &self.id).finish_non_exhaustive()
    }
}
