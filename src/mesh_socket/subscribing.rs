//! Subscribing to kinds of messages.

use std::sync::Arc;

use super::MeshSocket;
use crate::error::{Error, Result};
use crate::options::Kind;
use crate::topic::Subscription;

/// Topics.
impl MeshSocket {
    /// Subscribes to the messages of one kind: from now on they go into a queue of their own, unless a
    /// handler keeps them. There can be several subscriptions to one kind, each of which gets every
    /// message. Nodes relay what they did not subscribe to as well.
    ///
    /// Ordinary messages, [`Kind::BROADCAST`] and [`Kind::WHISPER`], also go to `recv`.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// use rs2p::SendOptions;
    ///
    /// let prices = alice.subscribe("prices")?;
    /// bob.send_with(SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// assert_eq!(prices.recv()?.payload(), ["tea", "3.50"]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::ReservedKind`] for a kind of the protocol itself, [`Error::Closed`] if the socket is
    /// closed.
    pub fn subscribe(&self, kind: impl Into<Kind>) -> Result<Subscription> {
        self.check_open()?;
        let kind = kind.into();
        if kind.is_reserved() {
            return Err(Error::ReservedKind { kind: Box::new(kind) });
        }
        let delivery = Arc::clone(&self.handle.delivery);
        let topic = delivery.topics.subscribe(kind);
        Ok(Subscription::new(topic, delivery, Arc::clone(self.core())))
    }
}
