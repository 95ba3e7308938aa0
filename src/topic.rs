//! Subscriptions: messages of one kind, in a queue of their own.

use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::delivery::topics::Topic;
use crate::error::{RecvError, RecvTimeoutError, TryRecvError};
use crate::mesh_socket::delivering::Delivery;
use crate::mesh_socket::intake::Intake;
use crate::message::Message;
use crate::options::Kind;
use crate::runtime::core::Core;

/// The messages of one kind, in a queue of their own. Dropping it ends the subscription; messages that
/// still wait are dropped with it.
///
/// The queue has the same bounds as the queue to `recv`, and the same
/// [`Overflow`](crate::Overflow): a program that takes nothing from one of its subscriptions slows the
/// mesh down as one that does not call `recv`. Get one with
/// [`MeshSocket::subscribe`](crate::MeshSocket::subscribe).
///
/// ```
/// # use rs2p::{MeshSocket, SendOptions};
/// # use std::time::Duration;
/// # fn main() -> rs2p::Result<()> {
/// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
/// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
/// # bob.connect(alice.local_addr())?;
/// let prices = alice.subscribe("prices")?;
/// bob.send_with(SendOptions::new().kind("prices"), ("tea", "3.50"))?;
/// let price = prices.recv_timeout(Duration::from_secs(5))?;
/// assert_eq!(price.payload(), ["tea", "3.50"]);
/// assert!(alice.try_recv().is_err());
/// # alice.close()?;
/// # bob.close()?;
/// # Ok(())
/// # }
/// ```
pub struct Subscription {
    topic: Arc<Topic>,
    delivery: Arc<Delivery>,
    core: Arc<Core>,
}

impl Subscription {
    pub(crate) fn new(topic: Arc<Topic>, delivery: Arc<Delivery>, core: Arc<Core>) -> Self {
        Subscription { topic, delivery, core }
    }

    fn intake(&self) -> Intake<'_> {
        Intake { core: &self.core, outlet: &self.topic.outlet }
    }

    /// Returns the kind.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// let prices = sock.subscribe("prices")?;
    /// assert_eq!(prices.kind(), &"prices");
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn kind(&self) -> &Kind {
        &self.topic.kind
    }

    /// Waits for the next message, as [`MeshSocket::recv`](crate::MeshSocket::recv) does.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// let prices = alice.subscribe("prices")?;
    /// bob.send_with(rs2p::SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// let price = prices.recv()?;
    /// assert_eq!(price.payload(), ["tea", "3.50"]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`MeshSocket::recv`](crate::MeshSocket::recv).
    pub fn recv(&self) -> Result<Message, RecvError> {
        self.intake().recv()
    }

    /// Returns the next message if one is waiting. Never blocks.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// use rs2p::error::TryRecvError;
    ///
    /// let prices = sock.subscribe("prices")?;
    /// assert!(matches!(prices.try_recv(), Err(TryRecvError::Empty)));
    /// # Ok::<(), rs2p::Error>(())
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
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// let prices = alice.subscribe("prices")?;
    /// bob.send_with(rs2p::SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// use std::time::Duration;
    ///
    /// let price = prices.recv_timeout(Duration::from_secs(5))?;
    /// assert_eq!(price.payload(), ["tea", "3.50"]);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`MeshSocket::recv_timeout`](crate::MeshSocket::recv_timeout).
    pub fn recv_timeout(&self, timeout: Duration) -> Result<Message, RecvTimeoutError> {
        self.intake().recv_timeout(timeout)
    }

    /// Returns the messages that are waiting, at most `count`. Never blocks.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// let prices = sock.subscribe("prices")?;
    /// for price in prices.recv_many(100)? {
    ///     println!("{price}");
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`RecvError::Closed`] once the socket is closed and the queue is empty.
    pub fn recv_many(&self, count: usize) -> Result<Vec<Message>, RecvError> {
        self.intake().recv_many(count)
    }

    /// Returns an iterator over messages as they arrive, until the socket is closed. It blocks between
    /// them.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// let prices = alice.subscribe("prices")?;
    /// bob.send_with(rs2p::SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// for price in prices.iter().take(1) {
    ///     assert_eq!(price.payload(), ["tea", "3.50"]);
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = Message> {
        std::iter::from_fn(|| self.recv().ok())
    }

    /// Returns the queue itself, for `select!`; see
    /// [`MeshSocket::receiver`](crate::MeshSocket::receiver).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// let prices = alice.subscribe("prices")?;
    /// bob.send_with(rs2p::SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// let (prices, orders) = (prices.receiver(), alice.receiver());
    /// rs2p::crossbeam_channel::select! {
    ///     recv(prices) -> price => println!("{price:?}"),
    ///     recv(orders) -> order => println!("{order:?}"),
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn receiver(&self) -> Receiver<Message> {
        self.intake().receiver()
    }

    /// Has a function called whenever there is something to receive; see
    /// [`MeshSocket::notify_with`](crate::MeshSocket::notify_with).
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// let prices = alice.subscribe("prices")?;
    /// bob.send_with(rs2p::SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// let (wake, woken) = std::sync::mpsc::channel();
    /// prices.notify_with(move || _ = wake.send(()));
    /// woken.recv_timeout(std::time::Duration::from_secs(5)).expect("it wakes");
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn notify_with(&self, callback: impl Fn() + Send + Sync + 'static) {
        self.topic.outlet.notify_with(callback);
    }

    /// Returns how many messages wait in the queue.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.subscribe("prices")?.waiting(), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.topic.outlet.receiver.len()
    }

    /// Returns how many messages were put into the queue so far.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// let prices = alice.subscribe("prices")?;
    /// bob.send_with(rs2p::SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// prices.recv()?;
    /// assert_eq!(prices.queued(), 1);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn queued(&self) -> u64 {
        self.topic.outlet.queued.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Returns how many of them were dropped, because the program did not receive them in time.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let sock = MeshSocket::bind("127.0.0.1:0")?;
    /// assert_eq!(sock.subscribe("prices")?.dropped(), 0);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.topic.outlet.dropped.load(std::sync::atomic::Ordering::Relaxed)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.delivery.topics.unsubscribe(&self.topic);
    }
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Subscription({:?}, {} waiting)", self.kind(), self.waiting())
    }
}
