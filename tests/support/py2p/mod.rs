//! Real py2p 0.4.516 nodes: a Python that can run them, a process per node, and what it says.

// No binary uses all of it.
#![allow(dead_code)]

pub mod driver;
pub mod event;
pub mod ignoring;
pub mod options;
pub mod peer;
pub mod python;
