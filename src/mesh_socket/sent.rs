//! What became of a message.

use crate::id::MessageId;

/// What became of a message.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// let sent = sock.send("is anybody there?")?;
/// if sent.peers() == 0 {
///     println!("nobody is");
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    pub(super) peers: usize,
    pub(super) id: MessageId,
}

impl Sent {
    /// How many direct peers it is on its way to. 0 if there is none: nobody will get it.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// bob.connect(alice.local_addr())?;
    /// assert_eq!(bob.send("hello")?.peers(), 1);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn peers(&self) -> usize {
        self.peers
    }

    /// Its id.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// bob.connect(alice.local_addr())?;
    /// let sent = bob.send("hello")?;
    /// assert_eq!(alice.recv()?.id(), sent.id());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn id(&self) -> MessageId {
        self.id
    }
}
