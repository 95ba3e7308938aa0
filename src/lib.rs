//! A mesh socket for ordinary, blocking Rust: bind, connect to one node, and what you send reaches
//! every node of the mesh, through as many hops as it takes. No async runtime. On the wire it is
//! protocol 0.4 of py2p, so real py2p 0.4.516 nodes join the same mesh.
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
//! bob.connect(alice.local_addr())?; // returns when the link is there, or says why not
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
//! **A node is plaintext and open by default**: whoever reaches its port joins the mesh. See
//! [`Protocol::with_secret`].
//!
//! Start with [`MeshSocket`]; [`Message`] is what it receives, [`Builder`] has its settings.
//!
//! # Delivery
//!
//! At most once to the application; to every node that stays reachable from the sender while the
//! message travels; in order per link, so messages of one sender may overtake each other on
//! different paths; no history for those who join later; every loss counted with a reason, see
//! [`Stats`], [`Status`] and [`MeshEvent`].
//!
//! # Trouble
//!
//! [`MeshSocket::status`] prints as `Nominal` unless something is wrong or was: messages are lost,
//! the node is alone though it was told to connect, clocks differ, descriptors have run out. Each
//! [`Trouble`] is one entry and one event when it begins, with what to do, and one when it ends.
//!
//! # Threads
//!
//! Every socket has an accept thread and a daemon thread, and one more per link. Handlers run on the
//! daemon thread. [`MeshSocket`] is a handle: clone it into as many threads as you like.
//!
//! # In your network
//!
//! **A LAN.** Bind `0.0.0.0` or `[::]` and connect to one node by its address or name. No default
//! route is needed. Each peer is told the address of the interface over which it is linked, so
//! nodes find each other and the mesh outlives the node through which they joined. `[::]` takes
//! IPv4 as well. The interfaces are read whenever a link comes up, so addresses may change.
//!
//! **Several interfaces, containers.** What a link shows comes first. Where it shows nothing of use,
//! for a peer on the same host for instance, the best address of the interfaces is announced, in
//! this order: addresses that are not link-local before those that are; interfaces that are no
//! container bridge (`docker*`, `br-*`, `veth*`, `virbr*`, `cni*`, ...) before those that are; IPv4,
//! which is all that py2p knows, before IPv6; the address that the system uses towards the outside
//! before others. Loopback addresses stay on the host; link-local addresses of IPv6 are never
//! announced, because they mean something else on every host. [`Builder::out_addr`] overrules all
//! of it. If nobody can dial a node, [`Trouble::NotReachable`] says so; such a node can
//! still dial others.
//!
//! **NAT and port forwards.** A node behind NAT can dial out. To be dialled, forward a port and set
//! `out_addr` to the router's address and port. rs2p peers are told the address inside as well, so
//! those in the same network need not go through the router. Nothing else gets through NAT.
//!
//! **Names.** [`MeshSocket::connect`] takes names and keeps them: a name is looked up at each dial,
//! so a node that moves is found again within seconds. All addresses of a name are tried. Programs
//! that start in any order use [`Builder::seed`], or [`MeshSocket::connect_within`].
//!
//! **Fork.** A socket's threads do not survive `fork`, and calls in the new process fail with
//! [`Error::Forked`]: bind after it. A program that becomes a daemon binds in the process that stays.
//!
//! # Bounds
//!
//! Everything that a stranger can make grow has one. [`Builder`] sets those that name a setting.
//!
//! | what | default | at the bound | setting |
//! |---|---|---|---|
//! | a frame, also after decompression | 16 MiB | `send` fails with [`Error::TooLarge`]; a peer's link is closed | `max_frame` |
//! | a frame before the handshake | 64 KiB | the link is closed | |
//! | packets in a message | 65,532 | `send` fails with [`Error::TooManyPackets`]; a peer's message is refused | |
//! | messages waiting for `recv` | 64 MiB or 65,536 | [`Overflow`] says; by default the mesh slows down while somebody receives, and the oldest go if nobody does | `queue`, `overflow`, `queue_patience` |
//! | bytes that a link reads ahead of the daemon | 1 MiB, or one frame | reading pauses | `link_credit` |
//! | bytes waiting for one peer | 16 MiB | own messages stop at half of it and wait, relays slow their source down above it; at twice as much, and a frame, and one more for each of up to eight peers that are slowed down, the link is closed | `outbound`, `send_timeout` |
//! | a peer that takes less than 16 KiB of what waits | 10 s, py2p 60 s | its link is closed | `stall` |
//! | message ids remembered | 4,194,304 | the oldest second is given up, and refused from then on | `seen_ids` |
//! | age of a broadcast | 60 s | refused | |
//! | a broadcast from the future | 300 s | refused | |
//! | links | 128 | refused | `max_links` |
//! | incoming links that shake hands | 64 | one that got no further for 0.5 s is closed for a new one; otherwise the new one waits | `max_handshaking` |
//! | connections that wait for that, or say nothing | 256, 5 s | the oldest that said nothing is closed; otherwise new ones wait in the backlog of 1,024 | |
//! | links made by themselves | 4 | no more are made | `max_outgoing` |
//! | a handshake, name look-up and encryption included | 5 s | the link is closed | `handshake_timeout` |
//! | an unfinished frame | 30 s | the link is closed | `frame_timeout` |
//! | links to one peer | 4, of which one stays | closed | |
//! | messages to nodes that are no peers, until they are taken | 10 s, 3 addresses; 1,024 at once, 64 MiB | it fails | `request_timeout` (the 10 s) |
//! | messages whose way back is remembered | 65,536, 61 s | the oldest is forgotten: a reply asks the mesh | |
//! | replies of others under way through this node | 8,192, of one peer 2,048, 30 s | it is refused, and its sender told | |
//! | replies remembered as taken | 262,144, 61 s | others are refused, and their senders told | |
//! | the id of a request for a route | 256 bytes | it is not answered | |
//! | events, status entries | 4,096, 256 | the oldest go | `journal` |
//! | remembered addresses | 512 | hints give way | |
//! | addresses of one name | 16 | the rest is not tried | |
//! | name look-ups at once | 4 threads | others wait for one of them | |
//!
//! # Logging
//!
//! Through the [`log`] crate; [`Builder::debug_level`] caps it per socket, in the levels of py2p.
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

#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
mod builder;
mod close_report;
mod config;
mod connection;
mod delivery;
mod error;
mod events;
mod id;
mod link;
mod mesh_socket;
mod message;
mod node;
mod options;
mod outward;
mod packet;
mod peer_addr;
#[cfg(feature = "native-tls")]
mod pem;
mod protocol;
mod reply;
mod runtime;
mod secret;
#[cfg(feature = "sim")]
pub mod sim;
mod stats;
#[cfg(feature = "native-tls")]
mod tls;
mod trouble;
mod wire;

pub use builder::Builder;
pub use close_report::CloseReport;
pub use connection::Connection;
/// The channels of [`MeshSocket::receiver`] and [`MeshSocket::events`], and their `select!`.
pub use crossbeam_channel;
pub use error::{Attempt, Error, RecvError, RecvTimeoutError, Result, SendError, TryRecvError};
pub use events::{Cause, MeshEvent};
pub use id::{MessageId, NodeId};
pub use mesh_socket::{Iter, MeshSocket, Registration, RoutingTable, Sent, Status, Verdict};
pub use message::Message;
pub use options::{Flag, Kind, Overflow, SendOptions};
pub use packet::{Many, Mixed, One, Packet, Packets};
pub use peer_addr::PeerAddr;
pub use protocol::{Encryption, Protocol};
pub use reply::{Reply, Ticket};
pub use stats::{Refusal, ReplyLoss, Stats};
#[cfg(feature = "native-tls")]
pub use tls::{Fingerprint, InvalidFingerprint, Tls, TlsIdentity};
pub use trouble::{Loss, Trouble};

/// The examples of the README are tests too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
