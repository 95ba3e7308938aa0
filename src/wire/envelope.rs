//! One message: its packet table, the check of its id, and the form in which it is relayed.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha384};

use super::body::Body;
use super::buffer::Buffer;
use super::compression;
use super::draft::Slices;
use super::frame::{Frame, PREFIX, write_size};
use super::malformed::Malformed;
use super::method::Method;
use super::pacing::Pacing;
use super::sender::LastSender;
use crate::base58;
use crate::id::{MessageId, NodeId};
use crate::options::Flag;
use crate::packet::{Packet, PacketList};

/// Most packets of one message. py2p has no limit. An empty packet takes 4 bytes in the frame and
/// 32 bytes in memory as a [`Packet`], so a message takes at most 2 MiB more than its frame.
pub(crate) const MAX_PACKETS: usize = 65_536;

/// Main flag, sender, id and time come before the payload.
pub(super) const HEAD: usize = 4;

/// Most packets of a payload, the kind included.
pub(crate) const MAX_PAYLOAD: usize = MAX_PACKETS - HEAD;

/// A message of which only the head was read: enough to recognise a duplicate without a hash.
#[derive(Debug)]
pub(crate) struct Header {
    is_pacing: bool,
    /// Uncompressed, prefix included.
    frame: Buffer,
    /// Number of packets, those of the head included.
    count: usize,
    main: Flag,
    main_at: usize,
    sender: NodeId,
    id: MessageId,
    time: u64,
    time_at: Range<usize>,
    /// Whether the time is in its canonical form.
    is_canonical: bool,
}

impl Header {
    /// Reads the head of a frame, decompressing it first where needed. `frame` includes the
    /// length prefix, `announced` are the methods that its sender may have used.
    #[cfg(test)]
    pub fn parse(
        frame: impl Into<Buffer>,
        announced: &[Method],
        max_body: usize,
    ) -> Result<Self, Malformed> {
        Header::parse_after(&mut LastSender::default(), frame, announced, max_body)
    }

    /// Reads the head of the next frame of a link, see [`LastSender`].
    #[cfg(any(test, feature = "bench", feature = "fuzzing", feature = "sim"))]
    pub fn parse_after(
        last: &mut LastSender,
        frame: impl Into<Buffer>,
        announced: &[Method],
        max_body: usize,
    ) -> Result<Self, Malformed> {
        let frame = frame.into();
        let plain = unpack(&frame, announced, max_body).map_err(|_| Malformed::TooBig)?;
        Header::read(last, plain.unwrap_or(frame))
    }

    /// Reads the head of the next frame of a link, which is not compressed.
    pub fn read(last: &mut LastSender, frame: Buffer) -> Result<Self, Malformed> {
        let count = count_packets(frame.get(PREFIX..).unwrap_or_default())?;
        let mut packets = packet_ranges(&frame, count);
        let first = std::array::from_fn(|_| packets.next());
        let list = packets.next();
        drop(packets);
        let [Some(main_at), Some(sender), Some(id), Some(time_at), kind] = first else {
            return Err(Malformed::Unparsable("fewer than four packets"));
        };
        if kind.is_none() {
            return Err(Malformed::NoPayload);
        }
        let text_at = |range: &Range<usize>| frame.get(range.clone()).unwrap_or_default();
        let &[main] = text_at(&main_at) else { return Err(Malformed::BadFlag) };
        let text = text_at(&time_at);
        let (time, canonical) = base58::parse_time(text).ok_or(Malformed::BadTime)?;
        Ok(Header {
            count,
            is_pacing: matches!((&kind, &list), (Some(kind), Some(list))
                if Pacing::is_word(text_at(kind), text_at(list))),
            main: Flag::from_byte(main),
            main_at: main_at.start,
            sender: last.read(text_at(&sender)).ok_or(Malformed::BadSender)?,
            id: MessageId::from_wire(text_at(&id)).ok_or(Malformed::WrongId)?,
            time,
            is_canonical: text == canonical,
            time_at,
            frame,
        })
    }

    /// Whether it is a word about the pace of its link: those do not count as traffic.
    pub fn is_pacing(&self) -> bool {
        self.is_pacing
    }

    pub fn main(&self) -> Flag {
        self.main
    }

    /// Returns the id that the message claims.
    pub fn id(&self) -> &MessageId {
        &self.id
    }

    /// Seconds since the epoch; `u64::MAX` stands for any later time.
    pub fn time(&self) -> u64 {
        self.time
    }

    /// Returns the bytes of memory that this message occupies, which is decompressed.
    pub fn pinned(&self) -> usize {
        self.frame.len()
    }

    /// Checks the id and reads the payload.
    pub fn verify(mut self) -> Result<Envelope, Malformed> {
        if !self.is_canonical {
            self.make_time_canonical();
        }
        let payload = self.frame.get(self.time_at.end..).unwrap_or_default();
        let time = self.frame.get(self.time_at.clone()).unwrap_or_default();
        let hashed = Sha384::new().chain_update(payload).chain_update(time);
        if *self.id.as_digest() != <[u8; 48]>::from(hashed.finalize()) {
            return Err(Malformed::WrongId);
        }
        if self.main.is_relayed()
            && let Some(main) = self.frame.get_mut(self.main_at)
        {
            *main = Flag::Waterfall.as_byte();
        }
        let bytes = self.frame.freeze();
        let payload = packet_ranges(&bytes, self.count).skip(HEAD);
        let packets: PacketList = payload.map(|range| Packet::cut(&bytes, range)).collect();
        Ok(Envelope {
            main: self.main,
            sender: self.sender,
            id: self.id,
            time: self.time,
            body: Body::read(self.main, &packets),
            packets,
            bytes,
        })
    }

    /// Replaces the text of the time by its canonical form, which the id is computed from and which
    /// py2p relays. They differ only if the text has leading zeros or is empty.
    fn make_time_canonical(&mut self) {
        let Range { start, end } = self.time_at;
        let Some((before, text, after)) = split_in_three(&self.frame, start, end) else { return };
        let Some((_, canonical)) = base58::parse_time(text) else { return };
        let mut frame = BytesMut::from([before, canonical, after].concat().as_slice());
        let body = frame.len().saturating_sub(PREFIX);
        write_size(&mut frame, 0, body);
        // The sizes of the packets follow that of the body.
        write_size(&mut frame, HEAD, canonical.len());
        let end = start.saturating_add(canonical.len());
        (self.frame, self.time_at) = (frame.into(), start..end);
    }
}

/// A message whose id was checked.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub main: Flag,
    pub sender: NodeId,
    pub id: MessageId,
    /// Seconds since the epoch; `u64::MAX` stands for any later time.
    pub time: u64,
    /// The payload. Its first packet is the kind, which is always present.
    pub packets: PacketList,
    /// What the protocol reads from the payload.
    pub body: Body,
    /// The frame as it is relayed. The packets share its memory.
    bytes: Bytes,
}

impl Envelope {
    /// Returns the message as it is relayed: one frame for all peers.
    pub fn relay(&self) -> Frame {
        Frame::new(self.bytes.clone())
    }

    /// Takes over the memory of an equal message: the simulator keeps the bytes of each message once, and not once
    /// for each node.
    #[cfg(feature = "sim")]
    pub fn share_memory(&mut self, other: &Envelope) {
        if self.bytes == other.bytes {
            (self.packets, self.bytes) = (other.packets.clone(), other.bytes.clone());
        }
    }

    /// Reads a little of each part, so that the processor has it at hand. The result means nothing.
    pub fn touch(&self) -> usize {
        let is_for_user = matches!(self.body, Body::User);
        let first_bytes = self.sender.as_bytes().first().max(self.id.as_digest().first());
        let first_byte = first_bytes.map_or(0, |byte| usize::from(*byte));
        self.packets.len() ^ self.bytes.len() ^ usize::from(is_for_user) ^ first_byte
    }

    /// Returns the uncompressed length of the frame, prefix included.
    pub fn frame_len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns roughly how many bytes of memory this message occupies.
    pub fn pinned(&self) -> usize {
        let packets = self.packets.len().saturating_mul(size_of::<Packet>());
        size_of::<Envelope>().saturating_add(packets).saturating_add(self.bytes.len())
    }
}

/// Decompresses a frame. Returns `None` if it is not compressed.
pub(crate) fn unpack(
    frame: &[u8],
    announced: &[Method],
    max: usize,
) -> Result<Option<Buffer>, compression::TooBig> {
    let body = frame.get(PREFIX..).unwrap_or_default();
    let mut plain = compression::decompress(body, announced, PREFIX, max)?;
    if let Some(plain) = &mut plain {
        let len = plain.len().saturating_sub(PREFIX);
        write_size(plain, 0, len);
    }
    Ok(plain)
}

/// Returns the payload of a frame that this node encoded, kind first; nothing if it is none.
pub(crate) fn payload_of(frame: &Frame) -> Slices<'_> {
    let bytes = frame.bytes(None);
    let count = count_packets(bytes.get(PREFIX..).unwrap_or_default()).unwrap_or(0);
    packet_ranges(bytes, count).skip(HEAD).filter_map(|range| bytes.get(range)).collect()
}

/// Returns the number of packets of a body. The body does not state it: the sizes at its start end
/// where they and the packets that they announce fill the body exactly.
fn count_packets(body: &[u8]) -> Result<usize, Malformed> {
    let mut rest = body.len();
    for (before, bytes) in body.chunks(PREFIX).enumerate() {
        if before == MAX_PACKETS {
            return Err(Malformed::TooManyPackets);
        }
        let bytes = bytes.try_into().map_err(|_| Malformed::Unparsable("cut short"))?;
        let taken = PREFIX.checked_add(u32::from_be_bytes(bytes) as usize);
        rest = taken
            .and_then(|taken| rest.checked_sub(taken))
            .ok_or(Malformed::Unparsable("sizes exceed the frame"))?;
        if rest == 0 {
            return Ok(before.saturating_add(1));
        }
    }
    Err(Malformed::Unparsable("empty"))
}

/// Returns where the packets of a frame are. `count` comes from [`count_packets`], so all ranges
/// lie inside the frame.
fn packet_ranges(frame: &[u8], count: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = count.saturating_add(1).saturating_mul(PREFIX);
    let (sizes, _) = frame.get(PREFIX..start).unwrap_or_default().as_chunks::<PREFIX>();
    sizes.iter().map(move |size| {
        let end = start.saturating_add(u32::from_be_bytes(*size) as usize);
        std::mem::replace(&mut start, end)..end
    })
}

/// Cuts bytes at two places.
fn split_in_three(bytes: &[u8], start: usize, end: usize) -> Option<(&[u8], &[u8], &[u8])> {
    let (head, after) = bytes.split_at_checked(end)?;
    let (before, between) = head.split_at_checked(start)?;
    Some((before, between, after))
}
