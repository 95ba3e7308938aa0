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

/// Frames announce their size in 32 bits; this leaves room for everything that is added to it.
const LARGEST_FRAME: usize = 1 << 30;

/// With less than this a queue could not tell its marks apart.
const SMALLEST_QUEUE: usize = 4096;

/// Times are added up; a year is as good as for ever, and never overflows.
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
            debug_level: None,
            config: Config::default(),
        }
    }

    /// Which mesh to belong to. Default: `mesh`, plaintext.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Our certificate, and whose we take. Matters only with [`Encryption::Ssl`](crate::Encryption::Ssl). Default: the
    /// certificate of this process, and everybody's is taken.
    #[cfg(feature = "native-tls")]
    pub fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// The address that others are told to dial, where it is not the bound one: behind a port
    /// forward, for instance. It overrules what the interfaces say. Port 0 stands for the bound
    /// port. Checked in [`bind`](Builder::bind).
    pub fn out_addr(mut self, host: impl Into<String>, port: u16) -> Self {
        self.out_addr = Some(HostPort { host: host.into(), port });
        self
    }

    /// A node to link to, from the start and whenever that link is lost. It need not run yet: it is
    /// dialled until it answers, at pauses of up to three seconds, and its name is looked up each
    /// time. [`MeshEvent::SeedReached`](crate::MeshEvent::SeedReached) says when it has answered.
    ///
    /// All nodes of a mesh may have the same seeds: one that is a seed itself does not dial itself.
    pub fn seed(mut self, addr: impl Into<PeerAddr>) -> Self {
        self.seeds.push(addr.into());
        self
    }

    /// Several of them: each is dialled. For one node with several addresses, see [`PeerAddr`].
    pub fn seeds<A: Into<PeerAddr>>(mut self, addrs: impl IntoIterator<Item = A>) -> Self {
        self.seeds.extend(addrs.into_iter().map(Into::into));
        self
    }

    /// Caps what this socket logs, from 0 (errors) to 5 (every message in and out, every handler
    /// entered). Not set, the logger alone decides. See the crate docs for the levels.
    pub fn debug_level(mut self, level: u8) -> Self {
        self.debug_level = Some(level);
        self
    }

    /// The largest frame in bytes, in and out, also after decompression. Default: 16 MiB; at most
    /// 1 GiB.
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.config.max_frame = bytes.min(LARGEST_FRAME);
        self
    }

    /// What may wait for `recv`: bytes of memory and messages. Default: 64 MiB, 65,536 messages.
    pub fn queue(mut self, bytes: usize, messages: usize) -> Self {
        self.config.queue_bytes = bytes;
        self.config.queue_len = messages;
        self
    }

    /// What happens when that is full. Default: [`Overflow::Auto`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.config.overflow = overflow;
        self
    }

    /// With [`Overflow::Auto`]: a program that has taken nothing from a full queue for this long
    /// is no longer waited for. Default: 10 s.
    pub fn queue_patience(mut self, patience: Duration) -> Self {
        self.config.queue_patience = sane(patience);
        self
    }

    /// Bytes that may wait to be written to one peer. Own messages stop at half of it, relays slow
    /// their source down above it, and a link with twice as much is closed; a frame, and one for
    /// each of up to eight sources that are slowed down, are allowed on top. Default: 16 MiB.
    pub fn outbound(mut self, bytes: usize) -> Self {
        self.config.outbound = bytes.max(SMALLEST_QUEUE);
        self
    }

    /// Bytes that one link may have read ahead of the daemon. Default: 1 MiB.
    pub fn link_credit(mut self, bytes: usize) -> Self {
        self.config.link_credit = bytes.max(1);
        self
    }

    /// A peer that takes less than 16 KiB of a waiting queue in this time is closed: for rs2p
    /// peers and for py2p peers, which read slowly. Default: 10 s and 60 s.
    pub fn stall(mut self, rs2p: Duration, py2p: Duration) -> Self {
        self.config.stall = sane(rs2p);
        self.config.stall_py2p = sane(py2p);
        self
    }

    /// How long a `send` waits for room in the queue to a peer. Default: 70 s, longer than it
    /// takes to close a peer that is stuck.
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.config.send_patience = sane(timeout);
        self
    }

    /// Message ids remembered, so that nothing is delivered twice. Default: 4,194,304.
    pub fn seen_ids(mut self, ids: usize) -> Self {
        self.config.seen_ids = ids;
        self
    }

    /// Links, in and out. Default: 128.
    pub fn max_links(mut self, links: usize) -> Self {
        self.config.max_links = links;
        self
    }

    /// Incoming links that may shake hands at once. Four times as many connections may wait for
    /// that, or say nothing at all. Where there are more, those give way that say nothing or do not
    /// go on with their handshake, the oldest first. Default: 64.
    pub fn max_handshaking(mut self, links: usize) -> Self {
        self.config.max_handshaking = links;
        self
    }

    /// Links that the socket makes by itself, to peers that others tell it about. 0: none, so
    /// that the mesh has just the links that programs ask for. Default: 4.
    pub fn max_outgoing(mut self, links: usize) -> Self {
        self.config.max_outgoing = links;
        self
    }

    /// From the start of a dial to the end of the handshake. Default: 5 s.
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.config.handshake_timeout = sane(timeout);
        self
    }

    /// From the first byte of a frame to its last. Default: 30 s.
    pub fn frame_timeout(mut self, timeout: Duration) -> Self {
        self.config.frame_timeout = sane(timeout);
        self
    }

    /// How long a message waits for a route to its receiver. Default: 10 s.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.config.request_timeout = sane(timeout);
        self
    }

    /// How long `close` goes on writing what is queued, and waits for peers to take what was
    /// written: what they have not taken by then may be lost. Default: 500 ms.
    pub fn linger(mut self, linger: Duration) -> Self {
        self.config.linger = sane(linger);
        self
    }

    /// Idle time after which TCP asks whether a peer is still there. Default: 15 s.
    pub fn keepalive(mut self, idle: Duration) -> Self {
        self.config.keepalive = sane(idle);
        self
    }

    /// Events and status entries that are kept; the oldest go, counted. Default: 4,096 and 256.
    pub fn journal(mut self, events: usize, status: usize) -> Self {
        self.config.events = events;
        self.config.status = status;
        self
    }

    /// Whether links between rs2p nodes are compressed as well. Links to py2p always are, where it
    /// makes a frame smaller. Default: no.
    pub fn compress(mut self, compress: bool) -> Self {
        self.config.compress = compress;
        self
    }

    /// Whether to tell where a peer is when somebody who is not its peer wants to reply to it.
    ///
    /// A py2p 0.4 node that gets such an answer delivers its one reply and is damaged by it: it
    /// drops neighbours and keeps a core busy from then on. Default: yes, because without an
    /// answer the reply is lost without a word.
    pub fn answer_requests(mut self, answer: bool) -> Self {
        self.config.answer_requests = answer;
        self
    }

    /// What a simulated node is made with.
    #[cfg(feature = "sim")]
    pub(crate) fn parts(&self) -> (&Protocol, &Config) {
        (&self.protocol, &self.config)
    }
}
