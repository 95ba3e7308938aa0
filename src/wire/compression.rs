//! Compresses and decompresses the body of a frame, with bounded output and without trust in the
//! input.

use std::io::{self, Read};

use super::buffer::{Buffer, MAPPED};
use super::method::Method;

/// Most compressed streams that one body may consist of. py2p makes one; each stream costs a
/// decoder, even if it is empty.
const MAX_STREAMS: usize = 16;

/// Most bytes of memory that an xz decoder may use. Python's default needs 9 MiB.
#[cfg(feature = "compression-all")]
const LZMA_MEMORY: u64 = 16 * 1024 * 1024;

/// The dictionary size of Python's default for xz, and the smallest one of the format.
#[cfg(feature = "compression-all")]
const LZMA_DICTIONARY: std::ops::RangeInclusive<usize> = 4096..=8 * 1024 * 1024;

/// Bytes that are reserved for the output: at least this, then twice as many as there are.
const MIN_GROWTH: usize = 4096;

/// Bytes that are decompressed at a time.
const CHUNK: usize = 32 * 1024;

/// The output would exceed the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooBig;

/// Decompresses the body of a frame with the first of the announced methods that can read it.
/// Returns `None` if none can: the body is not compressed then. The result starts with `headroom`
/// zero bytes, which the caller fills in.
pub(super) fn decompress(
    body: &[u8],
    announced: &[Method],
    headroom: usize,
    max: usize,
) -> Result<Option<Buffer>, TooBig> {
    // An uncompressed body starts with the size of the main flag, which is a single byte. No
    // method's output starts with a zero, so this settles it without trying.
    if body.first().is_none_or(|&byte| byte == 0) {
        return Ok(None);
    }
    for method in announced.iter().filter(|method| recognises(**method, body)) {
        if let Some(out) = decompress_with(*method, body, headroom, max)? {
            return Ok(Some(out));
        }
    }
    Ok(None)
}

/// Returns whether the first bytes are those of the method. As in py2p, zlib reads gzip too and the
/// reverse, and lzma reads the older `.lzma` format.
fn recognises(method: Method, body: &[u8]) -> bool {
    match (method, body) {
        (Method::Zlib | Method::Gzip, [first, second, ..]) => {
            let is_zlib = first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0;
            is_zlib || is_gzip(body)
        }
        (Method::Bz2, _) => body.starts_with(b"BZh"),
        (Method::Lzma, [first, ..]) => *first < 225 || body.starts_with(b"\xfd7zXZ\0"),
        _ => false,
    }
}

fn is_gzip(body: &[u8]) -> bool {
    body.starts_with(b"\x1f\x8b")
}

fn decompress_with(
    method: Method,
    body: &[u8],
    headroom: usize,
    max: usize,
) -> Result<Option<Buffer>, TooBig> {
    let mut out =
        Buffer::with_capacity(MIN_GROWTH.min(max.saturating_add(headroom).saturating_add(1)));
    out.resize(headroom);
    let mut rest = body;
    for _ in 0..MAX_STREAMS {
        let Some(decoder) = decoder(method, &mut rest) else { break };
        if !read_to_end(decoder, &mut out, max.saturating_add(headroom))? {
            break;
        }
        // What follows a zlib or gzip stream is ignored, for py2p does so too.
        if rest.is_empty() || matches!(method, Method::Zlib | Method::Gzip) {
            return Ok(Some(out));
        }
    }
    Ok(None)
}

/// Returns a decoder of the first stream of the input, which leaves the rest unread.
fn decoder<'a>(method: Method, input: &'a mut &[u8]) -> Option<Box<dyn Read + 'a>> {
    match method {
        #[cfg(feature = "compression")]
        Method::Zlib | Method::Gzip if is_gzip(input) => {
            Some(Box::new(flate2::bufread::GzDecoder::new(input)))
        }
        #[cfg(feature = "compression")]
        Method::Zlib | Method::Gzip => Some(Box::new(flate2::bufread::ZlibDecoder::new(input))),
        #[cfg(feature = "compression-all")]
        Method::Bz2 => Some(Box::new(bzip2::bufread::BzDecoder::new(input))),
        #[cfg(feature = "compression-all")]
        Method::Lzma => {
            let stream = liblzma::stream::Stream::new_auto_decoder(LZMA_MEMORY, 0).ok()?;
            Some(Box::new(liblzma::bufread::XzDecoder::new_stream(input, stream)))
        }
        #[cfg(not(feature = "compression-all"))]
        _ => {
            let _ = input;
            None
        }
    }
}

/// Reads a stream to its end, where its checksum is. Returns false if it is corrupt or cut short.
fn read_to_end(mut stream: impl Read, out: &mut Buffer, max: usize) -> Result<bool, TooBig> {
    loop {
        let len = out.len();
        // One byte above the bound tells whether there is more.
        let room = max.saturating_add(1).saturating_sub(len);
        if out.capacity() == len {
            // Untouched memory of a mapping costs nothing, and copying does.
            let more = len.saturating_mul(if len < MAPPED / 2 { 1 } else { 3 });
            out.grow(len.saturating_add(more.max(MIN_GROWTH).min(room)));
        }
        let chunk = out.capacity().saturating_sub(len).min(CHUNK).min(room);
        out.resize(len.saturating_add(chunk));
        let read = stream.read(out.get_mut(len..).unwrap_or_default());
        out.resize(len.saturating_add(read.as_ref().copied().unwrap_or(0)));
        match read {
            Ok(0) => return Ok(true),
            Ok(_) if out.len() > max => return Err(TooBig),
            Ok(_) => {}
            Err(_) => return Ok(false),
        }
    }
}

/// Appends the compressed body. Fails for a method that this build does not support.
pub(super) fn compress(method: Method, body: &[u8], out: Vec<u8>) -> io::Result<Vec<u8>> {
    match method {
        #[cfg(feature = "compression")]
        Method::Zlib => {
            let mut encoder = flate2::write::ZlibEncoder::new(out, flate2::Compression::default());
            io::Write::write_all(&mut encoder, body)?;
            encoder.finish()
        }
        #[cfg(feature = "compression")]
        Method::Gzip => {
            let mut encoder = flate2::write::GzEncoder::new(out, flate2::Compression::default());
            io::Write::write_all(&mut encoder, body)?;
            encoder.finish()
        }
        #[cfg(feature = "compression-all")]
        Method::Bz2 => {
            let mut encoder = bzip2::write::BzEncoder::new(out, bz2_level(body.len()));
            io::Write::write_all(&mut encoder, body)?;
            encoder.finish()
        }
        #[cfg(feature = "compression-all")]
        Method::Lzma => {
            let mut encoder = liblzma::write::XzEncoder::new_stream(out, xz_encoder(body.len())?);
            io::Write::write_all(&mut encoder, body)?;
            encoder.finish()
        }
        #[cfg(not(feature = "compression-all"))]
        _ => {
            let _ = (body, out);
            Err(io::ErrorKind::Unsupported.into())
        }
    }
}

/// Blocks of 100 kB times the level: no more memory than the body needs, at the same result.
#[cfg(feature = "compression-all")]
fn bz2_level(len: usize) -> bzip2::Compression {
    bzip2::Compression::new((len / 100_000).saturating_add(1).min(9) as u32)
}

/// Python's default, with a dictionary no larger than the body: the full one costs 94 MiB here
/// and 9 MiB at the receiver.
#[cfg(feature = "compression-all")]
fn xz_encoder(len: usize) -> io::Result<liblzma::stream::Stream> {
    use liblzma::stream::{Check, Filters, LzmaOptions, Stream};
    let dictionary = len.clamp(*LZMA_DICTIONARY.start(), *LZMA_DICTIONARY.end());
    let mut options = LzmaOptions::new_preset(6)?;
    options.dict_size(dictionary.next_power_of_two() as u32);
    Ok(Stream::new_stream_encoder(Filters::new().lzma2(&options), Check::Crc64)?)
}
