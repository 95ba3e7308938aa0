//! Counters that stop at the largest number instead of overflowing.

/// A number that only grows.
pub(crate) trait Tally {
    /// Adds to it.
    fn tally(&mut self, more: Self);
}

macro_rules! tally {
    ($($number:ty),*) => {$(
        impl Tally for $number {
            fn tally(&mut self, more: Self) {
                *self = self.saturating_add(more);
            }
        }
    )*};
}

tally!(u32, u64, usize, std::time::Duration);
