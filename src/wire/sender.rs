//! The sender of the last message of a link. Most links carry many messages of one sender in a row,
//! so its id is decoded once only.

use crate::id::NodeId;

/// The last sender that was read.
#[derive(Debug, Default)]
pub(crate) struct LastSender(Option<NodeId>);

impl LastSender {
    /// Decodes a node id, unless it equals the last one.
    pub(super) fn read(&mut self, text: &[u8]) -> Option<NodeId> {
        match self.0 {
            Some(last) if last.as_bytes() == text => Some(last),
            _ => {
                let sender = NodeId::from_wire(text)?;
                self.0 = Some(sender);
                Some(sender)
            }
        }
    }
}
