//! The trait through which the daemon hands messages to the program. `mesh_socket::delivering`
//! implements it, with handlers and the queue; the runtime knows neither.

use std::sync::Arc;
use std::time::Instant;

use super::core::Core;
use crate::link::batch::Delivered;
use crate::node::event::Neighbour;
use crate::stats::Stats;
use crate::wire::Envelope;

/// The daemon's end: called by the daemon's thread only.
pub(crate) trait Sink: Send {
    /// Takes a message, after it was relayed. May wait for the program.
    fn deliver(&mut self, core: &Arc<Core>, envelope: Box<Envelope>, from: &Neighbour)
    -> Delivered;

    /// Wakes the program: no message follows at once.
    fn delivered(&mut self);

    /// When to call [`Sink::tick`] if nothing is delivered.
    fn deadline(&self) -> Option<Instant>;

    /// Reports what is due.
    fn tick(&mut self, core: &Core);
}

/// The program's end, as far as closing concerns it.
pub(crate) trait Program: Send + Sync {
    /// Lets the daemon wait for nobody any more.
    fn hurry(&self);

    /// Waits until the daemon has dropped its end.
    fn wait_for_end(&self, by: Instant);

    /// Wakes all that wait for a message.
    fn close(&self);

    /// Drops the handlers, and what they captured.
    fn drop_handlers(&self);

    /// Returns how many bytes find room, in messages of this size, before the program keeps the
    /// daemon waiting; `u64::MAX` if nobody waits for it.
    fn room(&self, message: u64) -> u64;

    /// Adds what was delivered to the counters.
    fn count(&self, stats: &mut Stats);
}
