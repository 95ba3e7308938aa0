//! The state of one link, from its dial to its last message.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::allowances::Allowances;
use super::attempts::Dial;
use super::clocks::Clocks;
use super::dialable::{Scope, Way, is_private};
use super::event::{LinkId, LinkSettings, Neighbour};
use super::stage::{Greeting, Stage};
use super::waiting::Waiter;
use crate::id::NodeId;
use crate::stats::Received;
use crate::tally::Tally;
use crate::wire::{HostPort, Method};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Incoming,
    Outgoing,
}

#[derive(Debug)]
pub(crate) struct Peer {
    pub direction: Direction,
    pub stage: Stage,
    pub waiters: Vec<Waiter>,
    pub dial: Dial,
    /// The two ends of the link, once it is up.
    pub way: Option<Way>,
    /// Where an incoming link came from.
    pub from: Option<SocketAddr>,
    /// Whether anything that could be a frame arrived.
    pub has_spoken: bool,
    /// The outward address that the peer announced, corrected if it cannot be dialled from here.
    pub addr: Option<HostPort>,
    /// The value that was last given to handlers.
    last_neighbour: Option<Arc<Neighbour>>,
    /// The second address that the peer announced.
    pub also: Option<HostPort>,
    pub is_rs2p: bool,
    /// Whether messages of this link are those of its peer: see `unheard.rs`.
    pub is_heard: bool,
    /// Whether the peer relays replies, sends receipts, and says which message an answer answers.
    pub passes_replies: bool,
    /// Whether the peer exchanges statements about the pace.
    pub tells_pace: bool,
    /// From how many bytes on frames may be announced to the peer; `None` if they have to be sent.
    pub lazy_from: Option<usize>,
    /// Whether the peer tells its list of members.
    pub tells_members: bool,
    /// Whether the peer exchanges links.
    pub exchanges: bool,
    /// When this link was last the way of a message that is answered, or confirmed, over it.
    pub led_back_at: Option<Duration>,
    /// When it was asked to part.
    pub asked_to_part: Option<Duration>,
    /// Whether the peer, which dialled, can do without this link.
    pub can_do_without: bool,
    /// How many messages we have missed here, as the peer says while it does not wait for us.
    pub missed: Option<u64>,
    /// Bytes that are kept for it at most, though nobody waits for it.
    pub unwaited_room: usize,
    /// How long it has kept senders waiting and not paid for.
    pub charged: Duration,
    /// What it has sent.
    pub received: Received,
    /// Faults that the user was not told of.
    pub untold_faults: u64,
    pub allowances: Allowances,
    /// The last member of the last page that it was asked to go on from.
    pub listed_to: Option<NodeId>,
    /// The compression methods that the peer accepts, in its order of preference.
    pub methods: Vec<Method>,
    /// All methods that the peer ever announced and may use. A py2p node that asks for uncompressed
    /// frames still compresses its own, even the one that asks.
    pub announced: Vec<Method>,
    pub clocks: Clocks,
    pub opened: Duration,
    pub last_heard: Duration,
    /// When we last asked the peer to resend a frame.
    pub last_resend_request: Option<Duration>,
    /// When we last sent our peers list on request.
    pub last_told: Option<Duration>,
}

impl Peer {
    pub fn new(direction: Direction, now: Duration) -> Self {
        Peer {
            direction,
            stage: Stage::Opening { channel: None },
            waiters: Vec::new(),
            dial: Dial::default(),
            way: None,
            from: None,
            has_spoken: false,
            addr: None,
            also: None,
            last_neighbour: None,
            is_rs2p: false,
            is_heard: true,
            passes_replies: false,
            tells_pace: false,
            lazy_from: None,
            tells_members: false,
            exchanges: false,
            led_back_at: None,
            asked_to_part: None,
            can_do_without: false,
            missed: None,
            unwaited_room: 0,
            charged: Duration::ZERO,
            received: Received::default(),
            untold_faults: 0,
            allowances: Allowances::default(),
            listed_to: None,
            methods: Vec::new(),
            announced: Vec::new(),
            clocks: Clocks::default(),
            opened: now,
            last_heard: now,
            last_resend_request: None,
            last_told: None,
        }
    }

    pub fn is_outgoing(&self) -> bool {
        self.direction == Direction::Outgoing
    }

    /// Returns whether the peer's handshake has not come yet.
    pub fn is_handshaking(&self) -> bool {
        matches!(self.stage, Stage::Opening { .. } | Stage::Greeting(_))
    }

    /// Returns whether a `connect` waits for this link.
    pub fn is_wanted(&self) -> bool {
        self.waiters.iter().any(|waiter| matches!(waiter, Waiter::Connect(_)))
    }

    /// Returns who is at the other end, once its handshake has come.
    pub fn id(&self) -> Option<NodeId> {
        self.stage.id()
    }

    /// Returns what is known about the handshake that is awaited.
    pub fn greeting_mut(&mut self) -> Option<&mut Greeting> {
        match &mut self.stage {
            Stage::Greeting(greeting) => Some(greeting),
            _ => None,
        }
    }

    /// Returns whether our handshake was sent.
    pub fn is_answered(&self) -> bool {
        match &self.stage {
            Stage::Opening { .. } => false,
            Stage::Greeting(greeting) => greeting.is_answered,
            stage => stage.held_until().is_none(),
        }
    }

    /// Returns whether this link speaks for its peer, which has acknowledged our handshake.
    pub fn is_acknowledged(&self) -> bool {
        matches!(&self.stage, Stage::Ready(ready) if ready.is_acknowledged)
    }

    /// Returns when this link last took a step towards the peer's handshake.
    pub fn progressed(&self) -> Duration {
        match &self.stage {
            Stage::Greeting(greeting) => greeting.progressed,
            _ => self.opened,
        }
    }

    /// Returns the best known address of this peer.
    pub fn contact(&self) -> Option<&HostPort> {
        self.addr.as_ref().or(self.dial.addr.as_ref())
    }

    /// Returns the address at the other end of the connection; nothing before the link is up.
    pub fn remote(&self) -> String {
        let remote = self.way.as_ref().map(|way| way.remote).or(self.from);
        remote.map(|addr| HostPort::from(addr).to_string()).unwrap_or_default()
    }

    /// Returns where the peer is; `None` before the link is up.
    pub fn scope(&self) -> Option<Scope> {
        self.way.as_ref().map(|way| way.scope)
    }

    /// Returns the addresses at which a node in `scope` may dial this peer, the best first: the one
    /// that it announced, the one at which we dialled it, and the second one that it announced. If
    /// we reached it at a public address and it announced a private one, it is behind a port
    /// forwarding: the public one comes first.
    pub fn ways(&self, scope: Scope) -> Vec<HostPort> {
        let reached = match (&self.way, &self.dial.addr) {
            (Some(way), Some(_)) if self.is_outgoing() => Some(HostPort::from(way.remote)),
            (_, dialled) => dialled.clone(),
        };
        let is = |addr: &Option<HostPort>, of: fn(IpAddr) -> bool| {
            addr.as_ref().and_then(HostPort::to_socket_addr).is_some_and(|addr| of(addr.ip()))
        };
        let mut ways = [self.addr.clone(), reached, self.also.clone()];
        let [announced, reached, _] = &mut ways;
        if is(announced, is_private) && is(reached, |ip| !is_private(ip)) {
            std::mem::swap(announced, reached);
        }
        let mut known = Vec::new();
        for addr in ways.into_iter().flatten().filter(|addr| scope.may_tell(addr)) {
            if !known.contains(&addr) {
                known.push(addr);
            }
        }
        known
    }

    /// Notes the address that the peer announced, corrected if it makes no sense from here.
    pub fn announces_addr(&mut self, addr: Option<&HostPort>) {
        let correct =
            |addr| self.way.as_ref().map_or_else(|| HostPort::clone(addr), |way| way.correct(addr));
        self.addr = addr.map(correct);
    }

    /// Notes the compression methods that the peer accepts.
    pub fn announces(&mut self, methods: &[Method]) {
        self.methods = methods.to_vec();
        for method in methods {
            if !self.announced.contains(method) {
                self.announced.push(*method);
            }
        }
    }

    /// Returns what handlers learn about this peer. The value is shared until it changes.
    pub fn shared_neighbour(&mut self, id: NodeId) -> Arc<Neighbour> {
        let is_current = |last: &&Arc<Neighbour>| {
            let is_outgoing = self.is_outgoing();
            last.id == id
                && last.addr.as_ref() == self.contact()
                && last.is_outgoing == is_outgoing
                && last.passes_replies == self.passes_replies
        };
        if let Some(last) = self.last_neighbour.as_ref().filter(is_current) {
            return Arc::clone(last);
        }
        let neighbour = Arc::new(self.neighbour(id));
        self.last_neighbour = Some(Arc::clone(&neighbour));
        neighbour
    }

    pub fn neighbour(&self, id: NodeId) -> Neighbour {
        Neighbour {
            id,
            addr: self.contact().cloned(),
            is_outgoing: self.is_outgoing(),
            passes_replies: self.passes_replies,
        }
    }

    /// Returns how frames are encoded on this link. Frames to rs2p nodes are compressed only if
    /// `compress` is set; frames to py2p nodes always, because py2p takes time quadratic in the
    /// bytes that it receives.
    pub fn settings(&self, peer: NodeId, compress: bool) -> LinkSettings {
        let send = Method::SUPPORTED.iter().copied().find(|ours| self.methods.contains(ours));
        LinkSettings {
            peer,
            is_rs2p: self.is_rs2p,
            tells_pace: self.tells_pace,
            is_held: !self.is_heard && self.stage.is_spare(),
            receive: self.announced.clone(),
            send: send.filter(|_| compress || !self.is_rs2p),
        }
    }
}

/// Gives unique numbers to links, tickets and connects.
#[derive(Debug, Default)]
pub(crate) struct IdSource(u64);

impl IdSource {
    pub fn next(&mut self) -> u64 {
        self.0.tally(1);
        self.0
    }

    pub fn link(&mut self) -> LinkId {
        LinkId(self.next())
    }
}
