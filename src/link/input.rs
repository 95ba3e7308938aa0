//! What a link's thread does with its input: read on, read and forget, or pause.

use super::leaving::Leaving;

/// What waits to be read, and what stands in its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input {
    /// The stream may have more.
    pub is_readable: bool,
    /// Frames that were read wait for credit.
    pub is_backlogged: bool,
    /// A batch waits for room in the daemon's channel.
    pub is_held: bool,
    pub has_credit: bool,
    pub is_at_end: bool,
}

impl Input {
    /// Whether there is something to read here and now. What is forgotten takes no credit: a link
    /// that closes with its credit spent reads on, because input left unread would reset it.
    pub fn goes_on(self, leaving: Option<&Leaving>) -> bool {
        if Leaving::discards(leaving) {
            return self.is_readable;
        }
        self.waits() && !self.is_held && self.has_credit
    }

    /// Whether there is more, though we may not be taking it.
    pub fn waits(self) -> bool {
        self.is_readable || self.is_backlogged
    }

    /// Whether all that ever comes has been dealt with.
    pub fn is_over(self, leaving: Option<&Leaving>) -> bool {
        let is_dealt_with = !self.is_backlogged && !self.is_held;
        self.is_at_end && (is_dealt_with || Leaving::discards(leaving))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::events::Cause;

    const NOW: Duration = Duration::from_secs(1);

    /// All that can stand in the way of reading does.
    const STUCK: Input = Input {
        is_readable: true,
        is_backlogged: true,
        is_held: true,
        has_credit: false,
        is_at_end: false,
    };

    #[test]
    fn a_link_reads_while_there_is_something_and_room_for_it() {
        let free = Input { is_held: false, has_credit: true, ..STUCK };
        assert!(free.goes_on(None));
        assert!(Input { is_readable: false, ..free }.goes_on(None));
        assert!(!Input { is_readable: false, is_backlogged: false, ..free }.goes_on(None));
        assert!(!Input { is_held: true, ..free }.goes_on(None));
        assert!(!Input { has_credit: false, ..free }.goes_on(None));
    }

    #[test]
    fn a_link_that_closes_reads_on_though_its_credit_is_spent() {
        let closing = Leaving::close(Cause::Closed, NOW);
        assert!(STUCK.goes_on(Some(&closing)));
        assert!(!STUCK.goes_on(Some(&Leaving::retire(NOW))), "what is delivered takes credit");
    }

    #[test]
    fn a_link_that_closes_is_not_kept_busy_by_what_it_will_not_deliver() {
        let closing = Leaving::close(Cause::Closed, NOW);
        let drained = Input { is_readable: false, is_held: false, has_credit: true, ..STUCK };
        assert!(!drained.goes_on(Some(&closing)));
        let ended = Input { is_at_end: true, ..drained };
        assert!(ended.is_over(Some(&closing)) && !ended.is_over(None));
    }
}
