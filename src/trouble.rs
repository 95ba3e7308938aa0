//! What is wrong with a node for a while, and what to do about it. Pure.

use std::fmt;
use std::time::Duration;

use crate::id::NodeId;

/// Something that is wrong with this node from one moment to another, see
/// [`MeshEvent::TroubleBegan`](crate::MeshEvent::TroubleBegan) and
/// [`Status::current`](crate::report::Status::current).
///
/// It prints as what is wrong; [`Trouble::remedy`] says what to do.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::MeshEvent;
///
/// for event in sock.events().try_iter() {
///     if let MeshEvent::TroubleBegan(trouble) = event {
///         eprintln!("{trouble}: {}", trouble.remedy());
///     }
/// }
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// The node has no peer, though it was told to connect.
    Alone,
    /// A peer and this node refuse each other's broadcasts because of their dates.
    ClockSkew {
        /// The peer.
        id: NodeId,
        /// By how much the clocks differ.
        by: Duration,
    },
    /// Messages are being lost.
    LosingMessages {
        /// How.
        how: Loss,
    },
    /// The system has no file descriptors, no memory or no threads left for another connection.
    Exhausted {
        /// The system's own words.
        error: String,
    },
    /// The system does not let the node accept connections, for another reason.
    CannotAccept {
        /// The system's own words.
        error: String,
    },
    /// This process was forked from the one that bound the socket, and has none of its threads.
    Forked,
    /// A handler has not returned for over a second. Messages wait for it; relays go on.
    HandlerBlocks,
    /// No address of this host can be dialled by others: its interfaces are down, or have none that
    /// the listener takes. Looked for again with every link and dial.
    NotReachable,
}

/// How messages are being lost.
///
/// ```
/// # use rs2p::MeshSocket;
/// # let sock = MeshSocket::bind("127.0.0.1:0")?;
/// use rs2p::Trouble;
/// use rs2p::report::Loss;
///
/// let loses = |trouble: &Trouble| matches!(trouble, Trouble::LosingMessages { how: Loss::NotReceived });
/// assert!(!sock.status().current().iter().any(loses));
/// # Ok::<(), rs2p::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Loss {
    /// The queue for `recv` is full and nobody receives.
    NotReceived,
    /// Links end with messages in their queues.
    Unsent,
    /// Peers take messages too slowly, and are left behind, see
    /// [`Builder::pace_floor_bytes`](crate::Builder::pace_floor_bytes).
    LeftBehind,
    /// This program takes messages too slowly, and peers leave it behind.
    FellBehind,
    /// So many message ids came at once that some seconds had to be given up.
    TooManyIds,
}

impl Trouble {
    /// Returns what to do about it.
    ///
    /// ```
    /// assert_eq!(rs2p::Trouble::Forked.remedy(), "bind after the fork, in the process that uses the socket");
    /// ```
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            Trouble::Alone => {
                "check that the nodes that were connected to run and can be reached; they are \
                 dialled again and again"
            }
            Trouble::ClockSkew { .. } => "set both clocks, best by NTP",
            Trouble::LosingMessages { how } => how.remedy(),
            Trouble::Exhausted { .. } => {
                "raise the limits of the process (`ulimit -n`, `ulimit -u`), or lower `max_links` \
                 in the builder"
            }
            Trouble::CannotAccept { .. } => "see what the system says; it is tried again",
            Trouble::HandlerBlocks => "have the handler leave its work to another thread",
            Trouble::Forked => "bind after the fork, in the process that uses the socket",
            Trouble::NotReachable => "bring an interface up, or set `out_addr` in the builder",
        }
    }

    /// Returns whether this is the same trouble, perhaps with other details.
    fn is_same(&self, other: &Trouble) -> bool {
        match (self, other) {
            (Trouble::LosingMessages { how }, Trouble::LosingMessages { how: other }) => {
                how == other
            }
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}

impl Loss {
    fn remedy(self) -> &'static str {
        match self {
            Loss::NotReceived => {
                "receive in a loop, or choose another `queue_bytes`, `queue_messages` or `overflow` in the \
                 builder"
            }
            Loss::Unsent => {
                "call `flush` or `close` before a program ends; see `events` for why links end"
            }
            Loss::LeftBehind => {
                "send less, or set `pace_floor_bytes` to 0 in the builder to wait for every peer"
            }
            Loss::FellBehind => "take messages faster, or lower the pace floor at the peers",
            Loss::TooManyIds => "send fewer messages, or raise `seen_ids` in the builder",
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Loss::NotReceived => "messages are dropped because nobody receives them",
            Loss::Unsent => "messages are lost because links end before they are written",
            Loss::LeftBehind => "messages are lost because peers take them too slowly",
            Loss::FellBehind => "messages are lost because this program takes them too slowly",
            Loss::TooManyIds => "messages are refused because too many ids are remembered",
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Alone => f.write_str("this node is alone, though it was told to connect"),
            Trouble::ClockSkew { id, by } => {
                let by = by.as_secs();
                write!(
                    f,
                    "messages are refused: the clocks of peer {id} and this node differ by {by} s"
                )
            }
            Trouble::LosingMessages { how } => f.write_str(how.as_str()),
            Trouble::Exhausted { error } => {
                write!(f, "the system has nothing left for another connection: {error}")
            }
            Trouble::CannotAccept { error } => write!(f, "cannot accept connections: {error}"),
            Trouble::HandlerBlocks => f.write_str("a handler has not returned for over a second"),
            Trouble::Forked => f.write_str("this process did not bind the socket"),
            Trouble::NotReachable => {
                f.write_str("no address of this host can be dialled by others")
            }
        }
    }
}

/// The troubles of one node now.
#[derive(Debug, Default)]
pub(crate) struct Troubles(Vec<Current>);

#[derive(Debug)]
struct Current {
    trouble: Trouble,
    /// When it is over, unless it is noticed again.
    until: Option<Duration>,
}

impl Troubles {
    /// Notes a trouble, which lasts until [`Troubles::end`] or for this long after it was noticed
    /// last. Returns whether it is new.
    pub fn begin(&mut self, trouble: &Trouble, until: Option<Duration>) -> bool {
        match self.0.iter_mut().find(|current| current.trouble.is_same(trouble)) {
            Some(current) => {
                current.until = until;
                false
            }
            None => {
                self.0.push(Current { trouble: trouble.clone(), until });
                true
            }
        }
    }

    /// Ends a trouble; `None` if there is no such one.
    pub fn end(&mut self, trouble: &Trouble) -> Option<Trouble> {
        let index = self.0.iter().position(|current| current.trouble.is_same(trouble))?;
        Some(self.0.remove(index).trouble)
    }

    /// Gives a trouble that has not been noticed again in time.
    pub fn expire(&mut self, now: Duration) -> Option<Trouble> {
        let is_over = |current: &Current| current.until.is_some_and(|until| now >= until);
        let index = self.0.iter().position(is_over)?;
        Some(self.0.remove(index).trouble)
    }

    /// Returns when the next one may be over.
    pub fn next(&self) -> Option<Duration> {
        self.0.iter().filter_map(|current| current.until).min()
    }

    pub fn iter(&self) -> impl Iterator<Item = &Trouble> {
        self.0.iter().map(|current| &current.trouble)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEAF: Trouble = Trouble::LosingMessages { how: Loss::NotReceived };
    const UNSENT: Trouble = Trouble::LosingMessages { how: Loss::Unsent };

    fn at(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_trouble_begins_once_and_ends_once() {
        let mut troubles = Troubles::default();
        assert!(troubles.begin(&Trouble::Alone, None));
        assert!(!troubles.begin(&Trouble::Alone, None));
        assert!(troubles.begin(&DEAF, None) && troubles.begin(&UNSENT, None));
        assert_eq!(troubles.end(&Trouble::Alone), Some(Trouble::Alone));
        assert_eq!(troubles.end(&Trouble::Alone), None);
        assert_eq!(troubles.iter().count(), 2);
    }

    #[test]
    fn a_trouble_that_is_not_noticed_again_is_over() {
        let mut troubles = Troubles::default();
        troubles.begin(&DEAF, Some(at(10)));
        troubles.begin(&DEAF, Some(at(15)));
        assert_eq!((troubles.next(), troubles.expire(at(14))), (Some(at(15)), None));
        assert_eq!(troubles.expire(at(15)), Some(DEAF));
        assert_eq!((troubles.next(), troubles.expire(at(99))), (None, None));
    }

    #[test]
    fn details_do_not_make_a_second_one() {
        let mut troubles = Troubles::default();
        let refused = |error: &str| Trouble::CannotAccept { error: error.to_owned() };
        assert!(troubles.begin(&refused("one"), None) && !troubles.begin(&refused("two"), None));
    }
}
