//! Settings of times, and of the pace floor.

use std::time::Duration;

use super::{Builder, sane};

impl Builder {
    /// Sets the time from the start of a dial to the end of the handshake. Default: 5 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = rs2p::MeshSocket::builder().handshake_timeout(Duration::from_secs(20));
    /// let sock = builder.bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn handshake_timeout(mut self, timeout: Duration) -> Self {
        self.config.handshake_timeout = sane(timeout);
        self
    }

    /// Sets the time from the first byte of a frame to its last. Default: 30 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().frame_timeout(Duration::from_secs(60)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn frame_timeout(mut self, timeout: Duration) -> Self {
        self.config.frame_timeout = sane(timeout);
        self
    }

    /// Sets how long a message waits for a route to its receiver. Default: 10 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().request_timeout(Duration::from_secs(3)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.config.request_timeout = sane(timeout);
        self
    }

    /// Sets how long `close` goes on writing what is queued, and waits for peers to take it. What
    /// they have not taken by then may be lost. Default: 500 ms.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().linger(Duration::from_secs(2)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn linger(mut self, linger: Duration) -> Self {
        self.config.linger = sane(linger);
        self
    }

    /// Sets the idle time after which TCP asks whether a peer is still there. Default: 15 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().keepalive(Duration::from_secs(60)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn keepalive(mut self, idle: Duration) -> Self {
        self.config.keepalive = sane(idle);
        self
    }

    /// Sets how long an rs2p peer for which something is queued may show no sign of life before its link
    /// is closed. A slow program is no reason: its node still reports. Default: 10 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().stall_timeout(Duration::from_secs(30)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn stall_timeout(mut self, timeout: Duration) -> Self {
        self.config.stall = sane(timeout);
        self
    }

    /// Sets how long any peer may take nothing of what is queued for it before its link is closed. Of a
    /// py2p peer, which reads slowly, this is the only sign of life. Default: 60 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let builder = rs2p::MeshSocket::builder().stall_timeout_py2p(Duration::from_secs(120));
    /// let sock = builder.bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn stall_timeout_py2p(mut self, timeout: Duration) -> Self {
        self.config.stall_py2p = sane(timeout);
        self
    }

    /// Sets the bytes per second of the pace floor. A peer that keeps senders waiting and takes fewer
    /// bytes *and* fewer messages per second is left behind: it stays linked and misses what has no room,
    /// counted in [`Stats::missed_frames`](crate::Stats::missed_frames), until it has caught up. All
    /// others set the pace: senders and relays go no faster than the slowest of them. With 0 senders wait
    /// for every peer, also for a program that takes one message per minute. Default: 65,536.
    ///
    /// ```
    /// // Wait for every receiver, however slow it is.
    /// let sock = rs2p::MeshSocket::builder().pace_floor_bytes(0).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn pace_floor_bytes(mut self, bytes: u64) -> Self {
        self.config.pace_floor.bytes = bytes;
        self
    }

    /// Sets the messages per second of the pace floor, see [`pace_floor_bytes`](Self::pace_floor_bytes).
    /// With 0 senders wait for every peer. Default: 50.
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::builder().pace_floor_messages(5).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn pace_floor_messages(mut self, messages: u64) -> Self {
        self.config.pace_floor.frames = messages;
        self
    }

    /// Sets the time over which the pace of a peer is compared with the pace floor. Senders wait through
    /// a pause that is shorter. Default: 10 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// let sock = rs2p::MeshSocket::builder().pace_window(Duration::from_secs(30)).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn pace_window(mut self, window: Duration) -> Self {
        self.config.pace_window = sane(window);
        self
    }
}
