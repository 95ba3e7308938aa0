//! One address that may be dialled, with what is known of it.

use std::time::Duration;

use super::event::{LinkId, Target};
use crate::id::NodeId;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trust {
    /// A peer told it.
    Hint,
    /// A peer that dialled us announced it as its own.
    Announced,
    /// A peer answered there.
    Known,
    /// The user asked for it: dialled until `disconnect` or `close`.
    Wanted,
}

#[derive(Debug)]
pub(super) struct Contact {
    pub trust: Trust,
    pub target: Target,
    /// The node that answered there, or is said to be there.
    pub id: Option<NodeId>,
    /// Whether the user is told when a node answers there.
    pub is_seed: bool,
    pub is_awaited: bool,
    pub attempts: u32,
    pub silent_since: Option<Duration>,
    /// When to dial; `None` while there is no need.
    pub next: Option<Duration>,
    pub link: Option<LinkId>,
}

impl Contact {
    pub fn new(trust: Trust, target: Target, id: Option<NodeId>) -> Self {
        Contact {
            trust,
            target,
            id,
            is_seed: false,
            is_awaited: false,
            attempts: 0,
            silent_since: None,
            next: None,
            link: None,
        }
    }

    /// Cancels the next dial. The number of failed dials stays: see `AddressBook::lost`.
    pub fn rest(&mut self) {
        self.silent_since = None;
        self.next = None;
        self.link = None;
    }

    /// Returns whether this is a hint that may be dialled now.
    pub fn is_due_hint(&self, now: Duration) -> bool {
        self.trust == Trust::Hint && self.link.is_none() && self.next.is_none_or(|next| next <= now)
    }

    /// Returns whether a full book forgets this for an address of that trust.
    pub fn gives_way(&self, trust: Trust) -> bool {
        let is_unproven = self.trust == trust && trust < Trust::Known;
        self.link.is_none() && (self.trust < trust || is_unproven)
    }
}
