//! Registering handlers.

use std::sync::{Arc, Weak};

use super::{Handle, MeshSocket};
use crate::connection::Connection;
use crate::message::Message;
use crate::options::Kind;

/// Handlers.
impl MeshSocket {
    /// Registers a handler. Handlers run for every message, in the order of registration, after
    /// those of the protocol itself.
    ///
    /// A handler gets the message and the peer that it came from. It returns nothing, or a `bool`:
    /// `true` keeps the message, so that neither later handlers nor `recv` get it.
    ///
    /// Handlers run on the daemon thread, after the message was relayed. While one runs, no other
    /// message is relayed or delivered; a warning is logged if it takes over 100 ms. Every call on
    /// the socket is safe inside a handler; calls that would wait for the handler itself fail with
    /// `WouldDeadlock`, [`Error::Full`](crate::Error::Full) or [`Error::TooFast`](crate::Error::TooFast). A panic of a handler is caught and
    /// counted, and the next handler runs.
    ///
    /// The handler stays registered until [`Registration::unregister`] is called or the socket is
    /// closed.
    ///
    /// ```
    /// # use rs2p::{Connection, Kind, Message, MeshSocket, SendOptions};
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// sock.register_handler(|msg: &Message, _: &Connection| {
    ///     if msg[0] == b"tx_relay" {
    ///         println!("relaying {:?}", msg[1]);
    ///         return true; // no other handler needs to see it
    ///     }
    ///     false
    /// });
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn register_handler<F, R>(&self, handler: F) -> Registration
    where
        F: Fn(&Message, &Connection) -> R + Send + Sync + 'static,
        R: Verdict,
    {
        let handler =
            move |message: &Message, connection: &Connection| handler(message, connection).keeps();
        let number = self.delivery().handlers.register(Arc::new(handler));
        if !self.core().phase.is_open() {
            // The socket dropped its handlers already, or is about to: this one must go too.
            self.delivery().handlers.unregister(number);
        }
        Registration { number, server: Arc::downgrade(&self.handle) }
    }

    /// Registers a handler for the messages of one kind. Otherwise the same as
    /// [`register_handler`](MeshSocket::register_handler).
    ///
    /// ```
    /// # use rs2p::{Connection, Message, MeshSocket};
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// sock.register_handler_for("tx_relay", |msg: &Message, _: &Connection| {
    ///     println!("relaying {:?}", msg[1]);
    ///     true // no other handler needs to see it
    /// });
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn register_handler_for<F, R>(&self, kind: impl Into<Kind>, handler: F) -> Registration
    where
        F: Fn(&Message, &Connection) -> R + Send + Sync + 'static,
        R: Verdict,
    {
        let kind = kind.into();
        self.register_handler(move |message: &Message, connection: &Connection| {
            message.is_of(&kind) && handler(message, connection).keeps()
        })
    }
}

/// What a handler may return: nothing, or a `bool`. Not exported, so that no other type has it.
pub trait Verdict {
    /// Returns whether the handler keeps the message.
    fn keeps(self) -> bool;
}

impl Verdict for () {
    fn keeps(self) -> bool {
        false
    }
}

impl Verdict for bool {
    fn keeps(self) -> bool {
        self
    }
}

/// A registered handler. Dropping it changes nothing.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// let registration = sock.register_handler(|_: &rs2p::Message, _: &rs2p::Connection| ());
/// drop(registration); // the handler stays
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone)]
pub struct Registration {
    number: u64,
    server: Weak<Handle>,
}

impl Registration {
    /// Unregisters the handler. Returns false if it already was. A call in progress completes.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// let registration = sock.register_handler(|_: &rs2p::Message, _: &rs2p::Connection| ());
    /// assert!(registration.unregister());
    /// assert!(!registration.unregister());
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[allow(clippy::must_use_candidate)]
    pub fn unregister(&self) -> bool {
        let server = self.server.upgrade();
        server.is_some_and(|server| server.delivery.handlers.unregister(self.number))
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registration({})", self.number)
    }
}
