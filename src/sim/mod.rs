//! A seeded world: the mesh in your unit test.
//!
//! A [`World`] runs any number of real nodes in one thread, over modelled TCP connections, in
//! virtual time. What is real: the node itself, every byte on the wire, message ids, flow control,
//! how links end. What is modelled: the network, threads, the clock. One seed decides everything:
//! the same seed takes the same course.
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
//! A handler of your own is tested by handing it what [`World::recv`] gives, and sending what it
//! answers with [`World::send`] or [`World::send_to`].
//!
//! Links are TCP: bytes arrive in their order or the connection breaks. So there is no loss inside
//! a stream, but delay, jitter and a rate ([`Network`]), and resets, half-open connections,
//! partitions, crashes, power cuts, stopped processes, slow readers and wrong clocks ([`Faults`]).
//! [`World::check`] knows what holds in spite of all that.

mod accounts;
mod actions;
mod application;
mod bounds;
mod breaking;
mod chaos;
mod checks;
mod connectivity;
mod daemon;
mod dialling;
mod leaving;
mod ledger;
mod link;
mod looking;
mod meddling;
mod network;
mod process;
mod reading;
mod report;
mod routes;
mod schedule;
mod tcp;
mod topology;
mod turn;
mod users;
mod verdicts;
mod world;
mod writing;

pub use chaos::Faults;
pub use checks::Violation;
pub use network::Network;
pub use report::Report;
pub use topology::Topology;
pub use world::{RelayRule, World};
