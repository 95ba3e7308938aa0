//! Sockets, threads and the clock around the node.
//!
//! One accept thread ([`listener`], which also keeps the time), one thread per connection
//! ([`link_thread`], [`reading`], [`writer`]), and one daemon ([`daemon`]) that takes their
//! decoded messages from a bounded channel, relays, runs the handlers and fills the [`queue`].
//! [`core`] is what they share.

pub(crate) mod aftermath;
#[cfg(feature = "native-tls")]
mod below_tls;
pub(crate) mod clock;
pub(crate) mod core;
pub(crate) mod counters;
pub(crate) mod daemon;
pub(crate) mod dial;
pub(crate) mod handlers;
pub(crate) mod journal;
pub(crate) mod leaving;
pub(crate) mod link;
pub(crate) mod link_thread;
pub(crate) mod listener;
pub(crate) mod outbox;
mod placing;
pub(crate) mod queue;
pub(crate) mod reading;
pub(crate) mod resolver;
pub(crate) mod shutdown;
pub(crate) mod start;
pub(crate) mod stream;
pub(crate) mod threads;
#[cfg_attr(not(feature = "native-tls"), path = "no_tls.rs")]
pub(crate) mod tls;
#[cfg(feature = "native-tls")]
mod tls_link;
pub(crate) mod trace;
pub(crate) mod writer;
