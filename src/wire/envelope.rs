//! One message: its packet table, the check of its id, and the form in which it is relayed.

use std::fmt;
use std::ops::Range;

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha384};

use super::body::Body;
use super::compression;
use super::draft::Slices;
use super::frame::{Frame, PREFIX, size};
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

/// Why a frame is not a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It cannot be cut into packets. py2p asks for the message again, uncompressed.
    Unparsable(&'static str),
    /// The id does not match the payload and the time.
    WrongId,
    /// The time is not a number.
    BadTime,
    /// The sender is not a node id.
    BadSender,
    /// The main flag is not one byte.
    BadFlag,
    /// The message has no kind.
    NoPayload,
    /// The decompressed frame exceeds the limit.
    TooBig,
    /// It has more than [`MAX_PACKETS`] packets.
    TooManyPackets,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Malformed::Unparsable(why) => return write!(f, "unparsable frame: {why}"),
            Malformed::WrongId => "the message id is wrong",
            Malformed::BadTime => "the time is not a number",
            Malformed::BadSender => "the sender is not a node id",
            Malformed::BadFlag => "the main flag is not one byte",
            Malformed::NoPayload => "the message has no payload",
            Malformed::TooBig => "the decompressed frame is too big",
            Malformed::TooManyPackets => "the message has too many packets",
        })
    }
}

/// A message of which only the head was read: enough to recognise a duplicate without a hash.
#[derive(Debug)]
pub(crate) struct Header {
    is_pacing: bool,
    /// Uncompressed, prefix included.
    frame: BytesMut,
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
        frame: BytesMut,
        announced: &[Method],
        max_body: usize,
    ) -> Result<Self, Malformed> {
        Header::parse_after(&mut LastSender::default(), frame, announced, max_body)
    }

    /// Reads the head of the next frame of a link, see [`LastSender`].
    pub fn parse_after(
        last: &mut LastSender,
        frame: BytesMut,
        announced: &[Method],
        max_body: usize,
    ) -> Result<Self, Malformed> {
        let frame = decompressed(frame, announced, max_body)?;
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
        let [main] = frame[main_at.clone()] else { return Err(Malformed::BadFlag) };
        let text = &frame[time_at.clone()];
        let (time, canonical) = base58::parse_time(text).ok_or(Malformed::BadTime)?;
        Ok(Header {
            count,
            is_pacing: matches!((&kind, &list), (Some(kind), Some(list))
                if Pacing::is_word(&frame[kind.clone()], &frame[list.clone()])),
            main: Flag::from_byte(main),
            main_at: main_at.start,
            sender: last.read(&frame[sender]).ok_or(Malformed::BadSender)?,
            id: MessageId::from_wire(&frame[id]).ok_or(Malformed::WrongId)?,
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
        let hashed = Sha384::new()
            .chain_update(&self.frame[self.time_at.end..])
            .chain_update(&self.frame[self.time_at.clone()]);
        if *self.id.as_digest() != <[u8; 48]>::from(hashed.finalize()) {
            return Err(Malformed::WrongId);
        }
        if self.main.is_relayed() {
            self.frame[self.main_at] = Flag::Waterfall.as_byte();
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
        let text = &self.frame[self.time_at.clone()];
        let Some((_, canonical)) = base58::parse_time(text) else { return };
        let mut frame = BytesMut::with_capacity(self.frame.len() + canonical.len());
        frame.extend_from_slice(&self.frame[..self.time_at.start]);
        frame.extend_from_slice(canonical);
        let time_at = self.time_at.start..frame.len();
        frame.extend_from_slice(&self.frame[self.time_at.end..]);
        let (body, time) = (size(frame.len() - PREFIX), size(time_at.len()));
        frame[..PREFIX].copy_from_slice(&body);
        frame[size_at(HEAD - 1)].copy_from_slice(&time);
        (self.frame, self.time_at) = (frame, time_at);
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

    /// Reads a little of each part, so that the processor has it at hand. The result means nothing.
    pub fn touch(&self) -> usize {
        let is_for_user = matches!(self.body, Body::User);
        let first_bytes = self.sender.as_bytes().first().max(self.id.as_digest().first());
        let lens = self.packets.len() + self.bytes.len() + usize::from(is_for_user);
        lens + first_bytes.map_or(0, |byte| usize::from(*byte))
    }

    /// Returns the uncompressed length of the frame, prefix included.
    pub fn frame_len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns roughly how many bytes of memory this message occupies.
    pub fn pinned(&self) -> usize {
        self.bytes.len() + self.packets.len() * size_of::<Packet>() + size_of::<Envelope>()
    }
}

/// Returns the frame decompressed, or as it is if it was not compressed.
fn decompressed(frame: BytesMut, announced: &[Method], max: usize) -> Result<BytesMut, Malformed> {
    let body = frame.get(PREFIX..).unwrap_or_default();
    match compression::decompress(body, announced, PREFIX, max) {
        Ok(Some(mut plain)) => {
            let len = size(plain.len() - PREFIX);
            plain[..PREFIX].copy_from_slice(&len);
            Ok(BytesMut::from(Bytes::from(plain)))
        }
        Ok(None) => Ok(frame),
        Err(compression::TooBig) => Err(Malformed::TooBig),
    }
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
            return Ok(before + 1);
        }
    }
    Err(Malformed::Unparsable("empty"))
}

/// Returns where the packets of a frame are. `count` comes from [`count_packets`], so all ranges
/// lie inside the frame.
fn packet_ranges(frame: &[u8], count: usize) -> impl Iterator<Item = Range<usize>> {
    let mut start = PREFIX + count * PREFIX;
    let (sizes, _) = frame[PREFIX..start].as_chunks::<PREFIX>();
    sizes.iter().map(move |size| {
        let end = start + u32::from_be_bytes(*size) as usize;
        std::mem::replace(&mut start, end)..end
    })
}

/// Returns where the size of a packet is in a frame.
fn size_at(packet: usize) -> Range<usize> {
    let start = PREFIX + packet * PREFIX;
    start..start + PREFIX
}
