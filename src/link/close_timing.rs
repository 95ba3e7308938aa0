//! A link on its way out: how long it writes, how long it reads, and when it is over.

use std::time::Duration;

use crate::cause::Cause;

/// After the last byte is written, how long the peer may take to finish as well. Closing earlier,
/// with input unread, would reset the link and destroy what is in flight to the peer.
pub(crate) const CLOSE_GRACE: Duration = Duration::from_millis(100);
/// The same where what still arrives is delivered: a link that gives way to another one to the
/// same peer, or that can no longer be written to.
pub(crate) const DELIVER_GRACE: Duration = Duration::from_secs(5);
/// Bytes read and forgotten in one turn.
pub(crate) const DISCARD: usize = 256 * 1024;

/// How a link goes.
#[derive(Debug)]
pub(crate) struct CloseTiming {
    cause: Cause,
    flush_by: Duration,
    grace: Duration,
    /// Whether what still arrives is delivered.
    delivers: bool,
    /// Set once writing is over.
    read_by: Option<Duration>,
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Nothing, until something happens or [`CloseTiming::deadline`].
    Wait,
    /// Tell the peer that nothing more is written; then ask again.
    FinishWriting,
    /// It is over.
    End(Cause),
}

impl CloseTiming {
    /// Writes what can be written without waiting, then closes.
    pub fn close(cause: Cause, now: Duration) -> Self {
        CloseTiming { cause, flush_by: now, grace: CLOSE_GRACE, delivers: false, read_by: None }
    }

    /// Closes when all is written, or at this time.
    pub fn linger(until: Duration) -> Self {
        CloseTiming::close(Cause::Closed, until)
    }

    /// Gives way to another link to the same peer: finishes what was begun, and delivers what
    /// arrives to its end.
    pub fn retire(now: Duration) -> Self {
        CloseTiming {
            flush_by: now.saturating_add(DELIVER_GRACE),
            ..CloseTiming::write_failed(Cause::Duplicate, now)
        }
    }

    /// Leaves a link after a failed write: what the peer sent before is delivered.
    pub fn write_failed(cause: Cause, now: Duration) -> Self {
        CloseTiming { cause, flush_by: now, grace: DELIVER_GRACE, delivers: true, read_by: None }
    }

    /// Returns whether what still arrives is read only to be forgotten.
    pub fn discards(closing: Option<&Self>) -> bool {
        closing.is_some_and(|closing| !closing.delivers)
    }

    /// Returns when to look again.
    pub fn deadline(&self) -> Duration {
        self.read_by.unwrap_or(self.flush_by)
    }

    /// Moves the deadline on while this node itself pauses reading: that is not the peer's fault.
    pub fn pause(&mut self, now: Duration) {
        if self.delivers && self.read_by.is_some() {
            self.read_by = Some(now.saturating_add(self.grace));
        }
    }

    /// Returns the next step towards the end: all written, nothing more to read. To be asked until
    /// there is nothing to do.
    pub fn step(&mut self, now: Duration, is_flushed: bool, is_read: bool) -> Step {
        match self.read_by {
            None if is_flushed || now >= self.flush_by => {
                // What is left of the time for writing is for reading: the system still has bytes
                // of ours, and closing with input unread would throw them away.
                self.read_by = Some(self.flush_by.max(now.saturating_add(self.grace)));
                Step::FinishWriting
            }
            Some(read_by) if is_read || now >= read_by => Step::End(self.cause.clone()),
            _ => Step::Wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn a_close_writes_no_more_at_once_and_reads_for_its_grace() {
        let mut closing = CloseTiming::close(Cause::Stalled, MS(10));
        assert_eq!(closing.deadline(), MS(10));
        assert!(matches!(closing.step(MS(10), false, false), Step::FinishWriting));
        assert!(matches!(closing.step(MS(10), false, false), Step::Wait));
        assert_eq!(closing.deadline(), MS(110));
        assert!(matches!(closing.step(MS(109), false, false), Step::Wait));
        assert!(matches!(closing.step(MS(110), false, false), Step::End(Cause::Stalled)));
    }

    #[test]
    fn writing_is_finished_before_the_end_though_there_is_nothing_to_read() {
        let mut closing = CloseTiming::close(Cause::Closed, MS(10));
        assert!(matches!(closing.step(MS(10), true, true), Step::FinishWriting));
        assert!(matches!(closing.step(MS(10), true, true), Step::End(Cause::Closed)));
    }

    #[test]
    fn who_lingers_reads_for_what_is_left_of_the_time_for_writing() {
        let mut closing = CloseTiming::linger(MS(500));
        assert!(matches!(closing.step(MS(20), false, true), Step::Wait));
        assert!(matches!(closing.step(MS(30), true, false), Step::FinishWriting));
        assert_eq!(closing.deadline(), MS(500));
        let mut late = CloseTiming::linger(MS(500));
        assert!(matches!(late.step(MS(500), false, false), Step::FinishWriting));
        assert_eq!(late.deadline(), MS(600));
    }

    #[test]
    fn what_we_do_not_read_is_not_the_peers_fault_if_it_is_delivered() {
        let [mut retiring, mut closing] =
            [CloseTiming::retire(MS(0)), CloseTiming::close(Cause::Closed, MS(0))];
        for closing in [&mut retiring, &mut closing] {
            assert!(matches!(closing.step(MS(1), true, false), Step::FinishWriting));
            closing.pause(MS(4000));
        }
        assert_eq!(retiring.deadline(), MS(9000));
        assert_eq!(closing.deadline(), MS(101));
    }

    #[test]
    fn a_link_that_retires_or_whose_write_failed_delivers() {
        assert!(!CloseTiming::discards(None));
        assert!(!CloseTiming::discards(Some(&CloseTiming::retire(MS(0)))));
        assert!(!CloseTiming::discards(Some(&CloseTiming::write_failed(Cause::Stalled, MS(0)))));
        assert!(CloseTiming::discards(Some(&CloseTiming::linger(MS(0)))));
    }
}
