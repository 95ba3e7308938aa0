//! An amount of traffic on a link.

/// Bytes and frames on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Total {
    pub bytes: u64,
    pub frames: u64,
}

impl Total {
    pub fn add(&mut self, other: Total) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.frames = self.frames.saturating_add(other.frames);
    }

    /// Returns what this total has more than an earlier one, at least nothing.
    pub fn since(self, earlier: Total) -> Total {
        Total {
            bytes: self.bytes.saturating_sub(earlier.bytes),
            frames: self.frames.saturating_sub(earlier.frames),
        }
    }

    /// Returns the smaller number of bytes and the smaller number of frames.
    pub fn at_most(self, other: Total) -> Total {
        Total { bytes: self.bytes.min(other.bytes), frames: self.frames.min(other.frames) }
    }
}
