//! Whether a message may be sent now: the links that it is for have room for it, and others for its id.

use std::sync::Arc;
use std::time::Duration;

use crate::id::NodeId;
use crate::node::{LinkId, Now};
use crate::runtime::core::State;
use crate::runtime::link::{Link, Queue};

/// Why nothing was sent.
pub(super) enum Refused {
    /// So much waits for this peer that the link takes no more of our own messages.
    Full(NodeId, Arc<Link>),
    /// So much was sent that the ids of more could not be remembered. It may be tried again after this time.
    TooFast(Duration),
    Closed,
}

/// Whether a broadcast of ours may be sent as far as ids are concerned: see [`Node::send_pause`](crate::node::Node).
pub(super) fn ids_have_room(state: &State, now: Now) -> Result<(), Refused> {
    state.node.send_pause(now).map_or(Ok(()), |pause| Err(Refused::TooFast(pause)))
}

/// Whether the links of all peers take a message of ours.
pub(super) fn all_have_room(state: &State) -> Result<(), Refused> {
    has_room(state, state.node.peers().map(|(id, link, _)| (id, link)), Queue::takes_own)
}

/// Whether all these links take a message of ours.
pub(super) fn has_room(
    state: &State,
    links: impl IntoIterator<Item = (NodeId, LinkId)>,
    takes: fn(&Queue) -> bool,
) -> Result<(), Refused> {
    if state.node.is_closed() {
        return Err(Refused::Closed);
    }
    for (id, link) in links {
        let full = |link: &&Arc<Link>| !link.mailbox(|mailbox| takes(&mailbox.outgoing));
        if let Some(link) = state.links.get(&link).filter(full) {
            return Err(Refused::Full(id, Arc::clone(link)));
        }
    }
    Ok(())
}
