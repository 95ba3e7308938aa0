//! What a mesh promises, in thousands of seeded worlds: see `rs2p::sim`.
//!
//! A failure prints the seed and the command that runs that one world again. `RS2P_LONG=1` runs
//! ten times as many; `RUST_LOG=rs2p::sim=trace` shows everything that the nodes of a world do.

mod answers;
mod exchange;
mod faults;
mod flow;
mod healing;
mod links;
mod presence;
mod scale;
mod seeds;
mod tree;
