//! Questions and their answers.
//!
//! [`MeshSocket::request`](crate::MeshSocket::request) asks one node,
//! [`request_any`](crate::MeshSocket::request_any) and
//! [`request_all`](crate::MeshSocket::request_all) ask all. A question is an ordinary message: who is
//! asked receives it with a handler or with `recv`, and answers with
//! [`Message::reply`](crate::Message::reply). Questions and answers travel over any number of hops.
//!
//! # What is certain
//!
//! - Between rs2p nodes an answer names its question. So any number of threads can ask at a time, the
//!   same words too, and each gets the answers to its own question.
//! - An answer is returned by the call that asked, and by nothing else: handlers, subscriptions and
//!   `recv` do not get it. One that comes after the question is over is dropped and counted in
//!   [`Stats::late_answers`](crate::Stats::late_answers), as long as it is one of the latest 16,384
//!   questions; after that it is an ordinary message.
//! - Each answer is returned once.
//! - A call returns when its time is up, at the latest.
//!
//! # What is best effort
//!
//! - Whether an answer comes: the question or the answer may be lost with a link, and
//!   [`Error::TimedOut`](crate::Error::TimedOut) does not say which. Ask again only what may be done
//!   twice.
//! - Who answered: as with every message that others pass on, a member of the mesh that has seen a
//!   question can forge an answer to it.
//! - Answers of py2p nodes. The wire of py2p does not say what a reply answers. So a whisper of a py2p node
//!   that this node is linked to is taken for the answer to the oldest open question that was put to it,
//!   or to everybody, and that it has not answered. An answer to a question that has timed out may be
//!   taken for the answer to the next one, and so may a whisper that is no answer at all.
//!
//! # Threads
//!
//! Answers are handed out by the daemon thread, in the order in which messages arrive. So a question
//! cannot be asked inside a handler, and a slow handler delays answers. They also wait behind messages
//! for which the queue to `recv` has no room: a program that gets many messages receives them in one
//! thread and asks in another.

use std::time::Instant;

use crate::delivery::questions::Asked;
use crate::error::Result;
use crate::mesh_socket::Sent;
use crate::message::Message;

/// The answers to a question; see [`MeshSocket::request_all`](crate::MeshSocket::request_all).
///
/// ```
/// # use rs2p::MeshSocket;
/// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
/// # bob.connect(alice.local_addr())?;
/// use std::time::Duration;
///
/// let answering = std::thread::spawn(move || alice.recv()?.reply("I do"));
/// for answer in bob.request_all("who hears me?", Duration::from_secs(5))?.take(1) {
///     println!("{} does", answer.sender());
/// }
/// # answering.join().expect("a thread that ends")?;
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Debug)]
pub struct Answers {
    asked: Asked,
    sent: Sent,
    deadline: Instant,
}

impl Answers {
    pub(crate) fn new(asked: Asked, sent: Sent, deadline: Instant) -> Self {
        Answers { asked, sent, deadline }
    }

    /// Returns what became of the question: how many direct peers it went to, and its id.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// use std::time::Duration;
    ///
    /// let answers = bob.request_all("who hears me?", Duration::from_millis(10))?;
    /// assert_eq!(answers.sent().peers(), 1);
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    #[must_use]
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// Returns the next answer if one is waiting. Never blocks.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # let (alice, bob) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    /// # bob.connect(alice.local_addr())?;
    /// use std::time::Duration;
    ///
    /// let mut answers = bob.request_all("who hears me?", Duration::from_secs(5))?;
    /// while let Some(answer) = answers.try_next() {
    ///     println!("{} does", answer.sender());
    /// }
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn try_next(&mut self) -> Option<Message> {
        self.asked.question.wait(Instant::now()).ok()
    }

    pub(crate) fn wait(&mut self) -> Result<Message> {
        self.asked.question.wait(self.deadline)
    }
}

impl Iterator for Answers {
    type Item = Message;

    fn next(&mut self) -> Option<Message> {
        if self.sent.peers() == 0 { None } else { self.wait().ok() }
    }
}
