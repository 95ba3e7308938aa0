//! A message that was announced and has not come.

use std::time::Duration;

use smallvec::SmallVec;

use super::BranchId;
use crate::wire::Named;

#[derive(Debug)]
pub(super) struct Announcer {
    pub number: BranchId,
    /// How often it was asked.
    pub asked: u32,
}

/// What a missing message waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waits {
    /// Until a time, for the message to come by itself.
    Hoping(Duration),
    /// Until a time, for an answer of this peer.
    Asked(Duration, BranchId),
    /// For a free place among the questions to this peer.
    Parked(BranchId),
    /// For an announcer that is linked.
    Nobody,
}

impl Waits {
    pub fn due(self) -> Option<Duration> {
        match self {
            Waits::Hoping(due) | Waits::Asked(due, _) => Some(due),
            Waits::Parked(_) | Waits::Nobody => None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Absent {
    pub name: Named,
    pub since: Duration,
    /// Who has it, the first to announce it first.
    pub announcers: SmallVec<[Announcer; 4]>,
    pub asked_at: Duration,
    pub waits: Waits,
}
