//! What a link does with its input: read, read and discard, or pause.

use super::close_timing::CloseTiming;

/// What waits to be read, and what stands in its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// The stream may have more.
    pub is_readable: bool,
    /// Frames that were read wait for credit.
    pub is_backlogged: bool,
    /// A batch waits for room in the daemon's channel.
    pub is_held: bool,
    /// Memory for a large frame cannot be had now.
    pub is_starved: bool,
    pub is_at_end: bool,
}

impl Input {
    /// Returns whether there is something to read here and now. What is forgotten takes no credit:
    /// a link that closes with its credit spent reads on, because input left unread would reset it.
    /// So the credit, which is behind a lock in the runtime, is asked for last.
    pub fn may_read(
        self,
        closing: Option<&CloseTiming>,
        has_credit: impl FnOnce() -> bool,
    ) -> bool {
        if CloseTiming::discards(closing) {
            return self.is_readable;
        }
        self.has_more() && !self.is_held && !self.is_starved && has_credit()
    }

    /// Returns whether there is more, though we may not be taking it.
    pub fn has_more(self) -> bool {
        self.is_readable || self.is_backlogged
    }

    /// Returns whether all that ever comes has been dealt with.
    pub fn is_over(self, closing: Option<&CloseTiming>) -> bool {
        let is_dealt_with = !self.is_backlogged && !self.is_held;
        self.is_at_end && (is_dealt_with || CloseTiming::discards(closing))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::cause::Cause;

    const NOW: Duration = Duration::from_secs(1);

    /// There is all kinds of input, and no room for what was read last.
    const HELD: Input = Input {
        is_readable: true,
        is_backlogged: true,
        is_held: true,
        is_starved: false,
        is_at_end: false,
    };

    #[test]
    fn a_link_reads_while_there_is_something_and_room_for_it() {
        let free = Input { is_held: false, ..HELD };
        let backlogged = Input { is_readable: false, ..free };
        let drained = Input { is_backlogged: false, ..backlogged };
        assert!(free.may_read(None, || true) && backlogged.may_read(None, || true));
        assert!(!drained.may_read(None, || true) && !HELD.may_read(None, || true));
        assert!(!free.may_read(None, || false));
    }

    #[test]
    fn a_link_that_closes_reads_on_though_its_credit_is_spent() {
        let closing = CloseTiming::close(Cause::Closed, NOW);
        assert!(HELD.may_read(Some(&closing), || false));
        let free = Input { is_held: false, ..HELD };
        assert!(!free.may_read(Some(&CloseTiming::retire(NOW)), || false), "that is delivered");
    }

    #[test]
    fn a_link_that_closes_is_not_kept_busy_by_what_it_will_not_deliver() {
        let closing = CloseTiming::close(Cause::Closed, NOW);
        let drained = Input { is_readable: false, is_held: false, ..HELD };
        assert!(!drained.may_read(Some(&closing), || true));
        let ended = Input { is_at_end: true, ..drained };
        assert!(ended.is_over(Some(&closing)) && !ended.is_over(None));
    }
}
