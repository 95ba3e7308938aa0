//! What surrounds a link: the node, the daemon, the time, the link's own shared halves.

use std::time::Duration;

use super::mailbox::{Mailbox, MailboxAccess};
use super::outgoing::Freed;
use super::reading::{Batch, Head};
use super::transport::Transport;
use super::writing::Writing;
use crate::config::Config;
use crate::node::event::Item;
use crate::node::{Event, LinkId};

/// The surroundings of one link, as its thread sees them. The runtime's thread implements it with
/// locks, the simulator with fields.
/// `L` is how one link refers to another; `T` is what the simulator keeps with each frame, nothing in
/// the runtime.
pub(crate) trait Host<L, T> {
    type Stream<'a>: Transport<T>;
    type Mailbox<'a>: MailboxAccess<L, T>;

    fn link(&self) -> LinkId;
    fn config(&self) -> &Config;
    /// The monotonic time of this process.
    fn now(&self) -> Duration;

    fn mailbox<R>(&mut self, ask: impl FnOnce(&mut Mailbox<L, T>) -> R) -> R;

    /// Uses the connection and the writing end together, with the mailbox in reach; `None` if the
    /// connection is closed.
    fn port<R>(
        &mut self,
        ask: impl FnOnce(&mut Self::Stream<'_>, &mut Writing<T>, Self::Mailbox<'_>) -> R,
    ) -> Option<R>;

    fn close_port(&mut self);

    /// Returns how many bytes have left the queue of another link; `None` if it throttles nobody.
    fn moved_above_bound(&self, link: &L) -> Option<u64>;

    /// Wakes those who waited for this link's queue.
    fn wake_freed(&mut self, freed: Freed<L>);

    /// Notes that an unfinished frame takes this many bytes, and nothing is being unpacked; false if they
    /// cannot be had now.
    fn hold(&mut self, _partial: usize) -> bool {
        true
    }

    /// Unpacks a body to at most this many bytes, which count until the next call of [`Host::hold`]. `None`
    /// if that cannot be done now.
    fn unpack<R>(&mut self, _most: usize, unpack: impl FnOnce() -> R) -> Option<R> {
        Some(unpack())
    }

    fn count_read(&mut self, bytes: usize);
    fn count_written(&mut self, bytes: u64);
    /// Counts frames that will never be written.
    fn count_unsent(&mut self, frames: impl Iterator<Item = T>);

    /// Notes that there are messages among them, of this node or relayed.
    fn note_loss(&mut self) {}

    /// Returns the tag of the frame that was cut out of the stream last.
    fn next_tag(&mut self) -> T;

    /// Returns how many bytes the program can be handed without its keeping anybody waiting, if a
    /// message has this many; `u64::MAX` if nobody waits for it.
    fn room(&self, frame: u64) -> u64;

    /// Tells the node what happened, and carries out what it wants.
    fn tell(&mut self, event: Event);

    /// Tells the node what this link has read.
    fn tell_item(&mut self, tag: T, item: Item);

    /// Notes that a message went out again, as the peer asked.
    fn note_resent(&mut self) {}

    /// Drops what the node has seen before, so that it is not even hashed.
    fn drop_duplicates(&mut self, heads: &mut Vec<Head<T>>);

    /// Hands a batch to the daemon, or gives it back: then this link is woken when there is room.
    fn offer(&mut self, batch: Batch<T>) -> Result<(), Batch<T>>;

    /// Tells the daemon that the last batch of this link was handed in; false if there is no room,
    /// as in [`Host::offer`].
    fn offer_end(&mut self) -> bool;
}
