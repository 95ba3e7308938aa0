//! Receiving from the queue.

use std::time::Duration;

use crossbeam_channel::Receiver;

use super::MeshSocket;
use super::intake::Intake;
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::message::Message;

/// Receiving. Messages that a handler keeps, and answers to questions, do not get here.
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
        self.intake().recv()
    }

    /// Returns the next message if one is waiting. Never blocks.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use rs2p::error::TryRecvError;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// match alice.try_recv() {
    ///     Ok(msg) => println!("{msg}"),
    ///     Err(TryRecvError::Empty) => println!("nothing yet"),
    ///     Err(error) => return Err(error.into()),
    /// }
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`TryRecvError::Empty`] if none is waiting, [`TryRecvError::Closed`] if none ever will.
    pub fn try_recv(&self) -> Result<Message, TryRecvError> {
        self.intake().try_recv()
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
        self.intake().recv_timeout(timeout)
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
        self.intake().recv_many(count)
    }

    fn intake(&self) -> Intake<'_> {
        Intake { core: self.core(), outlet: &self.delivery().outlet }
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

    /// Has a function called whenever there is something to receive, for event loops: it wakes a
    /// `mio::Waker`, an eventfd, a window, an async task. Replaces the function that was given before.
    ///
    /// The function is called on a thread of the socket after messages were put into the queue, once for
    /// several of them, and when the socket is closed; at once if messages are waiting already. It may
    /// also be called when nothing is waiting. It must not block. Call
    /// [`try_recv`](MeshSocket::try_recv) until it returns an error. A panic is caught and logged.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// let (wake, woken) = std::sync::mpsc::channel();
    /// alice.notify_with(move || _ = wake.send(()));
    /// bob.send("hello")?;
    /// woken.recv_timeout(Duration::from_secs(5))?;
    /// assert_eq!(alice.try_recv()?[1], b"hello");
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn notify_with(&self, callback: impl Fn() + Send + Sync + 'static) {
        self.delivery().outlet.notify_with(callback);
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
        self.intake().receiver()
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
