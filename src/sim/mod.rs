//! A simulator of whole meshes, for unit tests.
//!
//! A [`World`] runs any number of real nodes in one thread, over modelled TCP connections, in
//! virtual time. What is real: the node itself, every byte on the wire, message ids, flow control,
//! how links end. What is modelled: the network, threads, the clock. One seed decides everything:
//! runs with the same seed are equal.
//!
//! ```
//! use rs2p::sim::World;
//! use std::time::Duration;
//!
//! let mut world = World::new(42).nodes(20);
//! world.run_for(Duration::from_secs(10));
//! assert!(world.is_connected());
//!
//! world.send(3, ["this is", "a test"])?;
//! assert!(world.settle(Duration::from_secs(5)));
//! assert_eq!(world.recv(17).expect("it got there").payload(), ["this is", "a test"]);
//!
//! world.check()?;
//! println!("{}", world.report());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! To test a handler, pass it what [`World::recv`] returns, and send its answers with
//! [`World::send`] or [`World::send_to`].
//!
//! Links are TCP: bytes arrive in their order or the connection breaks. So nothing is lost inside a
//! stream. There are delay, jitter and a rate ([`Network`]), and resets, half-open connections,
//! partitions, crashes, power cuts, stopped processes, slow readers and wrong clocks ([`Faults`]).
//! [`World::check`] checks what must hold in spite of all that.

// Where to look: `setup` makes a world, `world` has the time, `schedule` what will happen when. A machine with its process is
// in `machines`, `process`, `programs`, `application`; a link's thread in `link` and
// `link_host`; the daemon in `daemon` and `actions`; the network in `network`, `tcp`, `dialling`,
// `endings`; what goes wrong in `faults`. What is promised is in `checks`, `verdicts`, `bounds` and
// `connectivity`; the books are kept in `ledger`, `accounts` and, for messages to one node, `routes`.

// First, so that constructors come first in the documentation of `World`.
mod setup;

mod accounts;
mod actions;
mod application;
mod bounds;
mod byzantine;
mod checks;
mod connecting;
mod connectivity;
mod daemon;
mod debts;
mod dialling;
mod endings;
mod faults;
mod ledger;
mod liars;
mod link;
mod link_host;
mod machines;
mod network;
mod pairs;
mod process;
mod programs;
mod queue;
mod report;
mod report_text;
mod routes;
mod schedule;
mod tcp;
mod topology;
mod verdicts;
mod view;
mod world;

pub use checks::Violation;
pub use faults::Faults;
pub use network::Network;
pub use report::Report;
pub use setup::RelayRule;
pub use topology::Topology;
pub use world::World;
