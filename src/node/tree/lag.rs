//! How long to wait for something, from how long it took before: as TCP does it (RFC 6298).

use std::time::Duration;

/// Before anything was measured.
const FIRST: Duration = Duration::from_millis(500);
/// A message may come over a path that is slower by chance. To ask for what is on its way costs a copy,
/// and changes the tree for the worse.
const LEAST: Duration = Duration::from_millis(300);
const MOST: Duration = Duration::from_secs(2);

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lag {
    /// Mean, and mean deviation from it.
    measured: Option<(Duration, Duration)>,
}

impl Lag {
    pub fn note(&mut self, sample: Duration) {
        let sample = sample.min(MOST);
        self.measured = Some(match self.measured {
            None => (sample, sample / 2),
            Some((mean, spread)) => {
                let error = sample.abs_diff(mean);
                ((mean * 7).saturating_add(sample) / 8, (spread * 3).saturating_add(error) / 4)
            }
        });
    }

    /// Returns the time after which it is late.
    pub fn wait(&self) -> Duration {
        let late = self.measured.map_or(FIRST, |(mean, spread)| mean.saturating_add(spread * 4));
        late.clamp(LEAST, MOST)
    }
}
