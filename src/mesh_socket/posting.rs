//! Sending to one node, wherever in the mesh it is: by the user's choice, as an answer, as a question.

use std::sync::Arc;
use std::time::Duration;

use super::MeshSocket;
use super::room::{Refused, has_room};
use super::sending::Deadline;
use crate::delivery::questions::Asked;
use crate::error::{Error, Result};
use crate::id::{MessageId, NodeId};
use crate::node::{Dispatch, SendPath};
use crate::options::SendOptions;
use crate::packets::Packets;
use crate::routed::{Routed, Ticket};
use crate::runtime::link::Queue;
use crate::runtime::slot::Slot;
use crate::wire::routed::Address;
use crate::wire::{Draft, Letter};

/// Why a message is sent to one node.
#[derive(Clone, Copy)]
pub(crate) enum Purpose<'a> {
    Message,
    /// It answers this message of the node.
    Answer(MessageId),
    /// An answer is awaited.
    Question(&'a Asked),
}

impl Purpose<'_> {
    fn about(self) -> Option<MessageId> {
        if let Purpose::Answer(about) = self { Some(about) } else { None }
    }

    /// Whether the message names another one, or is named by another one.
    fn is_named(self) -> bool {
        !matches!(self, Purpose::Message)
    }

    fn takes(self) -> fn(&Queue) -> bool {
        // Whoever waits for an answer can wait for room as well.
        if let Purpose::Question(_) = self { Queue::takes_own } else { Queue::takes_at_once }
    }
}

/// Sending to one node.
impl MeshSocket {
    /// Sends packets to one node, wherever in the mesh it is. Never waits.
    ///
    /// To a direct peer they are on their way when this returns: [`Routed::Sent`]. Otherwise
    /// [`Routed::Pending`] has a ticket that tells whether the node has taken them. They travel from
    /// peer to peer, back along the way that a message of that node has come. Where there is no such
    /// way, the mesh is asked where the node is, and a link to it is made.
    ///
    /// ```
    /// # use rs2p::MeshSocket;
    /// # use std::time::Duration;
    /// # fn main() -> rs2p::Result<()> {
    /// # let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # let bob = MeshSocket::bind(("127.0.0.1", 0))?;
    /// # bob.connect(alice.local_addr())?;
    /// bob.send_to(&alice.id(), "for you alone")?.wait(Duration::from_secs(5))?;
    /// assert_eq!(alice.recv()?[1], b"for you alone");
    /// # alice.close()?;
    /// # bob.close()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::TooLarge`], [`Error::TooManyPackets`], [`Error::Closed`], [`Error::Full`] if too much
    /// waits for that peer already, [`Error::TooManyRequests`] if too many messages wait for a
    /// route.
    pub fn send_to(&self, id: &NodeId, packets: impl Packets) -> Result<Routed> {
        self.post(id, Purpose::Message, packets, Duration::ZERO)
    }

    /// Sends packets to one node. Waits for room for at most `patience`.
    pub(crate) fn post(
        &self,
        id: &NodeId,
        purpose: Purpose<'_>,
        packets: impl Packets,
        patience: Duration,
    ) -> Result<Routed> {
        let draft = self.draft(&SendOptions::whisper(), packets)?;
        let mut deadline = Deadline::new(patience);
        loop {
            match self.try_post(id, purpose, &draft) {
                Err(refused) => self.wait_after(refused, &mut deadline)?,
                Ok(routed) => {
                    let count = draft.packets.len() - 1;
                    self.core().trace.sent(&SendOptions::whisper(), count, 1);
                    return routed;
                }
            }
        }
    }

    fn try_post(
        &self,
        id: &NodeId,
        purpose: Purpose<'_>,
        draft: &Draft,
    ) -> Result<Result<Routed>, Refused> {
        let core = self.core();
        let way = core.look(|state| state.node.way_to(id, purpose.about()));
        let is_peer = way.link.is_some_and(|(peer, _)| peer == *id);
        let address = self.address_of(id, purpose, &way);
        let routed = || Letter::new(draft, &core.id, &address, core.config.max_frame);
        let mut letter = match is_peer {
            true => self.letter_to_peer(purpose, &way, draft, &address),
            false => routed(),
        };
        let slot = Arc::new(Slot::default());
        let (routed, after) = core.step(|state, now| {
            let link = state.node.way_to(id, way.about).link;
            has_room(state, link, purpose.takes())?;
            if is_peer && state.node.link_of(id).is_none() {
                // It was lost just now. Rare enough to hash under the lock.
                letter = routed();
            }
            if let Purpose::Question(asked) = purpose {
                asked.is_sent_as(letter.plain_id);
                letter.routed.iter().for_each(|(_, id)| asked.is_sent_as(*id));
                asked.ends_with(&slot);
            }
            let routed = state.node.send_to(now, *id, letter);
            if let Dispatch::Pending(ticket) = routed {
                state.tickets.insert(ticket, Arc::clone(&slot));
            }
            Ok(routed)
        });
        after.run_writing(core);
        Ok(match routed? {
            Dispatch::Sent => Ok(Routed::Sent),
            Dispatch::Pending(_) => Ok(Routed::Pending(Ticket { slot, core: Arc::clone(core) })),
            Dispatch::TooMany => Err(Error::TooManyRequests),
        })
    }

    fn address_of(&self, id: &NodeId, purpose: Purpose<'_>, way: &SendPath) -> Address {
        Address {
            to: *id,
            about: way.about,
            is_answer: purpose.about().is_some(),
            number: self.core().counters.next_letter(),
        }
    }

    /// A peer that reads it is told which message is answered, and each question has an id of its own.
    fn letter_to_peer(
        &self,
        purpose: Purpose<'_>,
        way: &SendPath,
        draft: &Draft,
        address: &Address,
    ) -> Letter {
        let core = self.core();
        let direct = || Letter::direct(draft, &core.id, address, core.config.max_frame);
        let direct = (purpose.is_named() && way.is_told).then(direct).flatten();
        direct.unwrap_or_else(|| Letter::plain(draft, &core.id))
    }
}
