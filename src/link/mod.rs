//! A link: what its thread decides, with no stream, clock, thread or lock of its own.
//!
//! How much may wait where ([`flow`]), what is written next and who is held back for it
//! ([`outgoing`]), what is done with the input ([`input`]), how it ends ([`leaving`]). The
//! runtime's threads obey it over sockets, the simulator's over a modelled network.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

pub(crate) mod flow;
pub(crate) mod input;
pub(crate) mod leaving;
pub(crate) mod outgoing;
