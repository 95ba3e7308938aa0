//! Receiving: from the queue, or in handlers.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;

use super::{Handle, MeshSocket};
use crate::connection::Connection;
use crate::delivery::queue::Waited;
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::message::Message;

impl MeshSocket {
    /// Waits for the next message.
    ///
    /// Blocks until there is one. Messages that were queued when the socket was closed are still
    /// handed out.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// # bob.send("hello")?;
    /// let msg = alice.recv()?;
    /// println!("{msg}");
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] once the socket is closed and the queue is empty,
    /// [`RecvError::WouldDeadlock`] always inside a handler, where
    /// [`try_recv`](MeshSocket::try_recv) can be used.
    pub fn recv(&self) -> Result<Message, RecvError> {
        if !self.is_home() {
            return Err(RecvError::Forked);
        }
        if self.core().threads.is_mine() {
            return Err(RecvError::WouldDeadlock);
        }
        if let Some(message) = self.delivery().outlet.try_take() {
            self.delivery().outlet.ask();
            return Ok(message);
        }
        match self.delivery().outlet.wait(None) {
            Waited::Message(message) => Ok(message),
            Waited::Closed | Waited::TimedOut => Err(RecvError::Closed),
        }
    }

    /// Returns the next message if one is waiting. Never blocks.
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none is waiting, [`TryRecvError::Closed`] if none ever will.
    pub fn try_recv(&self) -> Result<Message, TryRecvError> {
        if !self.is_home() {
            return Err(TryRecvError::Forked);
        }
        let outlet = &self.delivery().outlet;
        outlet.ask();
        let is_closed = outlet.is_closed();
        match outlet.try_take() {
            Some(message) => Ok(message),
            None if is_closed => Err(TryRecvError::Closed),
            None => Err(TryRecvError::Empty),
        }
    }

    /// Waits for the next message, for at most `timeout`.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use rs2p::error::RecvTimeoutError;
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// match sock.recv_timeout(Duration::from_millis(10)) {
    ///     Ok(msg) => println!("{msg}"),
    ///     Err(RecvTimeoutError::Timeout) => println!("nothing yet"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvTimeoutError::Timeout`] if none came, [`RecvTimeoutError::Closed`] once the socket is
    /// closed and the queue is empty, [`RecvTimeoutError::WouldDeadlock`] inside a handler, always.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message, RecvTimeoutError> {
        if !self.is_home() {
            return Err(RecvTimeoutError::Forked);
        }
        if self.core().threads.is_mine() {
            return Err(RecvTimeoutError::WouldDeadlock);
        }
        if let Some(message) = self.delivery().outlet.try_take() {
            self.delivery().outlet.ask();
            return Ok(message);
        }
        // A timeout that the clock cannot express is no timeout.
        match self.delivery().outlet.wait(Instant::now().checked_add(timeout)) {
            Waited::Message(message) => Ok(message),
            Waited::TimedOut => Err(RecvTimeoutError::Timeout),
            Waited::Closed => Err(RecvTimeoutError::Closed),
        }
    }

    /// Returns the messages that are waiting, at most `count`. Never blocks.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// for msg in sock.recv_many(10)? {
    ///     msg.reply("Replying to a list")?;
    /// }
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] once the socket is closed and the queue is empty.
    pub fn recv_many(&self, count: usize) -> Result<Vec<Message>, RecvError> {
        if !self.is_home() {
            return Err(RecvError::Forked);
        }
        let outlet = &self.delivery().outlet;
        outlet.ask();
        let is_closed = outlet.is_closed();
        let messages: Vec<Message> = std::iter::from_fn(|| outlet.try_take()).take(count).collect();
        if messages.is_empty() && is_closed && count > 0 {
            return Err(RecvError::Closed);
        }
        Ok(messages)
    }

    /// Returns whether this is the process that bound the socket; asks for it now and then only.
    fn is_home(&self) -> bool {
        self.core().phase.is_home_at(self.core().clock.mono())
    }

    /// Returns an iterator over messages as they arrive, until the socket is closed. It blocks
    /// between them.
    ///
    /// ```no_run
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// for msg in sock.iter() {
    ///     println!("{msg}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn iter(&self) -> Iter<'_> {
        Iter { socket: self }
    }

    /// Returns the queue itself, for `select!` of [`crossbeam_channel`], which rs2p re-exports. Its
    /// clones share the messages: each is handed out once. It disconnects when the socket is closed.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// let messages = sock.receiver();
    /// let tick = rs2p::crossbeam_channel::after(std::time::Duration::from_millis(10));
    /// rs2p::crossbeam_channel::select! {
    ///     recv(messages) -> msg => println!("{msg:?}"),
    ///     recv(tick) -> _ => println!("nothing yet"),
    /// }
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn receiver(&self) -> Receiver<Message> {
        self.delivery().outlet.ask();
        self.delivery().outlet.receiver.clone()
    }

    /// Registers a handler. Handlers run for every message, in the order of registration, after
    /// those of the protocol itself.
    ///
    /// A handler gets the message and the peer that it came from. It returns nothing, or a `bool`:
    /// `true` keeps the message, so that neither later handlers nor `recv` get it.
    ///
    /// Handlers run on the daemon thread, after the message was relayed. While one runs, no other
    /// message is relayed or delivered; a warning is logged if it takes over 100 ms. Every call on
    /// the socket is safe inside a handler; calls that would wait for the handler itself fail with
    /// `WouldDeadlock` or [`Error::Full`](crate::Error::Full). A panic of a handler is caught and
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
#[derive(Clone)]
pub struct Registration {
    number: u64,
    server: Weak<Handle>,
}

impl Registration {
    /// Unregisters the handler. Returns false if it already was. A call in progress completes.
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

/// Messages as they come; see [`MeshSocket::iter`].
#[derive(Debug)]
pub struct Iter<'a> {
    socket: &'a MeshSocket,
}

impl Iterator for Iter<'_> {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        self.socket.recv().ok()
    }
}

impl<'a> IntoIterator for &'a MeshSocket {
    type Item = Message;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}
