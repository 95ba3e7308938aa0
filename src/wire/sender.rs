//! Who sent the last message of a link. Most links carry many messages of one sender in a row, and
//! text that was read once need not be read again.

use crate::id::NodeId;

/// The last sender that was read.
#[derive(Debug, Default)]
pub(crate) struct LastSender(Option<NodeId>);

impl LastSender {
    /// Reads the wire form of a node id, if it differs from the last one.
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
