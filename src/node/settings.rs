//! How the two ends of a link compress their frames, and how a peer changes that.

use super::event::{Action, LinkId};
use super::{Node, Now};
use crate::id::NodeId;
use crate::options::Flag;
use crate::wire::Method;

impl Node {
    /// Handles a list of the compression methods that the peer accepts. If the list changed,
    /// applies it and answers with the methods that both ends support.
    pub(super) fn renegotiate(&mut self, now: Now, link: LinkId, id: NodeId, methods: &[Method]) {
        let Some(peer) = self.links.get_mut(link) else { return };
        if peer.methods == methods {
            return;
        }
        peer.announces(methods);
        let settings = peer.settings(id, self.config.compress);
        self.actions.push_back(Action::Renegotiate { link, settings });
        let common: Vec<Method> =
            Method::SUPPORTED.iter().copied().filter(|ours| methods.contains(ours)).collect();
        self.say(now, link, Flag::Renegotiate, Method::list_payload(&common));
    }
}
