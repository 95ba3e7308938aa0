//! Attacks on one node of a small honest mesh: what they may cost the others. Each attack is a member that
//! speaks the protocol by hand. Loopback only.
//!
//! `RS2P_LONG=1` runs each attack for a minute.

#[path = "../support/mod.rs"]
mod support;

mod faults;
mod ids;
mod names;
mod programs;
mod readers;
mod rig;
mod witness;
