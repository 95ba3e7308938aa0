//! A link: everything that one does, with no stream, clock, thread or lock of its own.
//!
//! A link has three parts. The [`mailbox`] is what others leave for it: frames to write, orders,
//! credit. The [`writing`] end encodes and writes; a thread that sends a message may use it too.
//! The [`machine`] is the rest, touched only by the link's own thread: it obeys orders, reads
//! ([`reading`]), writes, waits, and leaves ([`closing`]).
//!
//! The threads of the runtime and the simulator only drive these parts, through two traits:
//! [`transport::Transport`] is a connection that never waits, [`host::Host`] is everything around a
//! link. [`actions`] carries out what a node wants of its links, [`batch`] is what the daemon does
//! with a batch that a link has read.
//!
//! The arithmetic stands apart: how many bytes may wait where ([`flow`]), how much that is at the
//! pace of a peer ([`pace`]), which peers are waited for ([`pace_floor`]), what peers are told about our own
//! pace ([`progress_report`]), what is written next ([`outgoing`]), whose turn it is (`lanes`,
//! [`turns`]), when to read ([`input`]), when a link has
//! ended ([`close_timing`]), how much memory all links may take ([`memory`]).
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

pub(crate) mod actions;
mod arrears;
pub(crate) mod batch;
pub(crate) mod close_timing;
pub(crate) mod closing;
pub(crate) mod direct_write;
pub(crate) mod flow;
mod freed;
mod handing_in;
pub(crate) mod host;
pub(crate) mod input;
mod lanes;
mod liveness;
pub(crate) mod machine;
pub(crate) mod mailbox;
pub(crate) mod memory;
pub(crate) mod meter;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod mock;
pub(crate) mod outgoing;
pub(crate) mod pace;
pub(crate) mod pace_floor;
pub(crate) mod progress_report;
pub(crate) mod reading;
#[cfg(feature = "sim")]
pub(crate) mod release;
#[cfg(test)]
mod tests;
pub(crate) mod transport;
pub(crate) mod turns;
mod unpacking;
mod weight;
pub(crate) mod writing;

/// Batches that one link may have in the daemon's channel on average before the channel is full.
pub(crate) const BATCHES_PER_LINK: usize = 8;

/// The capacity of the daemon's channel.
pub(crate) fn channel_capacity(config: &crate::config::Config) -> usize {
    config.max_links.max(1).saturating_mul(BATCHES_PER_LINK)
}
