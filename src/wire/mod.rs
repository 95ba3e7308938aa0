//! Turns bytes into typed messages and back. No layer above this one handles bytes.
//!
//! Reading goes in three steps, so that a duplicate is recognised before it is hashed:
//! [`frame::FrameReader`] cuts the stream into frames, [`Header::parse`] reads the packet table
//! (decompressing first where needed), [`Header::verify`] checks the message id and gives the
//! typed [`Envelope`]. Writing is one step: [`Draft::encode`] makes a [`Frame`] that all peers
//! share.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing, clippy::arithmetic_side_effects))]
#![cfg_attr(not(test), deny(clippy::unwrap_used))]

mod body;
mod buffer;
mod compression;
mod draft;
pub(crate) mod envelope;
mod exchange;
pub(crate) mod frame;
pub(crate) mod handshake;
pub(crate) mod hello;
mod json;
mod lazy;
mod malformed;
pub(crate) mod members;
mod method;
pub(crate) mod node_id;
mod pacing;
pub(crate) mod peers;
mod proof;
pub(crate) mod routed;
mod sender;
#[cfg(test)]
mod tests;
mod total;

pub(crate) use crate::host_port::HostPort;
pub(crate) use body::Body;
pub(crate) use buffer::Buffer;
pub(crate) use draft::{Draft, Parts};
pub(crate) use envelope::{Envelope, Header, MAX_PAYLOAD, payload_of, unpack};
pub(crate) use exchange::Exchange;
#[cfg(feature = "sim")]
pub(crate) use frame::ReadRoom;
pub(crate) use frame::{Frame, FrameReader};
pub(crate) use handshake::Handshake;
pub(crate) use hello::Hello;
pub(crate) use lazy::{Lazy, Named};
pub(crate) use malformed::Malformed;
pub(crate) use method::Method;
pub(crate) use pacing::Pacing;
pub(crate) use peers::PeerEntry;
pub(crate) use proof::Proof;
pub(crate) use routed::{Letter, Receipt, RoutedReply};
pub(crate) use sender::LastSender;
pub(crate) use total::Total;
