//! A blocking, threaded mesh socket.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod builder;
mod config;
mod connection;
mod error;
mod events;
mod id;
mod mesh_socket;
mod message;
mod node;
mod options;
mod packet;
mod protocol;
mod reply;
mod runtime;
mod secret;
mod stats;
#[cfg(feature = "native-tls")]
mod tls;
mod wire;

pub use builder::Builder;
pub use connection::Connection;
pub use error::{Error, RecvError, RecvTimeoutError, Result, TryRecvError};
pub use events::{Cause, MeshEvent};
pub use id::{MessageId, NodeId};
pub use mesh_socket::{Iter, MeshSocket, Registration, RoutingTable, Sent, Status, Verdict};
pub use message::Message;
pub use options::{Flag, Kind, Overflow, SendOptions};
pub use packet::{Many, One, Packet, Packets};
pub use protocol::{Encryption, Protocol};
pub use reply::{Reply, Ticket};
pub use runtime::shutdown::CloseReport;
pub use stats::{Refusal, Stats};
#[cfg(feature = "native-tls")]
pub use tls::{Fingerprint, InvalidFingerprint, Tls, TlsIdentity};
