//! Settings before binding.

use std::time::Duration;

use crate::config::Config;
use crate::options::Overflow;
use crate::peer_addr::PeerAddr;
use crate::protocol::Protocol;
#[cfg(feature = "native-tls")]
use crate::tls::Tls;
use crate::wire::HostPort;

mod bind;
mod lazy;

/// Frames announce their size in 32 bits; this leaves room for everything that is added to it.
const LARGEST_FRAME: usize = 1 << 30;

/// With less than this a queue could not tell its marks apart.
const SMALLEST_QUEUE: usize = 4096;

/// Limits a timeout to a year, so that no sum of times overflows.
fn sane(time: Duration) -> Duration {
    time.min(Duration::from_secs(365 * 24 * 3600))
}

/// Settings of a [`MeshSocket`](crate::MeshSocket), before it is bound. The defaults are right for most programs.
///
/// ```
/// use rs2p::{Encryption, MeshSocket, Protocol};
///
/// # fn main() -> rs2p::Result<()> {
/// let sock = MeshSocket::builder()
///     .protocol(Protocol::new("my mesh", Encryption::Plaintext))
///     .out_addr("35.24.77.21", 44565)
///     .debug_level(1)
///     .bind(("127.0.0.1", 0))?;
/// # sock.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Builder {
    protocol: Protocol,
    #[cfg(feature = "native-tls")]
    tls: Tls,
    out_addr: Option<HostPort>,
    seeds: Vec<PeerAddr>,
    #[cfg(feature = "discovery")]
    discovery: Option<crate::discovery::Discovery>,
    debug_level: Option<u8>,
    config: Config,
}

impl Builder {
    pub(crate) fn new() -> Self {
        Builder {
            protocol: Protocol::default(),
            #[cfg(feature = "native-tls")]
            tls: Tls::new(),
            out_addr: None,
            seeds: Vec::new(),
            #[cfg(feature = "discovery")]
            discovery: None,
            debug_level: None,
            config: Config::default(),
        }
    }

    /// Sets the mesh to belong to. Default: `mesh`, plaintext.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Sets the address that other nodes are told to dial, if it is not the bound one: behind a
    /// port forward, for instance. It overrules the addresses of links and interfaces. Port 0
    /// stands for the bound port. Checked in [`bind`](Builder::bind).
    pub fn out_addr(mut self, host: impl Into<String>, port: u16) -> Self {
        self.out_addr = Some(HostPort { host: host.into(), port });
        self
    }

    /// Adds a node to link to, at the start and whenever that link is lost. It need not run yet: it
    /// is dialled until it answers, with pauses of up to 3 s, and its name is looked up at each
    /// dial. [`MeshEvent::SeedReached`](crate::MeshEvent::SeedReached) says that it has answered.
    ///
    /// All nodes of a mesh may have the same seeds: a seed does not dial itself.
    pub fn seed(mut self, addr: impl Into<PeerAddr>) -> Self {
        self.seeds.push(addr.into());
        self
    }

    /// Adds several nodes, each of which is dialled. For one node with several addresses, see
    /// [`PeerAddr`].
    pub fn seeds<A: Into<PeerAddr>>(mut self, addrs: impl IntoIterator<Item = A>) -> Self {
        self.seeds.extend(addrs.into_iter().map(Into::into));
        self
    }

    /// Limits what this socket logs, from 0 to 5; see the [table of levels](crate#logging). By
    /// default only the logger limits it.
    pub fn debug_level(mut self, level: u8) -> Self {
        self.debug_level = Some(level);
        self
    }

    /// Sets the largest frame in bytes, in and out, also after decompression. Default: 16 MiB; at
    /// most 1 GiB.
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.config.max_frame = bytes.min(LARGEST_FRAME);
        self
    }

    /// Sets how many bytes of memory may wait for `recv`. Default: 64 MiB.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.config.queue_bytes = bytes;
        self
    }

    /// Sets how many messages may wait for `recv`. Default: 65,536.
    pub fn queue_messages(mut self, messages: usize) -> Self {
        self.config.queue_messages = messages;
        self
    }

    /// Sets what happens when the queue to `recv` is full. Default: [`Overflow::Auto`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.config.overflow = overflow;
        self
    }

    /// Sets how long a full queue waits for a program that takes nothing, with [`Overflow::Auto`].
    /// Default: 10 s.
    pub fn queue_timeout(mut self, timeout: Duration) -> Self {
        self.config.queue_timeout = sane(timeout);
        self
    }

    /// Sets how many bytes may wait to be written to one peer; the [table of bounds](crate#bounds)
    /// says what happens at which multiple of it. Default: 16 MiB.
    pub fn outbound(mut self, bytes: usize) -> Self {
        self.config.outbound = bytes.max(SMALLEST_QUEUE);
        self
    }

    /// Sets how many bytes a link may read ahead of the daemon. Default: 1 MiB.
    pub fn link_credit(mut self, bytes: usize) -> Self {
        self.config.link_credit = bytes.max(1);
        self
    }

    /// Sets how long an rs2p peer for which something is queued may show no sign of life before its link
    /// is closed. A slow program is no reason: its node still reports. Default: 10 s.
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.config.stall = sane(timeout);
        self
    }

    /// Sets how long any peer may take nothing of what is queued for it before its link is closed. Of a
    /// py2p peer, which reads slowly, this is the only sign of life. Default: 60 s.
    pub fn stall_timeout_py2p(mut self, timeout: Duration) -> Self {
        self.config.stall_py2p = sane(timeout);
        self
    }

    /// Sets the bytes per second of the pace floor. A peer that keeps senders waiting and takes fewer
    /// bytes *and* fewer messages per second is left behind: it stays linked and misses what has no room,
    /// counted in [`Stats::missed_frames`](crate::Stats::missed_frames), until it has caught up. All
    /// others set the pace: senders and relays go no faster than the slowest of them. With 0 senders wait
    /// for every peer, also for a program that takes one message per minute. Default: 65,536.
    pub fn pace_floor_bytes(mut self, bytes: u64) -> Self {
        self.config.pace_floor.bytes = bytes;
        self
    }

    /// Sets the messages per second of the pace floor, see [`pace_floor_bytes`](Self::pace_floor_bytes).
    /// With 0 senders wait for every peer. Default: 50.
    pub fn pace_floor_messages(mut self, messages: u64) -> Self {
        self.config.pace_floor.frames = messages;
        self
    }

    /// Sets the time over which the pace of a peer is compared with the pace floor. Senders wait through
    /// a pause that is shorter. Default: 10 s.
    pub fn pace_window(mut self, window: Duration) -> Self {
        self.config.pace_window = sane(window);
        self
    }

    /// Sets how long a `send` waits for room in the queue to a peer. Default: 70 s, longer than it
    /// takes to close a peer that is stuck.
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.config.send_timeout = sane(timeout);
        self
    }

    /// Sets how many message ids are remembered, so that no message is delivered twice. Default:
    /// 4,194,304.
    pub fn seen_ids(mut self, ids: usize) -> Self {
        self.config.seen_ids = ids;
        self
    }

    /// Sets how many links there may be, in and out. Default: 128.
    pub fn max_links(mut self, links: usize) -> Self {
        self.config.max_links = links;
        self
    }

    /// Sets how many incoming links may be in their handshake. Four times as many connections may
    /// wait for that or be silent. If there are more, the oldest that are silent or make no
    /// progress are closed. Default: 64.
    pub fn max_handshaking(mut self, links: usize) -> Self {
        self.config.max_handshaking = links;
        self
    }

    /// Sets how many links the socket opens automatically, to nodes that other nodes tell it about.
    /// With 0 the mesh has only the links that programs ask for. Default: 4.
    pub fn max_outgoing(mut self, links: usize) -> Self {
        self.config.max_outgoing = links;
        self
    }

    /// Sets the time from the start of a dial to the end of the handshake. Default: 5 s.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.config.handshake_timeout = sane(timeout);
        self
    }

    /// Sets the time from the first byte of a frame to its last. Default: 30 s.
    pub fn frame_timeout(mut self, timeout: Duration) -> Self {
        self.config.frame_timeout = sane(timeout);
        self
    }

    /// Sets how long a message waits for a route to its receiver. Default: 10 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.config.request_timeout = sane(timeout);
        self
    }

    /// Sets how long `close` goes on writing what is queued, and waits for peers to take it. What
    /// they have not taken by then may be lost. Default: 500 ms.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.config.linger = sane(linger);
        self
    }

    /// Sets the idle time after which TCP asks whether a peer is still there. Default: 15 s.
    pub fn keepalive(mut self, idle: Duration) -> Self {
        self.config.keepalive = sane(idle);
        self
    }

    /// Sets how many events are kept for [`events`](crate::MeshSocket::events). The oldest are
    /// dropped and counted. Default: 4,096.
    pub fn max_events(mut self, events: usize) -> Self {
        self.config.events = events;
        self
    }

    /// Sets how many entries [`status`](crate::MeshSocket::status) keeps. The oldest are dropped.
    /// Default: 256.
    pub fn max_status(mut self, entries: usize) -> Self {
        self.config.status = entries;
        self
    }

    /// Sets whether links between rs2p nodes are compressed too. On links to py2p a frame is always
    /// compressed if that makes it smaller. Default: no.
    pub fn compress(mut self, compress: bool) -> Self {
        self.config.compress = compress;
        self
    }

    /// Sets whether to tell the address of a peer to a node that is not its peer and wants to reply
    /// to it.
    ///
    /// A py2p 0.4 node that gets such an answer delivers its reply and is damaged by it: it drops
    /// peers and keeps a core busy from then on. Default: yes, because without an answer the reply
    /// is lost and py2p does not notice.
    pub fn answer_requests(mut self, answer: bool) -> Self {
        self.config.answer_requests = answer;
        self
    }

    /// Returns the settings of a simulated node.
    #[cfg(feature = "sim")]
    pub(crate) fn parts(&self) -> (&Protocol, &Config) {
        (&self.protocol, &self.config)
    }
}
