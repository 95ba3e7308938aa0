//! Nodes in networks of their own: network namespaces on a bridge, without a route to anywhere.
//!
//! What these tests need: Linux, root, and `ip` of iproute2. Where that is missing they say so and
//! pass, except where `CI` is set: there it is a failure. No packet leaves the namespaces.
#![cfg(target_os = "linux")]

mod forwarded;
mod lab;
mod lan;
mod mixed;
mod moving;
mod names;
mod node;

#[path = "../support/py2p/mod.rs"]
mod py2p;
#[path = "../support/mod.rs"]
mod support;
