//! Settings of frames and queues.

use std::time::Duration;

use super::{Builder, sane};
use crate::options::Overflow;

/// Frames announce their size in 32 bits; this leaves room for everything that is added to it.
const LARGEST_FRAME: usize = 1 << 30;

/// With less than this a queue could not tell its marks apart.
const SMALLEST_QUEUE: usize = 4096;

impl Builder {
    /// Sets the largest frame in bytes, in and out, also after decompression. Default: 16 MiB; at
    /// most 1 GiB.
    ///
    /// ```
    /// use rs2p::{Error, MeshSocket};
    ///
    /// let sock = MeshSocket::builder().max_frame(64 * 1024).bind("127.0.0.1:0")?;
    /// assert!(matches!(sock.send(vec![0; 70_000]), Err(Error::TooLarge { .. })));
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn max_frame(mut self, bytes: usize) -> Self {
        self.config.max_frame = bytes.min(LARGEST_FRAME);
        self
    }

    /// Sets how many bytes of memory may wait for `recv`. Default: 64 MiB.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().queue_bytes(1 << 20).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.config.queue_bytes = bytes;
        self
    }

    /// Sets how many messages may wait for `recv`. Default: 65,536.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().queue_messages(1000).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn queue_messages(mut self, messages: usize) -> Self {
        self.config.queue_messages = messages;
        self
    }

    /// Sets what happens when the queue to `recv` is full. Default: [`Overflow::Auto`].
    ///
    /// ```
    /// use rs2p::{MeshSocket, Overflow};
    ///
    /// let sock = MeshSocket::builder().overflow(Overflow::DropOldest).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.config.overflow = overflow;
        self
    }

    /// Sets how long a full queue waits for a program that takes nothing, with [`Overflow::Auto`].
    /// Default: 10 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().queue_timeout(Duration::from_secs(2)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn queue_timeout(mut self, timeout: Duration) -> Self {
        self.config.queue_timeout = sane(timeout);
        self
    }

    /// Sets how many bytes may wait to be written to one peer; the [table of bounds](crate#bounds)
    /// says what happens at which multiple of it. Default: 16 MiB.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().outbound(1 << 20).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn outbound(mut self, bytes: usize) -> Self {
        self.config.outbound = bytes.max(SMALLEST_QUEUE);
        self
    }

    /// Sets how many bytes all links together may use for messages beside the queue of the program. Half of
    /// it is for messages of more than 64 KiB that arrive. While that is used up, large messages wait, and a
    /// link that does not complete one is closed with [`Cause::MemoryFull`](crate::Cause::MemoryFull).
    /// Three messages of [`Builder::max_frame`] always have room. Default: 128 MiB.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().memory(256 << 20).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn memory(mut self, bytes: usize) -> Self {
        self.config.memory = bytes;
        self
    }

    /// Sets how many bytes a link may read ahead of the daemon. Default: 1 MiB.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().link_credit(256 * 1024).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn link_credit(mut self, bytes: usize) -> Self {
        self.config.link_credit = bytes.max(1);
        self
    }

    /// Sets how long a `send` waits for room in the queue to a peer, and for room for its id: see
    /// [`seen_ids`](Builder::seen_ids). Default: 70 s, longer than it takes to close a peer that is stuck.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().send_timeout(Duration::from_secs(5)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn send_timeout(mut self, timeout: Duration) -> Self {
        self.config.send_timeout = sane(timeout);
        self
    }

    /// Sets how many message ids are remembered, so that no message is delivered twice. Default: 2,600,000. Each
    /// takes 10 to 21 bytes.
    ///
    /// Ids of the last 3 s are never forgotten. A node that has sent 1/128 of this number within 5 s waits in `send`
    /// while the ids of all nodes of these 5 s are three quarters of it. So all nodes together send up to three
    /// quarters of it in 5 s, which is 390,000 messages a second, and lose nothing, if their clocks differ by less than
    /// a second and the last quarter is more than what is on its way and what those send who need not wait. What is
    /// refused all the same is counted as
    /// [`Refusal::Evicted`](crate::stats::Refusal::Evicted). Set the same in all nodes.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().seen_ids(1 << 18).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn seen_ids(mut self, ids: usize) -> Self {
        self.config.seen_ids = ids;
        self
    }
}
