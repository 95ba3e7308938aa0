//! Frames: a 4-byte length, then a body. Cuts them out of a stream, and shares them between peers.

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, OnceLock};

use bytes::{Bytes, BytesMut};

use super::buffer::Buffer;
use super::compression;
use super::method::Method;

/// The length in front of each body, big endian.
pub(crate) const PREFIX: usize = 4;

/// Bytes that one read asks for: at first, and after reads that filled the buffer.
const MIN_SPARE: usize = 4 * 1024;
const MAX_SPARE: usize = 64 * 1024;

/// Frames up to this length share buffers. Most of the cost of a small message is its memory, which
/// one thread allocates and another one frees.
const SMALL: usize = 256;
/// The length of such a buffer: the most bytes that a small message can keep in memory.
const SHARED: usize = 1024;

/// An unfinished frame that is longer gets a buffer of its own, which the stream is read into.
const LARGE: usize = 16 * 1024;
/// Most bytes that one read into such a buffer asks for.
const MAX_ROOM: usize = 256 * 1024;
/// Bytes that are reserved for a large frame at once. The system provides memory only for bytes
/// that are written, and a buffer that need not grow is not copied.
const RESERVED: usize = 1024 * 1024;
/// A longer frame gets a buffer of this many times the bytes that have arrived.
const GROWTH: usize = 8;

/// A length or size as it stands on the wire. A body of 4 GiB or more is written as `u32::MAX`,
/// which exceeds every limit, here and at the receiver.
pub(super) fn size(len: usize) -> [u8; PREFIX] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}

/// Writes a size over one of those that a frame begins with: the first is that of its body.
pub(super) fn write_size(frame: &mut [u8], number: usize, len: usize) {
    if let Some(place) = frame.as_chunks_mut::<PREFIX>().0.get_mut(number) {
        *place = size(len);
    }
}

/// A complete message on its way to peers, encoded once. Clones share the bytes.
#[derive(Clone)]
pub(crate) struct Frame(Arc<Shared>);

struct Shared {
    plain: Bytes,
    /// Made when first asked for: most frames are never compressed.
    compressed: OnceLock<Box<Forms>>,
}

/// One per method, made when first asked for. `None` is what would not be smaller.
type Forms = [OnceLock<Option<Bytes>>; Method::ALL.len()];

impl Frame {
    /// A frame of these bytes, length prefix included.
    pub(super) fn new(plain: Bytes) -> Self {
        Frame(Arc::new(Shared { plain, compressed: OnceLock::new() }))
    }

    /// Returns the bytes to write: compressed if that makes them fewer. The first call for a method
    /// compresses, concurrent calls wait for it.
    pub fn bytes(&self, method: Option<Method>) -> &Bytes {
        let plain = &self.0.plain;
        let Some(method) = method else { return plain };
        let forms = self.0.compressed.get_or_init(Box::default);
        let Some(form) = forms.get(method as usize) else { return plain };
        form.get_or_init(|| compressed(plain, method)).as_ref().unwrap_or(plain)
    }

    /// Returns the uncompressed length, prefix included.
    pub fn len(&self) -> usize {
        self.0.plain.len()
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} bytes)", self.len())
    }
}

fn compressed(plain: &Bytes, method: Method) -> Option<Bytes> {
    let mut frame = compression::compress(method, plain.get(PREFIX..)?, vec![0; PREFIX]).ok()?;
    if frame.len() >= plain.len() {
        return None;
    }
    let len = frame.len().saturating_sub(PREFIX);
    write_size(&mut frame, 0, len);
    Some(frame.into_boxed_slice().into())
}

/// A frame was announced that is longer than we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Oversize {
    pub len: usize,
    pub max: usize,
}

/// The memory that frames are read into.
#[derive(Debug, Default)]
pub(crate) struct ReadRoom {
    /// Bytes as they were read; the rest is room for more.
    spare: Vec<u8>,
    /// Room for the next small frames.
    shared: BytesMut,
}

/// Cuts a stream into frames.
#[derive(Debug)]
pub(crate) struct FrameReader {
    max_body: usize,
    room: ReadRoom,
    /// Where the bytes are that were read, in `room.spare`.
    start: usize,
    end: usize,
    /// The unfinished frame that is too long for `spare`.
    large: Option<Large>,
}

#[derive(Debug)]
struct Large {
    /// Prefix included. Its length is room; bytes are there up to `filled`. The room is at most
    /// twice what has arrived: nobody gets memory for a mere promise.
    buffer: Buffer,
    filled: usize,
    total: usize,
}

impl FrameReader {
    /// A reader that refuses bodies longer than this.
    pub fn new(max_body: usize) -> Self {
        FrameReader { max_body, room: ReadRoom::default(), start: 0, end: 0, large: None }
    }

    /// Lends this reader memory, if it has none: in the simulator all readers share one.
    #[cfg(feature = "sim")]
    pub fn lend(&mut self, room: &mut ReadRoom) {
        if self.room.spare.is_empty() {
            std::mem::swap(&mut self.room, room);
        }
    }

    /// Takes the memory back, unless something is in it.
    #[cfg(feature = "sim")]
    pub fn give_back(&mut self, room: &mut ReadRoom) {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
            let used = std::mem::take(&mut self.room);
            if used.spare.len() > room.spare.len() {
                *room = used;
            }
        }
    }

    /// Takes bodies up to this length from now on.
    pub fn allow(&mut self, max_body: usize) {
        self.max_body = max_body;
    }

    /// Reads once, at most `budget` bytes, which must be some; returns how many, and zero at the
    /// end of the stream. Take the frames with [`FrameReader::next`] before reading again.
    pub fn read_from(&mut self, src: &mut impl Read, budget: usize) -> io::Result<usize> {
        if let Some(large) = &mut self.large
            && large.filled < large.total
        {
            return large.read_from(src, budget);
        }
        self.make_room();
        let end = self.room.spare.len().min(self.end.saturating_add(budget));
        let read = read_once(src, self.room.spare.get_mut(self.end..end).unwrap_or_default())?;
        self.end = self.end.saturating_add(read).min(end);
        Ok(read)
    }

    /// Returns the next complete frame, prefix included, in memory of its own or, if it is small,
    /// in memory shared with other small frames.
    pub fn next(&mut self) -> Result<Option<Buffer>, Oversize> {
        if let Some(large) = self.large.take_if(|large| large.filled == large.total) {
            return Ok(Some(large.buffer));
        }
        if self.large.is_some() {
            return Ok(None);
        }
        let bytes = self.room.spare.get(self.start..self.end).unwrap_or_default();
        let Some(prefix) = bytes.first_chunk::<PREFIX>() else { return Ok(None) };
        let len = u32::from_be_bytes(*prefix) as usize;
        if len > self.max_body {
            return Err(Oversize { len, max: self.max_body });
        }
        let total = len.saturating_add(PREFIX);
        if let Some(frame) = bytes.get(..total) {
            self.start = self.start.saturating_add(total);
            return Ok(Some(own(&mut self.room.shared, frame).into()));
        }
        if total > LARGE {
            self.large = Some(Large::new(bytes, total));
            self.start = self.end;
        }
        Ok(None)
    }

    /// Returns whether a frame has begun and not ended, if [`FrameReader::next`] returned `None`.
    pub fn is_mid_frame(&self) -> bool {
        self.buffered() > 0
    }

    /// Returns the number of bytes that were read and are not part of a returned frame.
    pub fn buffered(&self) -> usize {
        let large = self.large.as_ref().map_or(0, |large| large.filled);
        self.end.saturating_sub(self.start).saturating_add(large)
    }

    /// Returns how many bytes of memory an unfinished large frame takes once it was read on; 0 if there is
    /// none.
    pub fn held(&self, budget: usize) -> usize {
        self.large.as_ref().map_or(0, |large| large.next_end(budget).max(large.buffer.len()))
    }

    /// Forgets what was read: nobody waits for it any longer.
    pub fn forget(&mut self) {
        *self = FrameReader::new(self.max_body);
    }

    /// Moves what is left to the front. The room doubles when the last read used it up.
    fn make_room(&mut self) {
        let was_full = self.end == self.room.spare.len();
        self.room.spare.copy_within(self.start..self.end, 0);
        self.end = self.end.saturating_sub(self.start);
        self.start = 0;
        let len = self.room.spare.len();
        if was_full && len < MAX_SPARE || self.end == len {
            self.room.spare.resize(len.saturating_mul(2).max(MIN_SPARE), 0);
        }
    }
}

impl Large {
    fn new(start: &[u8], total: usize) -> Self {
        let buffer = Buffer::with_capacity(capacity(start.len(), total));
        let mut large = Large { buffer, filled: start.len(), total };
        large.buffer.extend(start);
        large
    }

    fn read_from(&mut self, src: &mut impl Read, budget: usize) -> io::Result<usize> {
        let end = self.next_end(budget);
        if self.buffer.len() < end {
            if self.buffer.capacity() < end {
                self.buffer.grow(capacity(end, self.total));
            }
            self.buffer.resize(end);
        }
        let read = read_once(src, self.buffer.get_mut(self.filled..end).unwrap_or_default())?;
        self.filled = self.filled.saturating_add(read).min(end);
        Ok(read)
    }

    /// Returns the length of the buffer for the next read.
    fn next_end(&self, budget: usize) -> usize {
        let room = self.filled.clamp(MAX_SPARE, MAX_ROOM).min(budget);
        self.total.min(self.filled.saturating_add(room))
    }
}

/// Returns the room of a buffer for this many bytes of a frame.
fn capacity(len: usize, total: usize) -> usize {
    let grown = len.saturating_mul(GROWTH).min(total);
    // A frame that is a little longer is not copied.
    if total <= RESERVED { total } else { grown.max(RESERVED) }
}

/// Copies a frame out of the read buffer, so that a message never keeps that in memory. Small frames
/// share `shared`.
fn own(shared: &mut BytesMut, frame: &[u8]) -> BytesMut {
    if frame.len() > SMALL {
        return BytesMut::from(frame);
    }
    if shared.capacity() < frame.len() {
        *shared = BytesMut::with_capacity(SHARED);
    }
    shared.extend_from_slice(frame);
    shared.split()
}

fn read_once(src: &mut impl Read, room: &mut [u8]) -> io::Result<usize> {
    loop {
        match src.read(room) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}
