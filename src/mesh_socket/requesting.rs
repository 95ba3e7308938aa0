//! Asking: a message that waits for its answer.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::MeshSocket;
use super::connecting::far_future;
use super::posting::Purpose;
use crate::delivery::questions::Asked;
use crate::error::{Error, Result};
use crate::id::NodeId;
use crate::message::Message;
use crate::options::SendOptions;
use crate::packets::Packets;
use crate::request::Answers;

/// Questions and answers; see [`request`](crate::request) for what is certain.
impl MeshSocket {
    /// Asks one node, wherever in the mesh it is, and waits for its answer: what its program gives to
    /// [`Message::reply`].
    ///
    /// Blocks for at most `timeout`, the wait for room in the queue to a peer included. May be called in
    /// several threads at a time. The answer is returned here and nowhere else: handlers and
    /// [`recv`](MeshSocket::recv) do not get it.
    ///
    /// ```
    /// # use rs2p::{Connection, Message, MeshSocket};
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// alice.register_handler(|question: &Message, _: &Connection| {
    ///     question.reply("half past nine").is_ok()
    /// });
    /// let answer = bob.request(&alice.id(), "what time is it?", Duration::from_secs(5))?;
    /// assert_eq!(answer[1], b"half past nine");
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::TimedOut`]: no answer came in time. The question may have arrived.
    /// - [`Error::NoRoute`]: the node is not a peer, and did not confirm within the
    ///   [request timeout](crate::Builder::request_timeout) that it has taken the question.
    /// - [`Error::WouldDeadlock`]: inside a handler, always, because answers come on its thread.
    /// - Those of [`send_to`](MeshSocket::send_to).
    pub fn request(
        &self,
        to: &NodeId,
        packets: impl Packets,
        timeout: Duration,
    ) -> Result<Message> {
        let (asked, deadline) = self.ask(Some(*to), timeout)?;
        let patience = timeout.min(self.core().config.send_timeout);
        self.post(to, Purpose::Question(&asked), packets, patience)?;
        asked.question.wait(deadline)
    }

    /// Asks all nodes and returns the first answer. Later answers are counted in
    /// [`Stats::late_answers`](crate::Stats::late_answers) and dropped.
    ///
    /// Blocks for at most `timeout`, as [`request`](MeshSocket::request) does.
    ///
    /// ```
    /// # use rs2p::{Connection, Message, MeshSocket};
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// # alice.register_handler(|question: &Message, _: &Connection| question.reply("I").is_ok());
    /// let answer = bob.request_any("who has the key?", Duration::from_secs(5))?;
    /// println!("{} has it", answer.sender());
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] if no answer came in time, [`Error::NoRoute`] if this node has no peers,
    /// [`Error::WouldDeadlock`] inside a handler, and those of [`send`](MeshSocket::send).
    pub fn request_any(&self, packets: impl Packets, timeout: Duration) -> Result<Message> {
        let mut answers = self.request_all(packets, timeout)?;
        if answers.sent().peers() == 0 {
            return Err(Error::NoRoute);
        }
        answers.wait()
    }

    /// Asks all nodes. Returns an iterator of their answers, which ends when `timeout` is over or the
    /// socket is closed. Dropping it ends the question.
    ///
    /// Blocks while there is no room for the question; the iterator blocks between answers. It holds as
    /// many as the queue to `recv` may; what is more counts in
    /// [`Stats::late_answers`](crate::Stats::late_answers).
    ///
    /// ```
    /// # use rs2p::{Connection, Message, MeshSocket};
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// # alice.register_handler(|question: &Message, _: &Connection| question.reply("I").is_ok());
    /// let others = 1;
    /// for answer in bob.request_all("who is there?", Duration::from_secs(5))?.take(others) {
    ///     println!("{} is", answer.sender());
    /// }
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::WouldDeadlock`] inside a handler, and those of [`send`](MeshSocket::send). Without peers
    /// there is no error: the iterator ends at once.
    pub fn request_all(&self, packets: impl Packets, timeout: Duration) -> Result<Answers> {
        let (asked, deadline) = self.ask(None, timeout)?;
        let options = SendOptions::new();
        let draft = self.draft(&options, packets)?;
        let count = draft.packets.len() - 1;
        let patience = timeout.min(self.core().config.send_timeout);
        let sent =
            draft.with_parts(|parts| self.broadcast(parts, patience, |id| asked.is_sent_as(id)))?;
        self.core().trace.sent(&options, count, sent.peers());
        Ok(Answers::new(asked, sent, deadline))
    }

    fn ask(&self, to: Option<NodeId>, timeout: Duration) -> Result<(Asked, Instant)> {
        self.check_open()?;
        if self.core().threads.is_mine() {
            return Err(Error::WouldDeadlock);
        }
        let deadline = Instant::now().checked_add(timeout).unwrap_or_else(far_future);
        Ok((Arc::clone(&self.delivery().questions).open(to)?, deadline))
    }
}
