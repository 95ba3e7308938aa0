//! Limits how often something may happen: so many times at once, and then at a steady rate.

use std::time::Duration;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    most: u32,
    /// The time in which it earns one.
    each: Duration,
    /// `None` before the first use: then it is full.
    state: Option<(u32, Duration)>,
}

impl Bucket {
    /// Creates a bucket of `most`, which earns one in each span of time.
    pub const fn new(most: u32, each: Duration) -> Self {
        Bucket { most, each, state: None }
    }

    /// Takes one. Returns false if there is none.
    pub fn take(&mut self, now: Duration) -> bool {
        let (left, since) = self.state.unwrap_or((self.most, now));
        let each = self.each.as_nanos().max(1);
        let earned = now.saturating_sub(since).as_nanos().checked_div(each).unwrap_or(0);
        let full = u128::from(self.most.saturating_sub(left));
        // The rest of the time counts for the next one, unless the bucket is full.
        let (left, since) = match u32::try_from(earned.min(full)) {
            Ok(earned) if u128::from(earned) < full => {
                (left.saturating_add(earned), since.saturating_add(self.each * earned))
            }
            _ => (self.most, now),
        };
        self.state = Some((left.saturating_sub(1), since));
        left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn it_gives_what_it_holds_at_once_and_then_goes_at_its_rate() {
        let mut bucket = Bucket::new(10, MS(100));
        assert_eq!((0..50).filter(|_| bucket.take(MS(1000))).count(), 10);
        assert_eq!((1000..11_000).filter(|&ms| bucket.take(MS(ms))).count(), 99);
        assert_eq!((0..50).filter(|_| bucket.take(MS(60_000))).count(), 10);
    }

    #[test]
    fn a_clock_that_stands_earns_nothing() {
        let mut bucket = Bucket::new(2, MS(1));
        assert_eq!((0..9).filter(|_| bucket.take(Duration::ZERO)).count(), 2);
    }
}
