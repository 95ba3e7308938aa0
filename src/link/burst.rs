//! Which thread writes a program's own messages: the one that sends, or the link's own.

use std::time::Duration;

/// Messages less than this apart follow closely. More than one message and its write take, less
/// than a round trip between two programs.
const CLOSE: Duration = Duration::from_micros(15);

/// Messages that follow closely and are written at once all the same: waking another thread costs
/// more than writing so few.
const AT_ONCE: u32 = 4;

/// With this much queued the sender helps: what waits longer leaves the caches of the processor.
const HELP: usize = 128 * 1024;

/// How closely messages follow each other on one link.
#[derive(Debug, Default)]
pub(crate) struct Burst {
    last: Option<Duration>,
    len: u32,
}

impl Burst {
    /// Notes that a message of this node is queued.
    pub fn note(&mut self, now: Duration) {
        let is_close = self.last.is_some_and(|last| now.saturating_sub(last) < CLOSE);
        self.len = if is_close { self.len.saturating_add(1) } else { 0 };
        self.last = Some(now);
    }

    /// Returns whether the sender is to write the queue, of this many bytes, here and now.
    /// Otherwise more is about to follow, and the link's thread writes it all together.
    pub fn writes_now(&self, queued: usize) -> bool {
        self.len < AT_ONCE || queued >= HELP
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
        let mut burst = Burst::default();
        for turn in 0..100 {
            burst.note(at(30 * turn));
            assert!(burst.writes_now(200), "{turn}");
        }
    }

    #[test]
    fn messages_that_follow_closely_are_left_to_the_thread_of_the_link_until_they_pause() {
        let mut burst = Burst::default();
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
    fn a_sender_that_outruns_the_thread_of_the_link_helps() {
        let mut burst = Burst::default();
        (0..10).for_each(|turn| burst.note(at(turn)));
        assert!(!burst.writes_now(100_000) && burst.writes_now(200_000));
    }
}
