//! The settings of a socket: of each the default, the unit and the reason.

use std::time::Duration;

use crate::options::Overflow;
use crate::presence::Presence;
use crate::wire::Total;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// What a socket may use and how long it waits. Set through the builder.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// A frame's body in bytes, also after decompression.
    pub max_frame: usize,
    /// The same before the handshake is done: some times what any handshake needs, so that
    /// strangers pin no memory.
    pub stranger_frame: usize,
    /// Messages that wait for `recv`: bytes of memory that they pin.
    pub queue_bytes: usize,
    /// Messages that wait for `recv`: how many.
    pub queue_messages: usize,
    /// What happens when that queue is full.
    pub overflow: Overflow,
    /// No message left a full queue for this long: the application is taken to be gone.
    pub queue_timeout: Duration,
    /// Bytes of messages that arrive, wait for peers that nobody waits for, or are kept for peers.
    pub memory: usize,
    /// Bytes that one link may have read without the daemon having dealt with them.
    pub link_credit: usize,
    /// Bytes that wait to be written to one peer. Sends from here stop at half of it, relays go
    /// on. Above [`Config::outbound_limit`] messages are missed, and a control frame closes the link.
    pub outbound: usize,
    /// A relay source is held back this long per [`Config::link_credit`] that it pushed into an
    /// outbound queue above its bound. It is what keeps a ring of full queues moving.
    pub hold: Duration,
    /// An rs2p peer for which something waits, and of which nothing is seen for this long, is closed.
    pub stall: Duration,
    /// Any peer that takes nothing at all for this long is closed. Of py2p, which needs 15 s for a
    /// frame of 64 KiB, nothing else is seen.
    pub stall_py2p: Duration,
    /// A peer that takes as many bytes, or as many frames, in a second sets the pace. One below both
    /// is left behind. 0 in one of them: every peer is waited for.
    pub pace_floor: Total,
    /// The time over which that is judged.
    pub pace_window: Duration,
    /// How long `send` waits for room before it fails.
    pub send_timeout: Duration,
    /// Message ids remembered.
    pub seen_ids: usize,
    /// A broadcast this old, or older, is dropped. py2p drops at over 60 s and forgets at 60 s, so
    /// that a broadcast that is exactly 60 s old circulates forever; hence "or older".
    pub max_age: Duration,
    /// A broadcast dated further ahead than this is dropped.
    pub max_ahead: Duration,
    /// Clocks that differ by more than this are warned about.
    pub clock_warning: Duration,
    /// Links, incoming and outgoing together.
    pub max_links: usize,
    /// Incoming links that are shaking hands. Each has a thread and takes three descriptors. One
    /// that does not go on with it gives way to a new one.
    pub max_handshaking: usize,
    /// Outgoing links that are made without being asked for; also how many links are enough.
    pub max_outgoing: usize,
    /// From the first packet of a dial, or from the first byte of an incoming connection, to the end of
    /// the handshake. Also how long an incoming connection may stay silent.
    pub handshake_timeout: Duration,
    /// From the first byte of a frame to its last.
    pub frame_timeout: Duration,
    /// How long a reply waits for a route.
    pub request_timeout: Duration,
    /// How long `close` goes on writing what is queued.
    pub linger: Duration,
    /// Idle time after which TCP asks whether the peer is still there.
    pub keepalive: Duration,
    /// Events kept for `events()`.
    pub events: usize,
    /// Entries kept for `status()`.
    pub status: usize,
    /// Frames of this many bytes or more are announced on links that are not in the tree; `None` if every
    /// message is sent on every link. A name in a frame of its own takes 240 bytes.
    pub lazy_from: Option<usize>,
    /// Bytes of announced messages that are kept for peers that ask for them.
    pub lazy_bytes: usize,
    /// What the mesh is told about this node; `None` if nothing.
    pub presence: Option<Presence>,
    /// Whether links between rs2p nodes are compressed too.
    pub compress: bool,
    /// Whether we tell a stranger who asks for a route what we know. See `Builder`.
    pub answer_requests: bool,
}

impl Config {
    /// Connections that wait to shake hands, or say nothing: each takes a descriptor, no thread.
    pub fn max_waiting_strangers(&self) -> usize {
        self.max_handshaking.max(1) * 4
    }

    /// Where an outbound queue takes no more: twice the bound, and one frame more so that a
    /// single large frame cannot be what breaks a healthy link. For every source that is held back
    /// the queue allows one more.
    pub fn outbound_limit(&self) -> usize {
        self.outbound.saturating_mul(2).saturating_add(self.max_frame)
    }

    /// How long a frame's body may be before the handshake is done.
    pub fn first_frame_limit(&self) -> usize {
        self.stranger_frame.min(self.max_frame)
    }

    /// The system's own buffers of a link, where they must be kept below what it would choose. A
    /// ring of full queues moves on because each of them can take in, above its bound, what is in
    /// flight on the wire; so small bounds need small buffers.
    pub fn system_buffers(&self) -> Option<usize> {
        (self.outbound < 8 * MIB).then_some(self.outbound / 8)
    }
}

impl Default for Config {
    fn default() -> Self {
        Config {
            max_frame: 16 * MIB,
            stranger_frame: 64 * KIB,
            queue_bytes: 64 * MIB,
            queue_messages: 65_536,
            overflow: Overflow::Auto,
            queue_timeout: Duration::from_secs(10),
            memory: 128 * MIB,
            link_credit: MIB,
            outbound: 16 * MIB,
            hold: Duration::from_millis(100),
            stall: Duration::from_secs(10),
            stall_py2p: Duration::from_secs(60),
            pace_floor: Total { bytes: 64 * 1024, frames: 50 },
            pace_window: Duration::from_secs(10),
            send_timeout: Duration::from_secs(70),
            // A table takes 10 to 21 bytes for each.
            seen_ids: 2_600_000,
            max_age: Duration::from_secs(60),
            max_ahead: Duration::from_secs(300),
            clock_warning: Duration::from_secs(30),
            max_links: 128,
            max_handshaking: 64,
            max_outgoing: 4,
            handshake_timeout: Duration::from_secs(5),
            frame_timeout: Duration::from_secs(30),
            request_timeout: Duration::from_secs(10),
            linger: Duration::from_millis(500),
            keepalive: Duration::from_secs(15),
            events: 4096,
            status: 256,
            lazy_from: Some(512),
            lazy_bytes: 32 * MIB,
            presence: None,
            compress: false,
            answer_requests: true,
        }
    }
}

#[cfg(test)]
mod tests;
