//! A message of this node, before it is encoded.

use sha2::{Digest, Sha384};
use smallvec::SmallVec;

use super::envelope::HEAD;
use super::frame::{Frame, PREFIX, size};
use crate::base58::{self, DIGEST_LEN};
use crate::id::{MessageId, NodeId};
use crate::options::Flag;
use crate::packet::Packet;

/// A message to be sent. Its id depends on payload and time alone.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub main: Flag,
    /// The payload, kind first.
    pub packets: Vec<Packet>,
    /// Seconds since the epoch.
    pub time: u64,
}

impl Draft {
    /// Computes the message id.
    pub fn id(&self) -> MessageId {
        self.with_parts(|parts| parts.id())
    }

    /// Encodes the message for all peers. `id` is the result of [`Draft::id`].
    pub fn encode(&self, sender: &NodeId, id: &MessageId) -> Frame {
        self.with_parts(|parts| parts.encode(sender, id))
    }

    /// See [`Parts::encoded_len`].
    pub fn encoded_len(&self) -> usize {
        self.with_parts(|parts| parts.encoded_len())
    }

    /// Lends the bytes of the message.
    pub fn with_parts<R>(&self, ask: impl FnOnce(Parts<'_>) -> R) -> R {
        let packets: Slices<'_> = self.packets.iter().map(Packet::as_bytes).collect();
        ask(Parts { main: self.main, packets: &packets, time: self.time })
    }
}

/// The packets of a message: nearly always a kind and one or two more.
pub(crate) type Slices<'a> = SmallVec<[&'a [u8]; 4]>;

/// The bytes of a message of this node, wherever they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parts<'a> {
    pub main: Flag,
    /// The payload, kind first.
    pub packets: &'a [&'a [u8]],
    /// Seconds since the epoch.
    pub time: u64,
}

impl Parts<'_> {
    /// Computes the message id.
    pub fn id(&self) -> MessageId {
        let mut hash = Sha384::new();
        for packet in self.packets {
            hash.update(packet);
        }
        hash.update(base58::encode_u64(self.time).as_bytes());
        MessageId::from_digest(hash.finalize().into())
    }

    /// Returns the most bytes that the body can have, to be compared with a limit. It has fewer
    /// only if an id is short.
    pub fn encoded_len(&self) -> usize {
        let time = base58::encode_u64(self.time);
        let head: [usize; HEAD] = [1, DIGEST_LEN, DIGEST_LEN, time.as_bytes().len()];
        let payload = self.packets.iter().map(|packet| packet.len());
        sum(head.into_iter().chain(payload))
    }

    /// Encodes the message for all peers. `id` is the result of [`Parts::id`].
    pub fn encode(&self, sender: &NodeId, id: &MessageId) -> Frame {
        let (id, id_len) = base58::encode_digest(id.as_digest());
        let time = base58::encode_u64(self.time);
        let head: [&[u8]; HEAD] = [
            &[self.main.as_byte()],
            sender.as_bytes(),
            id.get(..usize::from(id_len)).unwrap_or_default(),
            time.as_bytes(),
        ];
        let packets = || head.into_iter().chain(self.packets.iter().copied());
        let len = sum(packets().map(<[u8]>::len));
        let mut frame = Vec::with_capacity(PREFIX.saturating_add(len));
        frame.extend_from_slice(&size(len));
        for packet in packets() {
            frame.extend_from_slice(&size(packet.len()));
        }
        for packet in packets() {
            frame.extend_from_slice(packet);
        }
        Frame::new(frame.into())
    }
}

/// Returns the length of packets of these lengths, each behind its size.
fn sum(lens: impl Iterator<Item = usize>) -> usize {
    lens.fold(0, |sum, len| sum.saturating_add(PREFIX).saturating_add(len))
}
