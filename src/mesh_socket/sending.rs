//! Sending: to everyone, and to the direct peers.

use std::time::{Duration, Instant};

use super::MeshSocket;
use super::connecting::far_future;
use super::drafting::{check, draft};
use super::room::{Refused, all_have_room, has_room, ids_have_room};
use super::sent::Sent;
use crate::error::{Error, Result};
use crate::id::{MessageId, NodeId};
use crate::node::{Dated, Now};
use crate::options::SendOptions;
use crate::packets::{Packets, Seal};
use crate::runtime::core::State;
use crate::runtime::link::Queue;
use crate::wire::{Draft, Frame, Parts};

/// Sending.
impl MeshSocket {
    /// Sends packets to every node of the mesh.
    ///
    /// They are on their way to the direct peers when this returns, and reach all others through
    /// them. Without peers nobody gets them, which is not an error: see [`Sent::peers`].
    ///
    /// Blocks while the queue to a peer is over its limit, and while the ids of so many messages are young that
    /// other nodes might refuse more (see [`Builder::seen_ids`](crate::Builder::seen_ids)); inside a
    /// handler it fails instead. [`try_send`](MeshSocket::try_send) never blocks.
    ///
    /// On py2p's wire a message is known by its packets and its second, not by its sender. When two nodes send
    /// equal packets in one second, the others get them once. If that matters, add what differs, such as the
    /// [`id`](MeshSocket::id) of the node.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// sock.send("one packet")?;
    /// sock.send(["this is", "a test"])?;
    /// sock.send(vec![b"\x00\xff".to_vec(), vec![]])?;
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`Error::TooLarge`]: larger than a frame may be; [`Error::TooManyPackets`]: over 65,532.
    /// - [`Error::Full`]: too much waits for a peer, and did for the whole send time-out. Nothing
    ///   was sent to anybody.
    /// - [`Error::TooFast`]: so many messages were sent lately that other nodes might not remember the ids of
    ///   more, and this was so for the whole send time-out. Nothing was sent to anybody.
    /// - [`Error::Repeated`]: the same packets were sent more often than once a second for long.
    /// - [`Error::Closed`]: the socket is closed.
    pub fn send(&self, packets: impl Packets) -> Result<Sent> {
        self.send_with(SendOptions::new(), packets)
    }

    /// Sends packets to the direct peers, who do not pass them on. Waits as
    /// [`send`](MeshSocket::send) does.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// let sent = bob.whisper("for the neighbours")?;
    /// assert_eq!(sent.peers(), 1);
    /// assert_eq!(alice.recv()?[1], b"for the neighbours");
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`send`](MeshSocket::send).
    pub fn whisper(&self, packets: impl Packets) -> Result<Sent> {
        self.send_with(SendOptions::whisper(), packets)
    }

    /// Sends packets with a flag, which says how others relay them, and a kind, which says what
    /// they are. Waits as [`send`](MeshSocket::send) does.
    ///
    /// ```
    /// # use rs2p::{Kind, MeshSocket, SendOptions};
    /// # fn main() -> rs2p::Result<()> {
    /// # let sock = MeshSocket::bind(("127.0.0.1", 0))?;
    /// sock.send_with(SendOptions::new().kind(Kind::new("tx_relay")), "a transaction")?;
    /// # sock.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`send`](MeshSocket::send), and [`Error::ReservedKind`] or [`Error::ReservedFlag`] for
    /// what only the protocol itself may say.
    pub fn send_with(&self, options: SendOptions, packets: impl Packets) -> Result<Sent> {
        if options.flag.is_relayed()
            && let Some(payload) = packets.as_one(Seal)
        {
            return self.broadcast_one(&options, payload);
        }
        let draft = self.draft(&options, packets)?;
        let (count, patience) = (draft.packets.len() - 1, self.patience(&options));
        let sent = match options.flag.is_relayed() {
            true => draft.with_parts(|parts| self.broadcast(parts, patience, |_| {})),
            false => self.whisper_to_all(&draft, patience),
        }?;
        self.core().trace.sent(&options, count, sent.peers);
        Ok(sent)
    }

    /// Sends to one direct peer, waiting for room.
    pub(crate) fn send_to_peer(
        &self,
        id: &NodeId,
        options: SendOptions,
        packets: impl Packets,
    ) -> Result<()> {
        let draft = self.draft(&options, packets)?;
        let frame = draft.encode(&self.id(), &draft.id());
        let sent = self.with_room(Some(*id), self.patience(&options), |state, _| {
            state.node.whisper_to(id, &frame)
        })?;
        if !sent {
            return Err(Error::UnknownPeer { id: Box::new(*id) });
        }
        self.core().trace.sent(&options, draft.packets.len() - 1, 1);
        Ok(())
    }

    /// Broadcasts one packet. Its bytes are copied once, into the frame.
    fn broadcast_one(&self, options: &SendOptions, payload: &[u8]) -> Result<Sent> {
        let core = self.core();
        let now = core.clock.now();
        core.phase.check_at(now.mono)?;
        let packets = &[options.kind.as_bytes(), payload];
        let parts = Parts { main: options.flag, packets, time: now.second() };
        check(options, &parts, core.config.max_frame)?;
        let sent = self.broadcast(parts, self.patience(options), |_| {})?;
        core.trace.sent(options, 1, sent.peers);
        Ok(sent)
    }

    /// Checks what is to be sent.
    pub(super) fn draft(&self, options: &SendOptions, packets: impl Packets) -> Result<Draft> {
        let core = self.core();
        let now = core.clock.now();
        core.phase.check_at(now.mono)?;
        draft(options, packets, now.second(), core.config.max_frame)
    }

    /// Sends to all. Dated after waiting for room, however long that took: old messages are dropped.
    /// The id goes through `note` before anybody can answer.
    pub(super) fn broadcast(
        &self,
        parts: Parts<'_>,
        patience: Duration,
        note: impl Fn(MessageId),
    ) -> Result<Sent> {
        let mut deadline = Deadline::new(patience);
        let mut message = Dated::new(parts, self.id());
        loop {
            match self.publish(&mut message, &note) {
                Err(refused) => self.wait_after(refused, &mut deadline)?,
                Ok(sent) => return sent,
            }
        }
    }

    fn publish(
        &self,
        message: &mut Dated,
        note: impl Fn(MessageId),
    ) -> Result<Result<Sent>, Refused> {
        let (published, after) = self.core().step(|state, now| {
            ids_have_room(state, now)?;
            all_have_room(state)?;
            let published = state.node.publish(now, message);
            if published.is_ok() {
                note(message.id());
            }
            Ok(published)
        });
        after.run_writing(self.core());
        let id = message.id();
        Ok(published?.map(|peers| Sent { peers, id }).map_err(|_| Error::Repeated))
    }

    fn whisper_to_all(&self, draft: &Draft, patience: Duration) -> Result<Sent> {
        let id = draft.id();
        let frame: Frame = draft.encode(&self.id(), &id);
        let peers = self.with_room(None, patience, |state, _| state.node.whisper(&frame))?;
        Ok(Sent { peers, id })
    }

    /// Has the node send something once all links concerned have room for it: all of them get it,
    /// or, with an error, none.
    fn with_room<R>(
        &self,
        only: Option<NodeId>,
        patience: Duration,
        mut send: impl FnMut(&mut State, Now) -> R,
    ) -> Result<R> {
        let mut deadline = Deadline::new(patience);
        loop {
            let (sent, after) = self.core().step(|state, now| {
                let link_of = |id| state.node.link_of(&id).map(|link| (id, link));
                match only {
                    Some(id) => has_room(state, link_of(id), Queue::takes_own)?,
                    None => all_have_room(state)?,
                }
                Ok(send(state, now))
            });
            after.run_writing(self.core());
            match sent {
                Ok(sent) => return Ok(sent),
                Err(refused) => self.wait_after(refused, &mut deadline)?,
            }
        }
    }

    pub(super) fn patience(&self, options: &SendOptions) -> Duration {
        options.timeout.unwrap_or(self.core().config.send_timeout)
    }

    /// Waits until what was refused may be tried again, unless nobody may wait here: in a handler, or without a
    /// deadline.
    pub(super) fn wait_after(&self, refused: Refused, deadline: &mut Deadline) -> Result<()> {
        let until = deadline.at().filter(|_| !self.core().threads.is_mine());
        let (may_try_again, error) = match refused {
            Refused::Closed => return Err(Error::Closed),
            Refused::Full(peer, link) => (
                until.is_some_and(|at| link.wait_for_room(at)),
                Error::Full { peer: Box::new(peer) },
            ),
            Refused::TooFast(pause) => {
                (until.is_some_and(|at| self.pause(pause, at)), Error::TooFast)
            }
        };
        self.check_open()?;
        if may_try_again { Ok(()) } else { Err(error) }
    }

    /// Waits for this time, or until the socket is closed. Returns false if the deadline comes first.
    fn pause(&self, pause: Duration, deadline: Instant) -> bool {
        let end = Instant::now() + pause;
        self.core().wait_for_peers(end.min(deadline), |state| state.node.is_closed());
        end <= deadline
    }
}

/// When to give up waiting for room. The clock is read when there is none: most messages find some.
pub(super) struct Deadline {
    patience: Duration,
    at: Option<Instant>,
}

impl Deadline {
    pub fn new(patience: Duration) -> Self {
        Deadline { patience, at: None }
    }

    /// Returns `None` if it is not waited at all.
    fn at(&mut self) -> Option<Instant> {
        let patience = self.patience;
        let at = || Instant::now().checked_add(patience).unwrap_or_else(far_future);
        (!patience.is_zero()).then(|| *self.at.get_or_insert_with(at))
    }
}
