//! Sockets, threads and the clock around the node.
//!
//! One accept thread ([`listener`], which also keeps the time), one thread per connection
//! ([`link_thread`], which drives a link's machine), and one daemon ([`daemon`]) that takes their
//! decoded messages from a bounded channel, relays, and hands them to the
//! [`sink`], which runs the program's
//! handlers (`mesh_socket::handlers`) on the daemon's thread.
//! [`core`] is what they share.

pub(crate) mod after_lock;
mod awake;
mod backlog;
#[cfg(feature = "native-tls")]
mod below_tls;
pub(crate) mod clock;
pub(crate) mod core;
pub(crate) mod counters;
pub(crate) mod daemon;
pub(crate) mod dial;
pub(crate) mod fork_guard;
mod inbox;
pub(crate) mod journal;
pub(crate) mod link;
mod link_host;
pub(crate) mod link_thread;
pub(crate) mod listener;
mod memory;
mod own_addresses;
mod progress;
pub(crate) mod relaying;
mod reporting;
pub(crate) mod resolver;
pub(crate) mod shutdown;
pub(crate) mod sink;
pub(crate) mod slot;
pub(crate) mod start;
mod strangers;
pub(crate) mod stream;
pub(crate) mod threads;
#[cfg_attr(not(feature = "native-tls"), path = "no_tls.rs")]
pub(crate) mod tls;
#[cfg(feature = "native-tls")]
mod tls_link;
pub(crate) mod trace;
