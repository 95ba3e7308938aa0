//! The memory of one frame. That of a large one is a mapping of its own: the system has it back at once
//! when the frame is dropped, whatever the allocator keeps.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::{Bytes, BytesMut};
use memmap2::MmapMut;

/// From this length on a buffer is mapped. Allocators keep blocks of such sizes for later: after 60 messages
/// of 16 MiB a node had 888 MiB for 45 s.
pub(super) const MAPPED: usize = 1024 * 1024;

/// Bytes of one frame. The memory is zero before it is written, and is provided when it is.
pub(crate) enum Buffer {
    Heap(BytesMut),
    Mapped { map: MmapMut, len: usize },
}

impl Buffer {
    /// Creates an empty buffer with this much room.
    pub fn with_capacity(capacity: usize) -> Self {
        if capacity >= MAPPED
            && let Ok(map) = MmapMut::map_anon(capacity)
        {
            return Buffer::Mapped { map, len: 0 };
        }
        Buffer::Heap(BytesMut::with_capacity(capacity))
    }

    pub fn capacity(&self) -> usize {
        match self {
            Buffer::Heap(bytes) => bytes.capacity(),
            Buffer::Mapped { map, .. } => map.len(),
        }
    }

    /// Moves to memory with this much room, if there is less.
    pub fn grow(&mut self, capacity: usize) {
        if self.capacity() < capacity {
            let mut larger = Buffer::with_capacity(capacity);
            larger.extend(self);
            *self = larger;
        }
    }

    /// Sets the length; new bytes are zero. There must be room.
    pub fn resize(&mut self, new: usize) {
        match self {
            Buffer::Heap(bytes) => bytes.resize(new, 0),
            Buffer::Mapped { map, len } => {
                // What was cut off before may have been written to.
                let cut = map.get_mut(new..*len).unwrap_or_default();
                cut.fill(0);
                *len = new.min(map.len());
            }
        }
    }

    pub fn extend(&mut self, more: &[u8]) {
        let start = self.len();
        let end = start.saturating_add(more.len());
        self.grow(end);
        self.resize(end);
        if let Some(place) = self.get_mut(start..) {
            place.copy_from_slice(more);
        }
    }

    /// Makes it shared, and constant.
    pub fn freeze(self) -> Bytes {
        match self {
            Buffer::Heap(bytes) => bytes.freeze(),
            Buffer::Mapped { map, len } => Bytes::from_owner(map).slice(..len),
        }
    }
}

impl From<BytesMut> for Buffer {
    fn from(bytes: BytesMut) -> Self {
        Buffer::Heap(bytes)
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Buffer::Heap(bytes) => bytes,
            Buffer::Mapped { map, len } => map.get(..*len).unwrap_or_default(),
        }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        match self {
            Buffer::Heap(bytes) => bytes,
            Buffer::Mapped { map, len } => map.get_mut(..*len).unwrap_or_default(),
        }
    }
}

impl<T: AsRef<[u8]> + ?Sized> PartialEq<T> for Buffer {
    fn eq(&self, other: &T) -> bool {
        **self == *other.as_ref()
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Borrow<[u8]> for Buffer {
    fn borrow(&self) -> &[u8] {
        self
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_buffers_grow_shrink_and_keep_their_bytes() {
        for step in [1000, MAPPED / 2 + 1] {
            let mut buffer = Buffer::with_capacity(step);
            (1..=4_u8).for_each(|part| buffer.extend(&vec![part; step]));
            assert!(
                (0..4)
                    .all(|part| buffer[part * step..][..step].iter().all(|&b| b == part as u8 + 1))
            );
            buffer.resize(step);
            buffer.resize(2 * step);
            assert!(buffer[step..].iter().all(|&byte| byte == 0), "what was cut off is forgotten");
            let frozen = buffer.freeze();
            assert!(frozen.len() == 2 * step && frozen[..step] == vec![1; step]);
        }
    }
}
