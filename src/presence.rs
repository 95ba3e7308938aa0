//! Who is in the mesh, beyond the direct peers.
//!
//! A node that was bound with [`Builder::presence`](crate::Builder::presence) tells the mesh that it is there,
//! with a name and a role of its own, and keeps a list of the others that do:
//! [`MeshSocket::members`](crate::MeshSocket::members). [`MeshEvent::MemberJoined`](crate::MeshEvent::MemberJoined)
//! and [`MeshEvent::MemberLeft`](crate::MeshEvent::MemberLeft) tell what changes.
//!
//! ```
//! use rs2p::MeshSocket;
//! use rs2p::presence::Presence;
//! use std::time::Duration;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bind = |name| {
//!     MeshSocket::builder().presence(Presence::new().name(name).role("printer")).bind("127.0.0.1:0")
//! };
//! let (alice, bob) = (bind("alice")?, bind("bob")?);
//! let events = alice.events();
//! bob.connect(alice.local_addr())?;
//! while alice.members().iter().all(|member| member.name != "bob") {
//!     events.recv_timeout(Duration::from_secs(10))?;
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # How soon a change is known
//!
//! - A node that joins is known to all within the time that a broadcast takes. It announces itself when it has
//!   its first link, and again 5 s and 20 s later. It gets the list from the first nodes that it is linked to.
//! - A node that is closed says so: it is gone within the time that a broadcast takes.
//! - A node that ends without a word is noticed by the nodes that are linked to it. They ask the mesh for it, and
//!   if it does not answer for 10 s it is gone everywhere: within 15 s after its links have ended, also when 100
//!   of 1,000 nodes end at once. The links of a
//!   process that ends do so at once; those of a host that is switched off after
//!   [`stall_timeout`](crate::Builder::stall_timeout) or [`keepalive`](crate::Builder::keepalive).
//! - Members announce themselves now and then: in a mesh of up to 60 members each 60 s, in a larger one of n members
//!   each n seconds, and each 15 minutes at most. A member of which nothing is heard for three times as long is
//!   gone. This is for nodes that are lost with all nodes that are linked to them, and for two parts of a mesh
//!   that are cut off from each other.
//!
//! # What it costs
//!
//! A node of a mesh that is at rest sends about 2 kB a second, which is its share of about one announcement a second
//! in the whole mesh: measured with 100 simulated nodes, where a node without presence sends 21 bytes a second.
//!
//! # Limits
//!
//! Names are not authenticated: a member of the mesh can announce anything, also for others. At most 8,192
//! members are listed. Control characters in names and roles of others are replaced by `?`, and so are those that
//! change the direction of text. A node without presence, and one of py2p, passes announcements on and does not answer
//! them. It is listed without name and role by the nodes that are linked to it, or were told its address.
//! py2p hands announcements to the handlers of its program, as all kinds of messages: they are of kind
//! `rs2p-members`. Its `recv` does not show them.

use crate::id::NodeId;

/// Most bytes of a name and of a role.
pub(crate) const MAX_TEXT: usize = 64;

/// What a node tells the mesh about itself; see the [module](self).
///
/// ```
/// use rs2p::MeshSocket;
/// use rs2p::presence::Presence;
///
/// let presence = Presence::new().name("press 4").role("printer");
/// let sock = MeshSocket::builder().presence(presence).bind("127.0.0.1:0")?;
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Presence {
    pub(crate) name: String,
    pub(crate) role: String,
}

impl Presence {
    /// Returns a presence without name and role.
    ///
    /// ```
    /// use rs2p::presence::Presence;
    ///
    /// let sock = rs2p::MeshSocket::builder().presence(Presence::new()).bind("127.0.0.1:0")?;
    /// # Ok::<(), rs2p::Error>(())
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the name of the node, of at most 64 bytes. Names need not be unique.
    ///
    /// ```
    /// let presence = rs2p::presence::Presence::new().name("press 4");
    /// ```
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Sets what the node is for, in at most 64 bytes.
    ///
    /// ```
    /// let presence = rs2p::presence::Presence::new().role("printer");
    /// ```
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = role.into();
        self
    }

    /// Returns the length of the first text that is too long.
    pub(crate) fn excess(&self) -> Option<usize> {
        [&self.name, &self.role].into_iter().map(String::len).find(|&len| len > MAX_TEXT)
    }
}

/// A node of the mesh, as [`MeshSocket::members`](crate::MeshSocket::members) lists it.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// for member in sock.members() {
///     println!("{} is {}, a {}", member.id, member.name, member.role);
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Member {
    /// The node.
    pub id: NodeId,
    /// The name that it has given itself; empty if it has none.
    pub name: String,
    /// What it is for, as it says; empty if it does not say.
    pub role: String,
    /// Whether it has announced itself. Otherwise it is a peer, or a node of which a peer has told, that has no
    /// presence: no event tells when it is gone.
    pub has_presence: bool,
}

/// How a member left.
///
/// ```
/// use rs2p::presence::Absence;
///
/// println!("bob {}", Absence::Lost);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Absence {
    /// It was closed, and said so.
    Closed,
    /// A node that was linked to it has lost it, and it did not answer the mesh in time.
    Lost,
    /// Nothing was heard of it for too long.
    Silent,
}

impl std::fmt::Display for Absence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Absence::Closed => "was closed",
            Absence::Lost => "lost its links and does not answer",
            Absence::Silent => "has not been heard for too long",
        })
    }
}
