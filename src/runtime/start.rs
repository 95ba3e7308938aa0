//! Bringing a socket up: bind, draw an id, start the accept thread and the daemon.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::thread::Builder;

use parking_lot::{Condvar, Mutex};

use super::clock::Clock;
use super::core::{Core, State};
use super::counters::Counters;
use super::daemon::Daemon;
use super::journal::Journal;
use super::listener::Listener;
use super::memory::Arrivals;
use super::relaying::Relaying;
use super::resolver::Resolver;
use super::shutdown::Phase;
use super::sink::{Program, Sink};
use super::threads::Threads;
use super::tls::TlsKit;
use super::trace::Trace;
use crate::config::Config;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::link::channel_capacity;
use crate::node::{Identity, Node};
use crate::outward::{Interfaces, Outward};
use crate::protocol::Protocol;
use crate::secret::Key;
use crate::wire::{HostPort, node_id};

/// Salts tried for a numerically high id. py2p keeps a second link to a peer only if the
/// dialler's id is above its own, so a high id makes every redial survive.
const SALTS: usize = 4096;

/// What to bind.
#[derive(Debug)]
pub(crate) struct Plan {
    pub protocol: Protocol,
    pub tls: Option<TlsKit>,
    /// Made of the protocol's secret, if it has one.
    pub key: Option<Key>,
    pub out_addr: Option<HostPort>,
    /// Nodes to dial until they answer, each with its addresses.
    pub seeds: Vec<Vec<HostPort>>,
    pub debug_level: Option<u8>,
    pub config: Config,
}

/// Binds the first of these addresses that can be bound, and starts the threads.
pub(crate) fn start(
    plan: Plan,
    addrs: &[SocketAddr],
    sink: Box<dyn Sink>,
    outlet: Arc<dyn Program>,
) -> Result<Arc<Core>> {
    let (listener, alarm) = bind(addrs)?;
    let local_addr = listener.local_addr().map_err(Error::Io)?;
    let set = plan.out_addr.map(|set| set.with_port(local_addr.port()));
    let outward = Outward::new(set, local_addr, listener.takes_v4());
    let best = outward.best(&Interfaces::read());
    let addr = best.clone().unwrap_or_else(|| outward.loopback());
    let id = draw_id(&addr, &plan.protocol)?;
    let me = Identity { id, protocol: plan.protocol.clone(), addr };
    let mut node =
        Node::new(me, plan.config.clone(), u64::from_le_bytes(random().map_err(Error::Io)?));
    if let Some(key) = plan.key {
        node.require_proof(key);
    }
    let (inbox, inbound) = super::inbox::Inbox::new(channel_capacity(&plan.config));
    let core = Arc::new(Core {
        id,
        protocol: plan.protocol,
        tls: plan.tls,
        outward,
        local_addr,
        clock: Clock::start(),
        trace: Trace::new(plan.debug_level, local_addr.port()),
        counters: Counters::default(),
        journal: Journal::new(&plan.config),
        arrivals: Arrivals::new(&plan.config),
        config: plan.config,
        outlet,
        inbox,
        relaying: Relaying::new(inbound),
        threads: Threads::default(),
        resolver: Resolver::default(),
        phase: Phase::default(),
        state: Mutex::new(State::new(node)),
        peers_changed: Condvar::new(),
        alarm,
        held: AtomicBool::new(false),
    });
    core.note_outward(best.as_ref());
    let daemon = Daemon::new(Arc::clone(&core), sink);
    let accepting = Arc::clone(&core);
    let threads = &core.threads;
    threads
        .add(Builder::new().name("rs2p-daemon".into()), move || daemon.run())
        .and_then(|()| {
            let builder = Builder::new().name("rs2p-accept".into());
            threads.add(builder, move || listener.run(&accepting))
        })
        .map_err(|error| {
            core.close_in_background();
            Error::Io(error)
        })?;
    core.act(|state, now| state.node.seed(now, plan.seeds));
    Ok(core)
}

fn bind(addrs: &[SocketAddr]) -> Result<(Listener, mio::Waker)> {
    let mut last = Error::NoAddress;
    for &addr in addrs {
        match Listener::bind(addr) {
            Ok(bound) => return Ok(bound),
            Err(source) => last = Error::Bind { addr: Box::new(addr), source },
        }
    }
    Err(last)
}

fn draw_id(out_addr: &HostPort, protocol: &Protocol) -> Result<NodeId> {
    let mut digest = [0; 48];
    for _ in 0..SALTS {
        let salt: [u8; 16] = random().map_err(Error::Io)?;
        let salt = salt.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        digest = node_id::node_digest(&out_addr.host, out_addr.port, protocol.id(), &salt);
        if digest[0] == 0xff {
            break;
        }
    }
    Ok(NodeId::from_digest(&digest))
}

pub(super) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
