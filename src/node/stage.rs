//! How far a link is. Each stage holds what only that stage needs.
//!
//! ```text
//!            opened             handshake on the first link to a peer
//!  Opening ─────────► Greeting ───────────────────────────────────────► Ready
//!                        │                                              ▲  │
//!                        │ handshake on a second link,    takes the row │  │ gives the row
//!                        │ or a py2p node may dial us                   │  │ to a spare
//!                        └─────────────────────────────► Spare ─────────┘  │
//!                                                          │               ▼
//!                                                          └────────► Draining
//!                                         the first link stays
//! ```
//!
//! A link that is lost before its handshake is removed at once. Any other one becomes `Gone`, and
//! is removed when the last message that it read has been handled.

use std::time::Duration;

use super::event::Channel;
use super::proving::Proving;
use crate::id::NodeId;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Dialling, or TLS is being set up. Holds the TLS channel once it is secured.
    Opening { channel: Option<Channel> },
    /// Frames can go both ways; the peer's handshake is awaited.
    Greeting(Greeting),
    /// In the routing table: this link speaks for its peer.
    Ready(Ready),
    /// A second link to a peer, until it is decided which one stays. Heard, not spoken to.
    Spare(Spare),
    /// Retired: heard to its end, not spoken to.
    Draining(NodeId),
    /// Lost; messages that it read may still be on their way to the node.
    Gone(NodeId),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Greeting {
    pub proving: Proving,
    /// Whether our handshake was sent.
    pub is_answered: bool,
    /// When the peer last took a step towards its handshake.
    pub progressed: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ready {
    pub id: NodeId,
    /// Whether the peer has acknowledged our handshake.
    pub is_acknowledged: bool,
    /// See [`Choice::Agreed`].
    pub offers_choice: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spare {
    pub id: NodeId,
    pub choice: Choice,
}

/// How it is decided whether a spare takes the place of the first link, see `double_links.rs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// With a py2p node: our handshake is held back until this time.
    Held { until: Duration },
    /// With an rs2p node: both ends agree. The first link was probed at this time; `offers_choice`
    /// says whether the peer has said that it has two links, so that this node may choose.
    Agreed { probed_at: Duration, offers_choice: bool },
}

impl Stage {
    /// Returns the stage after [`Stage::Opening`].
    pub fn greeting(channel: Option<Channel>, now: Duration) -> Self {
        let proving = channel.map_or(Proving::Done, Proving::Challenged);
        Stage::Greeting(Greeting { proving, is_answered: false, progressed: now })
    }

    /// Returns the stage of the link that speaks for this peer.
    pub fn ready(id: NodeId) -> Self {
        Stage::Ready(Ready { id, is_acknowledged: false, offers_choice: false })
    }

    /// Returns who is at the other end, once its handshake has come.
    pub fn id(&self) -> Option<NodeId> {
        match self {
            Stage::Opening { .. } | Stage::Greeting(_) => None,
            Stage::Ready(Ready { id, .. }) | Stage::Spare(Spare { id, .. }) => Some(*id),
            Stage::Draining(id) | Stage::Gone(id) => Some(*id),
        }
    }

    pub fn is_spare(&self) -> bool {
        matches!(self, Stage::Spare(_))
    }

    /// Returns the spare, if this is one to this peer.
    pub fn spare_of(&self, id: &NodeId) -> Option<&Spare> {
        match self {
            Stage::Spare(spare) if spare.id == *id => Some(spare),
            _ => None,
        }
    }

    /// Returns the time until which our handshake is held back.
    pub fn held_until(&self) -> Option<Duration> {
        match self {
            Stage::Spare(Spare { choice: Choice::Held { until }, .. }) => Some(*until),
            _ => None,
        }
    }

    /// Returns whether our handshake is still to be sent, and notes that it is sent now. The caller
    /// makes a held spare ready.
    pub fn take_answer(&mut self) -> bool {
        match self {
            Stage::Opening { .. } => true,
            Stage::Greeting(greeting) => !std::mem::replace(&mut greeting.is_answered, true),
            _ => self.held_until().is_some(),
        }
    }

    /// Notes that the peer has acknowledged our handshake; returns whether that is news.
    pub fn acknowledge(&mut self) -> bool {
        match self {
            Stage::Ready(ready) => !std::mem::replace(&mut ready.is_acknowledged, true),
            _ => false,
        }
    }

    /// Returns whether the peer has said on this link that this node may choose.
    pub fn offers_choice(&self) -> bool {
        match self {
            Stage::Ready(Ready { offers_choice, .. })
            | Stage::Spare(Spare { choice: Choice::Agreed { offers_choice, .. }, .. }) => {
                *offers_choice
            }
            _ => false,
        }
    }

    /// Notes whether the peer lets this node choose.
    pub fn set_offers_choice(&mut self, offers: bool) {
        if let Stage::Ready(Ready { offers_choice, .. })
        | Stage::Spare(Spare { choice: Choice::Agreed { offers_choice, .. }, .. }) = self
        {
            *offers_choice = offers;
        }
    }
}
