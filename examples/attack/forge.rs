//! Frames that no honest node sends, or not that often.

use std::io::Write;

use crate::raw::{BROADCAST, frame, message};

pub const WHISPER: u8 = crate::raw::WHISPER;
/// The kind of the hellos of rs2p nodes.
pub const RS2P: &[u8] = b"rs2p";
/// The kind of a user's whisper.
const USER: &[u8] = &[2];

/// A broadcast of a user.
pub fn broadcast(id: &str, text: &[u8], size: usize) -> Vec<u8> {
    message(id, BROADCAST, &[&[0], text, &vec![5; size]])
}

/// A whisper of a user.
pub fn whisper(id: &str, text: &[u8], size: usize) -> Vec<u8> {
    message(id, WHISPER, &[USER, text, &vec![5; size]])
}

/// An id that no node has. Its first byte is not zero: an id has no digits for leading zeros.
pub fn id(number: u64) -> String {
    let bytes = number.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 << 63;
    bs58::encode([bytes.to_be_bytes(); 6].concat()).into_string()
}

/// A length, and then nothing or too little.
pub fn unfinished(announced: u32, sent: usize) -> Vec<u8> {
    [&announced.to_be_bytes()[..], &vec![0; sent]].concat()
}

/// A frame around any bytes.
pub fn body(bytes: &[u8]) -> Vec<u8> {
    unfinished(u32::try_from(bytes.len()).unwrap_or(u32::MAX), 0)
        .into_iter()
        .chain(bytes.iter().copied())
        .collect()
}

/// The packets of a message, one of them replaced: the main flag, sender, id, time, kind.
pub fn spoilt(id: &str, packet: usize, with: &[u8]) -> Vec<u8> {
    let whole = message(id, BROADCAST, &[&[0], b"spoilt"]);
    let mut parts = cut(&whole);
    if let Some(part) = parts.get_mut(packet) {
        *part = with;
    }
    frame(&parts)
}

/// The packets of a frame with at least four of them.
fn cut(whole: &[u8]) -> Vec<&[u8]> {
    let size = |at: usize| {
        let bytes = whole.get(at..).and_then(|rest| rest.first_chunk::<4>());
        bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes) as usize)
    };
    let (mut at, mut sizes) = (4, Vec::new());
    while at + sizes.iter().sum::<usize>() < whole.len() {
        sizes.push(size(at));
        at += 4;
    }
    let mut rest = whole.get(at..).unwrap_or_default();
    let mut parts = Vec::new();
    for size in sizes {
        let (part, after) = rest.split_at(size.min(rest.len()));
        parts.push(part);
        rest = after;
    }
    parts
}

/// How the contents of a frame are compressed.
#[derive(Clone, Copy, Debug)]
pub enum Packer {
    Zlib,
    Gzip,
    #[cfg(feature = "compression-all")]
    Bz2,
    #[cfg(feature = "compression-all")]
    Lzma,
}

impl Packer {
    pub const ALL: &[Packer] = &[
        Packer::Zlib,
        Packer::Gzip,
        #[cfg(feature = "compression-all")]
        Packer::Bz2,
        #[cfg(feature = "compression-all")]
        Packer::Lzma,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Packer::Zlib => "zlib",
            Packer::Gzip => "gzip",
            #[cfg(feature = "compression-all")]
            Packer::Bz2 => "bz2",
            #[cfg(feature = "compression-all")]
            Packer::Lzma => "lzma",
        }
    }

    /// Compresses bytes in memory, which cannot fail.
    pub fn pack(self, plain: &[u8]) -> Vec<u8> {
        let best = flate2::Compression::best();
        let packed = match self {
            Packer::Zlib => {
                let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), best);
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
            Packer::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), best);
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
            #[cfg(feature = "compression-all")]
            Packer::Bz2 => {
                let mut encoder =
                    bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::best());
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
            #[cfg(feature = "compression-all")]
            Packer::Lzma => {
                let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 6);
                encoder.write_all(plain).and_then(|()| encoder.finish())
            }
        };
        packed.unwrap_or_default()
    }

    /// A message, compressed.
    pub fn packed(self, message: &[u8]) -> Vec<u8> {
        body(&self.pack(message.get(4..).unwrap_or_default()))
    }
}
