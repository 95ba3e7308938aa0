//! Settings of lazy push.

use super::Builder;

impl Builder {
    /// Sets from how many bytes on a message is announced, instead of sent, on links that would bring it
    /// a second time. A peer that does not get it otherwise asks for it. Nodes that know no
    /// announcements, py2p's among them, are always sent everything. Default: frames of 512 bytes;
    /// below that an announcement saves little.
    ///
    /// With `None` every message is sent on every link: it takes the fastest path to each node, at the
    /// price of one copy for every link.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().lazy_push(Some(4096)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn lazy_push(mut self, least_bytes: Option<usize>) -> Self {
        self.config.lazy_from = least_bytes;
        self
    }

    /// Sets how many bytes of announced messages are kept for peers that ask for them. While all of it is
    /// younger than a second, messages are sent on every link. Default: 32 MiB.
    ///
    /// ```
    /// let builder = rs2p::MeshSocket::builder().lazy_push(Some(4096)).lazy_push_bytes(8 << 20);
    /// let sock = builder.bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn lazy_push_bytes(mut self, bytes: usize) -> Self {
        self.config.lazy_bytes = bytes;
        self
    }
}
