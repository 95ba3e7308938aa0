//! What `close` left undone.

/// What `close` left undone.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// sock.send("the last words")?;
/// let report = sock.close()?;
/// if report.unsent_frames + report.unsent_replies > 0 {
///     eprintln!("not everything was sent: {report:?}");
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CloseReport {
    /// Frames that were queued for peers and not written in time.
    pub unsent_frames: u64,
    /// Messages to single nodes that were given up: no way to the node was found in time, or it did
    /// not confirm them.
    pub unsent_replies: u64,
    /// Threads that were still busy and were left behind, by name: `rs2p-daemon` is a handler that
    /// did not return.
    pub left_behind: Vec<String>,
}
