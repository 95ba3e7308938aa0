//! What was read goes to the node and to the daemon: without duplicates, verified, in its order.

use super::flow::Load;
use super::host::Host;
use super::machine::Machine;
use super::reading::{BATCH_LEN, Batch, Head};
use crate::node::event::is_control;
use crate::wire::Header;

/// Full batches that go to the daemon unchecked after one in which the node had seen nothing before. To
/// look takes a third as long as to hash a small message, and the daemon drops duplicates as well.
const UNCHECKED: u32 = 7;

impl<L: PartialEq, T: Copy + Default> Machine<L, T> {
    /// Drops duplicates, verifies the rest, and hands it to the daemon.
    pub(super) fn hand_in(
        &mut self,
        host: &mut impl Host<L, T>,
        mut heads: Vec<Head<T>>,
        load: Load,
    ) {
        self.drop_duplicates(host, &mut heads);
        let mut items = Vec::with_capacity(heads.len());
        let mut had_control = false;
        for (tag, head) in heads {
            let item = head.and_then(Header::verify).map(Box::new);
            if is_control(&item) {
                had_control = true;
                host.tell_item(tag, item);
            } else {
                items.push((tag, item));
            }
        }
        if had_control {
            self.look_at_settings(host);
        }
        if items.is_empty() {
            return host.mailbox(|mailbox| mailbox.read(load.wire));
        }
        let now = host.now();
        host.mailbox(|mailbox| mailbox.take_credit(now, load));
        match self.reading.held {
            // Order: nothing overtakes what is held.
            Some(ref mut held) => {
                held.items.extend(items);
                held.load.add(load);
            }
            None => self.offer(host, Batch { items, load }),
        }
    }

    /// Drops what the node has seen before, so that it is not even hashed. Where small messages come fast
    /// and none is a duplicate, it looks at every eighth batch only.
    fn drop_duplicates(&mut self, host: &mut impl Host<L, T>, heads: &mut Vec<Head<T>>) {
        let count = heads.len();
        if count == BATCH_LEN && self.reading.unchecked > 0 {
            self.reading.unchecked = self.reading.unchecked.saturating_sub(1);
            return;
        }
        host.drop_duplicates(heads);
        self.reading.unchecked = if heads.len() == count { UNCHECKED } else { 0 };
    }

    pub(super) fn offer(&mut self, host: &mut impl Host<L, T>, batch: Batch<T>) {
        if self.settings.as_ref().is_some_and(|settings| settings.is_held) {
            self.reading.held = Some(batch);
            return;
        }
        self.reading.held = host.offer(batch).err();
    }
}
