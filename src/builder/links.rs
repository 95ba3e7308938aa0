//! Settings of links: how many, and how they are used.

use super::Builder;

impl Builder {
    /// Sets how many links there may be, in and out. Default: 128.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().max_links(32).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn max_links(mut self, links: usize) -> Self {
        self.config.max_links = links;
        self
    }

    /// Sets how many incoming links may be in their handshake. Four times as many connections may
    /// wait for that or be silent. If there are more, the oldest that are silent or make no
    /// progress are closed. Default: 64.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().max_handshaking(16).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn max_handshaking(mut self, links: usize) -> Self {
        self.config.max_handshaking = links;
        self
    }

    /// Sets how many links the socket opens automatically, to nodes that other nodes tell it about.
    /// With 0 the mesh has only the links that programs ask for. Default: 4.
    ///
    /// ```
    /// // A node that only waits for others to dial it.
    /// let hub = rs2p::MeshSocket::builder().max_outgoing(0).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn max_outgoing(mut self, links: usize) -> Self {
        self.config.max_outgoing = links;
        self
    }

    /// Sets whether links between rs2p nodes are compressed too. On links to py2p a frame is always
    /// compressed if that makes it smaller. Default: no.
    ///
    /// ```
    /// // For a slow network: takes time on a core for each byte.
    /// let sock = rs2p::MeshSocket::builder().compress(true).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
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
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().answer_requests(false).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn answer_requests(mut self, answer: bool) -> Self {
        self.config.answer_requests = answer;
        self
    }

    /// Sets how many events are kept for [`events`](crate::MeshSocket::events). The oldest are
    /// dropped and counted. Default: 4,096.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().max_events(64).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn max_events(mut self, events: usize) -> Self {
        self.config.events = events;
        self
    }

    /// Sets how many entries [`status`](crate::MeshSocket::status) keeps. The oldest are dropped.
    /// Default: 256.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().max_status(16).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn max_status(mut self, entries: usize) -> Self {
        self.config.status = entries;
        self
    }
}
