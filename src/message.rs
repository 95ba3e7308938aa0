//! Messages, as they are received.

use std::fmt;
use std::sync::Weak;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::error::{Error, Result};
use crate::id::{MessageId, NodeId};
use crate::mesh_socket::posting::Purpose;
use crate::mesh_socket::{Handle, MeshSocket};
use crate::options::{Flag, Kind};
use crate::packet::Packet;
use crate::packets::Packets;
use crate::routed::Routed;
use crate::wire::{Body, Envelope};

/// Bytes that a queued message takes besides its own.
const OVERHEAD: usize = 512;

/// A message that arrived.
///
/// Its packets are byte strings. The first one is its [`Kind`], as in py2p; the rest is what the
/// sender sent.
///
/// ```
/// # use rs2p::MeshSocket;
/// # use std::time::Duration;
/// # fn main() -> rs2p::Result<()> {
/// let alice = MeshSocket::bind(("127.0.0.1", 0))?;
/// let bob = MeshSocket::bind(("127.0.0.1", 0))?;
/// bob.connect(alice.local_addr())?;
/// bob.send(["this is", "a test"])?;
///
/// let msg = alice.recv_timeout(Duration::from_secs(5))?;
/// assert_eq!(msg.sender(), bob.id());
/// assert_eq!(msg.payload(), ["this is", "a test"]);
/// assert_eq!(msg[1], b"this is");
/// msg.reply(["yes", "I did"])?;
/// # alice.close()?;
/// # bob.close()?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Message {
    envelope: Box<Envelope>,
    server: Weak<Handle>,
}

impl Message {
    pub(crate) fn new(envelope: Box<Envelope>, server: Weak<Handle>) -> Self {
        Message { envelope, server }
    }

    #[cfg(feature = "sim")]
    pub(crate) fn into_envelope(self) -> Box<Envelope> {
        self.envelope
    }

    /// Returns all packets: the kind, then the payload.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send(["this is", "a test"])?;
    /// let msg = alice.recv()?;
    /// assert_eq!(msg.packets().len(), 3); // the kind is the first
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn packets(&self) -> &[Packet] {
        &self.envelope.packets
    }

    /// Returns the packets that the sender sent, without the kind.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send(["this is", "a test"])?;
    /// assert_eq!(alice.recv()?.payload(), ["this is", "a test"]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn payload(&self) -> &[Packet] {
        self.envelope.packets.get(1..).unwrap_or_default()
    }

    /// Returns the kind: packet 0.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// assert_eq!(alice.recv()?.kind(), rs2p::Kind::BROADCAST);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.envelope.packets.first().map_or_else(|| Kind::new([]), Kind::from)
    }

    pub(crate) fn is_of(&self, kind: &Kind) -> bool {
        self.envelope.packets.first().is_some_and(|packet| packet.0 == kind.0)
    }

    /// Returns how the message travelled: [`Flag::Broadcast`] straight from its sender,
    /// [`Flag::Waterfall`] through others, [`Flag::Whisper`] for this node alone.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.whisper("hello")?;
    /// assert_eq!(alice.recv()?.flag(), rs2p::Flag::Whisper);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn flag(&self) -> Flag {
        self.envelope.main
    }

    /// Returns the id of the sender. In a broadcast it is not authenticated; in a whisper it is the
    /// id of the peer that the message came from.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// assert_eq!(alice.recv()?.sender(), bob.id());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn sender(&self) -> NodeId {
        self.envelope.sender
    }

    /// Returns the id: a digest of payload and time, by which nodes tell messages apart.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// let sent = bob.send("hello")?;
    /// assert_eq!(alice.recv()?.id(), sent.id());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.envelope.id
    }

    /// Returns when it was sent, in seconds since the Unix epoch, as its sender dated it. Identical
    /// messages of one sender have different dates.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// println!("sent {} s after the beginning of 1970", alice.recv()?.time());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn time(&self) -> u64 {
        self.envelope.time
    }

    /// Returns [`time`](Message::time) as [`SystemTime`]; `None` if the date is out of its range.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// if let Some(age) = alice.recv()?.sent_at().and_then(|at| at.elapsed().ok()) {
    ///     println!("it took {age:.1?} or less");
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn sent_at(&self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_secs(self.time()))
    }

    /// Returns the id of the message that this one answers, if its sender answered with
    /// [`reply`](Message::reply) and is an rs2p node. As in every message that others pass on, a member
    /// of the mesh could have forged it.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// let question = bob.send("who hears me?")?;
    /// alice.recv()?.reply("I do")?;
    /// assert_eq!(bob.recv()?.in_reply_to(), Some(question.id()));
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn in_reply_to(&self) -> Option<MessageId> {
        if let Body::Direct(about) = self.envelope.body { about } else { None }
    }

    /// Returns the socket that received the message, or `None` if that is gone.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// assert_eq!(alice.recv()?.server().map(|sock| sock.id()), Some(alice.id()));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn server(&self) -> Option<MeshSocket> {
        MeshSocket::upgrade(&self.server)
    }

    /// Sends packets to the sender of this message only.
    ///
    /// Never blocks. To a direct peer the reply is [`Routed::Sent`]. Otherwise it travels back along
    /// the way that this message came, and the [`Ticket`](crate::Ticket) of [`Routed::Pending`]
    /// tells whether the sender has taken it; see [`MeshSocket::send_to`].
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// bob.send("hello")?;
    /// alice.recv()?.reply("hello yourself")?;
    /// assert_eq!(bob.recv()?.payload(), ["hello yourself"]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the socket is closed or gone, and those of [`MeshSocket::send_to`].
    pub fn reply(&self, packets: impl Packets) -> Result<Routed> {
        let purpose = Purpose::Answer(self.id());
        self.server().ok_or(Error::Closed)?.post(&self.sender(), purpose, packets, Duration::ZERO)
    }

    /// Returns how many bytes of memory it pins.
    pub(crate) fn pinned(&self) -> usize {
        OVERHEAD + self.envelope.pinned()
    }
}

impl std::ops::Index<usize> for Message {
    type Output = Packet;

    /// Returns the packet at this place, see [`Message::packets`].
    ///
    /// # Panics
    ///
    /// If there are not so many.
    fn index(&self, index: usize) -> &Packet {
        &self.packets()[index]
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, payload) = (self.kind(), self.payload());
        write!(f, "message(type={kind:?}, packets={payload:?}, sender=b'{}')", self.sender())
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
