//! Which thread writes a program's own messages: the one that sends, or the link's own.

use std::time::Duration;

/// Messages less than this apart follow closely. More than one message and its write take, less
/// than a round trip between two programs.
const CLOSE: Duration = Duration::from_micros(15);

/// After such a pause the link is idle. A shorter one may be the scheduler's: it took the processor
/// from the sender, and gives it back for more of the same.
const IDLE: Duration = Duration::from_millis(1);

/// A burst is taken for this long at most, so that a few pauses end it.
const LONGEST: u32 = 64;

/// Messages that follow closely and are written at once all the same: waking another thread costs
/// more than writing so few.
const AT_ONCE: u32 = 4;

/// With this much queued the sender helps: what waits longer leaves the caches of the processor.
const HELP: usize = 128 * 1024;

/// How closely messages follow each other on one link: what matters is how long the program pauses,
/// not how long its messages take to be written, which on many links is longer than [`CLOSE`].
#[derive(Debug, Default)]
pub(crate) struct DirectWrite {
    last: Option<Duration>,
    len: u32,
}

impl DirectWrite {
    /// Notes that a sender has written, on this link and others: that took time, and was no pause.
    pub fn wrote(&mut self, now: Duration) {
        self.last = self.last.map(|last| last.max(now));
    }

    /// Notes that a message of this node is queued.
    pub fn note(&mut self, now: Duration) {
        let pause = self.last.map_or(IDLE, |last| now.saturating_sub(last));
        self.len = match self.len {
            len if pause < CLOSE => len.saturating_add(1).min(LONGEST),
            len if pause < IDLE => len / 2,
            _ => 0,
        };
        self.last = Some(now);
    }

    /// Returns whether messages follow closely, or did a moment ago.
    pub fn goes_on(&self) -> bool {
        self.len >= AT_ONCE
    }

    /// Returns whether the sender is to write the queue, of this many bytes, here and now.
    /// Otherwise more is about to follow, and the link's thread writes it all together.
    pub fn writes_now(&self, queued: usize) -> bool {
        !self.goes_on() || queued >= HELP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Duration {
        Duration::from_micros(micros)
    }

    #[test]
    fn a_message_on_an_idle_link_is_written_at_once() {
        let mut burst = DirectWrite::default();
        for turn in 0..100 {
            burst.note(at(30 * turn));
            assert!(burst.writes_now(200), "{turn}");
        }
    }

    #[test]
    fn messages_that_follow_closely_are_left_to_the_thread_of_the_link_until_they_pause() {
        let mut burst = DirectWrite::default();
        let written: Vec<bool> = (0..6)
            .map(|turn| {
                burst.note(at(2 * turn));
                burst.writes_now(200)
            })
            .collect();
        assert_eq!(written, [true, true, true, true, false, false]);
        burst.note(at(100));
        assert!(burst.writes_now(200));
    }

    #[test]
    fn the_time_that_writing_to_many_links_takes_is_no_pause() {
        let mut burst = DirectWrite::default();
        let mut now = 0;
        let written = (0..100).filter(|_| {
            burst.note(at(now));
            let writes = burst.writes_now(200);
            if writes {
                now += 200;
                burst.wrote(at(now));
            }
            now += 2;
            writes
        });
        assert_eq!(written.count(), AT_ONCE as usize);
    }

    #[test]
    fn a_long_burst_survives_some_pauses_of_its_sender_but_not_an_idle_link() {
        let mut burst = DirectWrite::default();
        (0..100).for_each(|turn| burst.note(at(turn)));
        let mut now = 100;
        let survived = (0..10).take_while(|_| {
            now += 500;
            burst.note(at(now));
            !burst.writes_now(200)
        });
        assert_eq!(survived.count(), 4);
        (0..100).for_each(|turn| burst.note(at(10_000 + turn)));
        burst.note(at(12_000));
        assert!(burst.writes_now(200));
    }

    #[test]
    fn a_sender_that_outruns_the_thread_of_the_link_helps() {
        let mut burst = DirectWrite::default();
        (0..10).for_each(|turn| burst.note(at(turn)));
        assert!(!burst.writes_now(100_000) && burst.writes_now(200_000));
    }
}
