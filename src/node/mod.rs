//! The node: what a mesh socket decides, without I/O, clock, thread, lock or randomness of its own.
//!
//! [`Node::handle`] takes an event, and the methods in `commands.rs` take the requests of the user.
//! After each, [`Node::poll_action`] returns the actions to carry out, in order, and
//! [`Node::next_deadline`] the time of the next tick. The same node runs under the daemon thread
//! and, by the thousand, in the simulator.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub(crate) mod address_book;
mod admission;
mod allowances;
mod attempts;
pub(crate) mod bucket;
pub(crate) mod clocks;
mod commands;
mod contact;
pub(crate) mod dialable;
mod dialling;
pub(crate) mod discovery;
mod double_links;
mod doubts;
mod ending;
pub(crate) mod event;
mod exchange;
mod faults;
mod find_node;
mod handshake;
mod hints;
#[cfg(feature = "sim")]
mod inspecting;
pub(crate) mod keyed_hash;
mod links;
mod malformed;
mod member_lists;
mod pacing;
mod parting;
pub(crate) mod peer;
mod presence;
mod proving;
mod publishing;
pub(crate) mod reconnect;
mod relay;
mod replies;
mod reply_paths;
pub(crate) mod requests;
mod retries;
pub(crate) mod rng;
mod roster;
mod routes;
mod routing_table;
mod samples;
pub(crate) mod seen;
mod settings;
mod spreading;
mod stage;
#[cfg(test)]
mod tests;
pub(crate) mod time;
mod timers;
pub(crate) mod tree;
mod unheard;
mod waiting;
mod waits;

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

pub(crate) use crate::error::Failure;
use address_book::AddressBook;
pub(crate) use commands::{Connecting, Dispatch, SendPath};
pub(crate) use event::{
    Action, Channel, ConnectId, Event, LinkId, LinkSettings, Parcel, Target, TicketId,
};
use keyed_hash::KeyedHash;
use links::Links;
use peer::IdSource;
pub(crate) use publishing::Dated;
use reply_paths::ReplyPaths;
use requests::Requests;
use rng::Rng;
use routes::Routes;
use routing_table::RoutingTable;
use seen::SeenCache;
pub(crate) use time::Now;
use timers::{Timer, Timers};
use tree::Tree;
use waits::Waits;

use crate::cause::Cause;
use crate::config::Config;
use crate::id::NodeId;
use crate::options::Flag;
use crate::packet::Packet;
use crate::protocol::Protocol;
use crate::secret::Key;
use crate::stats::Stats;
use crate::tally::Tally;
use crate::trouble::Trouble;
use crate::wire::{Draft, HostPort};

/// The time between two removals of old message ids.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// The identity of this node.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub id: NodeId,
    /// The mesh. The other end of a link must have the same protocol id.
    pub protocol: Protocol,
    /// Where other nodes can dial this one, unless a link knows a better address.
    pub addr: HostPort,
}

#[derive(Debug)]
pub(crate) struct Node {
    me: Identity,
    /// Derived from the secret of a private mesh.
    key: Option<Key>,
    config: Config,
    links: Links,
    table: RoutingTable,
    seen: SeenCache,
    tree: Tree,
    book: AddressBook,
    requests: Requests,
    routes: Routes,
    presence: Option<Box<presence::Presence>>,
    retries: BTreeMap<u64, retries::Retry>,
    passages: ReplyPaths,
    asking: discovery::Asking,
    exchanges: exchange::Exchanges,
    waits: Waits,
    /// Until then large frames have no time of their own.
    no_slack: Duration,
    timers: Timers,
    is_sweeping: bool,
    actions: VecDeque<Action>,
    ids: IdSource,
    rng: Rng,
    stats: Stats,
    /// Peers that the user disconnected: they are not accepted again.
    shunned: VecDeque<NodeId>,
    is_alone: bool,
    /// Whether the user was told that there is no peer though one is wanted.
    misses_peers: bool,
    /// The trouble that was reported because clocks differ.
    clock_trouble: Option<Trouble>,
    /// When the user was last told that ids were evicted from the seen cache.
    told_of_ids: Option<Duration>,
    is_closed: bool,
}

impl Node {
    pub fn new(me: Identity, config: Config, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let seen = SeenCache::new(config.seen_ids, KeyedHash::new(&mut rng));
        let waits = Waits::new(config.pace_window);
        Node {
            me,
            key: None,
            tree: Tree::new(config.lazy_bytes, KeyedHash::new(&mut rng)),
            presence: config.presence.as_ref().map(|_| Box::default()),
            config,
            links: Links::default(),
            table: RoutingTable::default(),
            seen,
            book: AddressBook::new(seed.rotate_left(32)),
            requests: Requests::default(),
            routes: Routes::new(KeyedHash::new(&mut rng)),
            passages: ReplyPaths::default(),
            retries: BTreeMap::new(),
            asking: discovery::Asking::default(),
            exchanges: exchange::Exchanges::new(seed.rotate_left(16)),
            waits,
            no_slack: Duration::ZERO,
            timers: Timers::default(),
            is_sweeping: false,
            actions: VecDeque::new(),
            ids: IdSource::default(),
            rng,
            stats: Stats::default(),
            shunned: VecDeque::new(),
            is_alone: false,
            misses_peers: false,
            clock_trouble: None,
            told_of_ids: None,
            is_closed: false,
        }
    }

    /// Handles an event. The caller polls all actions afterwards.
    pub fn handle(&mut self, now: Now, event: Event) {
        self.expire(now);
        match event {
            Event::Resolved { link, name, addrs } => self.resolved(link, &name, addrs),
            Event::Unreached { link, addr, cause } => self.unreached(link, addr, cause),
            Event::Placed { link, way } => self.placed(now, link, way),
            Event::Secured { link, channel } => self.secured(link, channel),
            Event::Opened { link } => self.opened(now, link),
            Event::Received { link, envelope } => {
                self.count(now, link, |node| node.received(now, link, envelope))
            }
            Event::Malformed { link, why } => {
                self.count(now, link, |node| node.malformed(now, link, &why))
            }
            Event::HungUp { link } => self.hung_up(now, link),
            Event::Lost { link, cause } => self.lost(now, link, cause),
            Event::Finished { link } => self.finished(link),
            Event::Pace { link, word } => self.tell_pace(now, link, word),
            Event::PaceChanged { link, change } => self.pace_changed(now, link, change),
            Event::Greedy { link } => self.close_link(now, link, Cause::MemoryFull),
            Event::Tick => {}
        }
    }

    /// Returns the next action to carry out.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// Returns the actions that were not polled yet, for a node of the simulator that lies.
    #[cfg(feature = "sim")]
    pub fn actions_mut(&mut self) -> &mut VecDeque<Action> {
        &mut self.actions
    }

    /// Returns when to send [`Event::Tick`] if no other event happens before.
    pub fn next_deadline(&self) -> Option<Duration> {
        self.timers.next()
    }

    /// Returns the counters of this node; the runtime adds its own.
    pub fn stats(&self) -> Stats {
        Stats {
            seen_ids: self.seen.len() as u64,
            peers: self.table.len() as u64,
            eager_peers: self.eager_peers(),
            latest: None,
            memory_used: self.tree.bodies.bytes() as u64,
            ..self.stats.clone()
        }
    }

    fn expire(&mut self, now: Now) {
        while let Some(timer) = self.timers.take_due(now.mono) {
            match timer {
                Timer::Handshake(link) => self.handshake_overdue(now, link),
                Timer::Acknowledge(link) => self.acknowledged(now, link),
                Timer::Answer(link) => self.answer_due(now, link),
                Timer::Choice(link) => self.choice_due(now, link),
                Timer::Request(ticket) => self.request_overdue(ticket),
                Timer::Seek(ticket) => self.seek_due(now, ticket),
                Timer::Retry(number) => self.retry(now, number),
                Timer::Redial => self.redial(now),
                Timer::AskPeers => self.ask_peers(now),
                Timer::Announce => self.announce_all(now),
                Timer::Ask => self.ask_for_missing(now),
                Timer::Members => self.members_due(now),
                Timer::Sweep => self.sweep(now),
            }
        }
    }

    fn sweep(&mut self, now: Now) {
        self.seen.sweep(now);
        self.routes.sweep(now.mono);
        self.passages.forget(now.mono);
        self.tree.sweep(now.mono);
        self.is_sweeping = false;
        let is_clean = self.seen.len() == 0 && self.routes.len() == 0;
        if !is_clean || !self.passages.is_empty() || !self.tree.is_empty() {
            self.schedule_sweep(now);
        }
    }

    fn schedule_sweep(&mut self, now: Now) {
        if !std::mem::replace(&mut self.is_sweeping, true) {
            self.timers.set(now.mono.saturating_add(SWEEP_EVERY), Timer::Sweep);
        }
    }

    /// Sends a control message over one link.
    fn say(&mut self, now: Now, link: LinkId, main: Flag, packets: Vec<Packet>) {
        self.put_control(link, Parcel::Control(Draft { main, packets, time: now.second() }));
    }

    fn put_control(&mut self, link: LinkId, parcel: Parcel) {
        self.stats.control_frames.tally(1);
        self.actions.push_back(Action::Send { link, parcel });
    }
}
