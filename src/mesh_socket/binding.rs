//! Binding a socket. The constructors stand in a module of their own, the first one, so that they come
//! first in the documentation of [`MeshSocket`].

use std::net::ToSocketAddrs;

use super::MeshSocket;
use crate::builder::Builder;
use crate::error::Result;

/// Binding.
impl MeshSocket {
    /// Binds a socket of the default protocol, `("mesh", Plaintext)`, and starts it. Looking up
    /// a host name may block.
    ///
    /// Port 0 takes any free port and announces the real one. `0.0.0.0` and `[::]` announce this
    /// machine's address in its network. For other settings see [`MeshSocket::builder`].
    ///
    /// ```
    /// let sock = rs2p::MeshSocket::bind("127.0.0.1:0")?;
    /// println!("{} listens on {}", sock.id(), sock.local_addr());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Bind`](crate::Error::Bind) if the address is taken or not ours,
    /// [`Error::Resolve`](crate::Error::Resolve) or [`Error::NoAddress`](crate::Error::NoAddress) if it
    /// cannot be found.
    pub fn bind(addr: impl ToSocketAddrs + std::fmt::Debug) -> Result<Self> {
        Builder::new().bind(addr)
    }

    /// Returns a builder, for a socket with other settings than the default ones.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// let sock = MeshSocket::builder().max_outgoing(8).bind("127.0.0.1:0")?;
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn builder() -> Builder {
        Builder::new()
    }
}
