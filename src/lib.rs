//! A mesh socket for ordinary, blocking Rust: bind, connect to one node, and what you send reaches
//! every node of the mesh, over any number of hops. No async runtime. On the wire it is protocol 0.4
//! of py2p, so real py2p 0.4.516 nodes join the same mesh.
//!
//! ```
//! use std::time::Duration;
//! use rs2p::{Connection, MeshSocket, Message};
//!
//! # fn main() -> rs2p::Result<()> {
//! let alice = MeshSocket::bind("127.0.0.1:0")?;
//! alice.register_handler(|msg: &Message, peer: &Connection| {
//!     println!("{} passed on {msg}", peer.id());
//! });
//!
//! let bob = MeshSocket::bind("127.0.0.1:0")?;
//! bob.connect(alice.local_addr())?; // returns once both ends have the link
//! bob.send(["this is", "a test"])?;
//!
//! let msg = alice.recv_timeout(Duration::from_secs(5))?;
//! assert_eq!(msg.payload(), ["this is", "a test"]);
//! msg.reply(["yes", "I did"])?;
//! assert_eq!(bob.recv()?[1], b"yes");
//!
//! alice.close()?;
//! bob.close()?;
//! # Ok(())
//! # }
//! ```
//!
//! **A node is plaintext and open by default**: anyone who can reach its port can join the mesh. See
//! [`Protocol::with_secret`].
//!
//! Start with [`MeshSocket`]. It receives [`Message`]s; [`Builder`] has its settings. The guide has a
//! [tutorial](docs::tutorial), [recipes](docs::recipes), [your network](docs::network),
//! [the program meshcat](docs::meshcat) and [coming from py2p](docs::coming_from_py2p).
//!
//! # Delivery
//!
//! - A message is delivered at most once to the application.
//! - It reaches every node that stays reachable from the sender while it travels.
//! - Messages of one sender that take the same links keep their order. On different links they may overtake each
//!   other, and so may messages of different senders.
//! - A node that joins later gets no history.
//! - Every loss is counted with a reason: see [`Stats`], [`Status`](report::Status) and [`MeshEvent`].
//! - The slowest receiver sets the pace: `send` blocks until it has taken enough, over any number of
//!   hops. This holds for a receiver that takes 64 KiB or 50 messages a second. One below both keeps
//!   its link, but after 10 s nobody waits for it: it misses what has no room. Both ends are told
//!   ([`MeshEvent::LeftBehind`], [`MeshEvent::FellBehind`]) and count what it missed
//!   ([`Stats::missed_frames`], [`Stats::missed`]). [`Builder::pace_floor_bytes`] changes this; with 0
//!   everybody is waited for.
//!
//! # Trouble
//!
//! [`MeshSocket::status`] prints as `Nominal` unless something is wrong or was: messages are lost,
//! the node is alone though it was told to connect, clocks differ, descriptors have run out. Each
//! [`Trouble`] is one entry and one event when it begins, with what to do, and one when it ends.
//!
//! # Threads
//!
//! Every socket has an accept thread, a daemon thread and one thread per link. Handlers run on the
//! daemon thread. [`MeshSocket`] is a handle: clone it for each thread that uses it.
//!
//! # Performance
//!
//! What limits a node is the wire: each message is hashed with SHA-384 at both ends, and its id is in
//! base58. *Limit A* is TCP with coalesced writes plus that work, done as other crates do it. Measured
//! in one run, alternately, on two cores that both programs share; medians of 3 rounds:
//!
//! | payload | limit A, messages/s | rs2p, messages/s | rs2p / A |
//! |---|---|---|---|
//! | 64 B | 232,000 | 389,000 | 1.68 |
//! | 1 KiB | 120,000 | 142,000 | 1.18 |
//! | 64 KiB | 3,070 | 2,030 | 0.66 |
//!
//! Run it with `cargo run --release --example bench -- throughput`; `latency`, `mesh`, `idle`, `fanout`
//! and `threads` are other workloads. Take ratios, not figures.
//!
//! - Put several small items into one message: a message costs about 2.5 µs on a core at each end.
//! - Pass payloads as `Vec<u8>` or `Bytes`: what is borrowed is copied once more.
//! - Receive in one thread, with `recv`, `iter` or `recv_many`: it is woken once for a batch. A slow
//!   handler keeps all messages waiting.
//! - Compression and SSL cost time on a core for each byte. Links between rs2p nodes are not compressed
//!   unless [`Builder::compress`] says so.
//!
//! # Bounds
//!
//! Every resource that an unauthenticated peer can use is bounded. The settings are those of
//! [`Builder`]; a bound without a setting is fixed.
//!
#![doc = include_str!("../BOUNDS.md")]
//!
//! # Logging
//!
//! The [`log`] crate is used. [`Builder::debug_level`] limits it per socket, in the levels of py2p.
//!
//! | `debug_level` | what | target | `log` level |
//! |---|---|---|---|
//! | 0 | a handler panicked | `rs2p::handlers` | error |
//! | 1 | peers come and go, dials fail, troubles begin and end, a handler is slow | `rs2p::peers`, `rs2p::handlers` | info |
//! | 2 | connections are accepted, or end without a word | `rs2p::links` | debug |
//! | 3 | a message that no handler kept and `recv` does not show, duplicates not relayed | `rs2p::messages` | debug |
//! | 4 | every message that the program sent | `rs2p::messages` | trace |
//! | 5 | every message in and out, every handler entered | `rs2p::messages`, `rs2p::handlers` | trace |
//!
//! # Features
//!
//! | feature | default | what |
//! |---|---|---|
//! | `compression` | yes | zlib and gzip, which links to py2p use |
//! | `compression-all` | no | bz2 and lzma as well |
//! | `native-tls` | no | [`Encryption::Ssl`]; on Linux it needs the headers of OpenSSL and a C compiler |
//! | `native-tls-vendored` | no | the same, with an OpenSSL of its own |
//! | `sim` | no | `rs2p::sim`: whole meshes in a unit test |
//! | `discovery` | no | `rs2p::discovery`: nodes in a local network find each other |
//! | `cli` | no | the program `meshcat`: a peer for the command line |
//!
//! # Debug builds
//!
//! Every message is hashed with SHA-384, which is slow without optimisation. In the `Cargo.toml` of
//! your program:
//!
//! ```toml
//! [profile.dev.package.sha2]
//! opt-level = 3
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod base58;
mod bell;
#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod builder;
mod cause;
mod close_report;
mod config;
mod connection;
mod delivery;
#[cfg(feature = "discovery")]
pub mod discovery;
#[cfg(any(doc, doctest))]
pub mod docs;
pub mod error;
mod events;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod host_port;
mod id;
mod link;
mod mesh_socket;
mod message;
mod node;
mod options;
mod outward;
mod packet;
mod packets;
mod peer_addr;
#[cfg(feature = "native-tls")]
mod pem;
pub mod presence;
mod protocol;
pub mod request;
mod routed;
mod runtime;
mod secret;
#[cfg(feature = "sim")]
pub mod sim;
mod stats;
mod sync;
mod tally;
#[cfg(feature = "native-tls")]
pub mod tls;
pub mod topic;
mod trouble;
mod wire;

pub use builder::Builder;
pub use cause::Cause;
pub use connection::Connection;
/// The channels of [`MeshSocket::receiver`] and [`MeshSocket::events`], and their `select!`.
pub use crossbeam_channel;
#[doc(inline)]
pub use error::{Error, Result};
pub use events::MeshEvent;
pub use id::{MessageId, NodeId};
pub use mesh_socket::{MeshSocket, Registration, Sent};
pub use message::Message;
pub use options::{Flag, Kind, Overflow, SendOptions};
pub use packet::Packet;
pub use packets::Packets;
pub use peer_addr::PeerAddr;
pub use protocol::{Encryption, Protocol};
pub use routed::{Routed, Ticket};
pub use stats::Stats;
pub use trouble::Trouble;

/// What a node says about itself, and why messages are lost.
pub mod report {
    pub use crate::close_report::CloseReport;
    pub use crate::mesh_socket::Status;
    pub use crate::stats::{Metric, PeerStats, Refusal, ReplyLoss};
    pub use crate::trouble::Loss;
}

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
