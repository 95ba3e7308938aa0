//! Presence: what nodes that want to be known tell the mesh about themselves and about each other.
//!
//! Messages of kind [`KIND`], whose second packet is a word. Nodes that do not know the kind pass it on. As
//! broadcasts:
//!
//! - `here`, version, name, role: the sender is there. Each announcement of a node has a higher version; the first
//!   one is random.
//! - `gone`, version: the sender closes.
//! - `lost`, then id and version of each: the sender has lost its links to these nodes.
//!
//! As whispers, to peers whose hello has the word `members`:
//!
//! - `tell`, and an id or nothing: asks for the members, in the order of their ids, that come after this id.
//! - `rows`, then id, version, age, name and role of each: a page of the answer. The age is how many seconds ago
//!   the sender has heard of them. A page of [`MAX_ROWS`] members is not the last one.
//! - `news`, then the same: members that are new to the sender. Nobody has asked.
//!
//! Ids are text in base58, versions and ages are 8 bytes, big endian.

use std::time::Duration;

use crate::id::NodeId;
use crate::packet::Packet;
use crate::presence::MAX_TEXT;

pub(crate) const KIND: &[u8] = b"rs2p-members";

/// Most lost nodes, and most members, in one message; the reader takes no more.
pub(crate) const MAX_LOST: usize = 64;
pub(crate) const MAX_ROWS: usize = 64;

const HERE: &[u8] = b"here";
const GONE: &[u8] = b"gone";
const LOST: &[u8] = b"lost";
const TELL: &[u8] = b"tell";
const ROWS: &[u8] = b"rows";
const NEWS: &[u8] = b"news";

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Members {
    Here {
        version: u64,
        name: String,
        role: String,
    },
    Gone {
        version: u64,
    },
    Lost(Vec<(NodeId, u64)>),
    Tell {
        after: Option<NodeId>,
    },
    Rows(Vec<Row>),
    News(Vec<Row>),
    /// A word of a later version: passed on, and not understood.
    Unknown,
}

/// A member, as a peer tells about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub id: NodeId,
    pub version: u64,
    pub age: Duration,
    pub name: String,
    pub role: String,
}

impl Members {
    /// Returns whether it is for all nodes. The other words are for a peer.
    pub fn is_for_all(&self) -> bool {
        !matches!(self, Members::Tell { .. } | Members::Rows(_) | Members::News(_))
    }

    pub fn payload(&self) -> Vec<Packet> {
        let number = |number: u64| Packet::from(number.to_be_bytes());
        let mut packets: Vec<Packet> = vec![KIND.into()];
        match self {
            Members::Here { version, name, role } => {
                packets.extend([HERE.into(), number(*version), name.into(), role.into()]);
            }
            Members::Gone { version } => packets.extend([GONE.into(), number(*version)]),
            Members::Lost(lost) => {
                packets.push(LOST.into());
                packets.extend(lost.iter().flat_map(|(id, version)| [id.into(), number(*version)]));
            }
            Members::Tell { after } => {
                packets.push(TELL.into());
                packets.extend(after.iter().map(Packet::from));
            }
            Members::Rows(rows) | Members::News(rows) => {
                let is_asked = matches!(self, Members::Rows(_));
                packets.push(if is_asked { ROWS } else { NEWS }.into());
                packets.extend(rows.iter().flat_map(|row| {
                    let (version, age) = (number(row.version), number(row.age.as_secs()));
                    [(&row.id).into(), version, age, (&row.name).into(), (&row.role).into()]
                }));
            }
            Members::Unknown => {}
        }
        packets
    }

    /// Reads the packets of a message of kind [`KIND`].
    pub fn read(packets: &[Packet]) -> Result<Self, &'static str> {
        let [_, word, rest @ ..] = packets else { return Err("members without a word") };
        let word = match (word.as_bytes(), rest) {
            (HERE, [version, name, role]) => read_here(version, name, role),
            (GONE, [version]) => number(version).map(|version| Members::Gone { version }),
            (LOST, lost) => read_lost(lost),
            (TELL, []) => Some(Members::Tell { after: None }),
            (TELL, [after]) => {
                NodeId::from_wire(after).map(|after| Members::Tell { after: Some(after) })
            }
            (ROWS, rows) => read_rows(rows).map(Members::Rows),
            (NEWS, rows) => read_rows(rows).map(Members::News),
            (HERE | GONE | TELL, _) => None,
            _ => Some(Members::Unknown),
        };
        word.ok_or("members that nobody can read")
    }
}

fn number(packet: &Packet) -> Option<u64> {
    packet.as_bytes().try_into().ok().map(u64::from_be_bytes)
}

fn text(packet: &Packet) -> Option<String> {
    let bytes = Some(packet.as_bytes()).filter(|bytes| bytes.len() <= MAX_TEXT)?;
    // Names are shown on terminals. One byte takes the place, so that the text does not grow.
    let shown = |character: char| if is_printable(character) { character } else { '?' };
    std::str::from_utf8(bytes).ok().map(|text| text.chars().map(shown).collect())
}

/// Returns false for control characters, and for those that change the direction or the lines of what is around them.
fn is_printable(character: char) -> bool {
    let is_layout = matches!(
        character,
        '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    !character.is_control() && !is_layout
}

fn read_here(version: &Packet, name: &Packet, role: &Packet) -> Option<Members> {
    Some(Members::Here { version: number(version)?, name: text(name)?, role: text(role)? })
}

fn read_lost(packets: &[Packet]) -> Option<Members> {
    let (lost, []) = packets.as_chunks::<2>() else { return None };
    let lost = lost.get(..lost.len().min(MAX_LOST))?.iter();
    let lost = lost.map(|[id, version]| Some((NodeId::from_wire(id)?, number(version)?)));
    lost.collect::<Option<_>>().map(Members::Lost)
}

fn read_rows(packets: &[Packet]) -> Option<Vec<Row>> {
    let (rows, []) = packets.as_chunks::<5>() else { return None };
    rows.get(..rows.len().min(MAX_ROWS))?.iter().map(read_row).collect()
}

fn read_row([id, version, age, name, role]: &[Packet; 5]) -> Option<Row> {
    let (id, version) = (NodeId::from_wire(id)?, number(version)?);
    let age = Duration::from_secs(number(age)?);
    Some(Row { id, version, age, name: text(name)?, role: text(role)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: u8) -> Row {
        let id = NodeId::from_digest(&[n; 48]);
        let (name, role) = (format!("name {n}"), "ü".repeat(32));
        Row { id, version: n.into(), age: Duration::from_secs(9), name, role }
    }

    #[test]
    fn every_word_is_read_as_it_was_written() {
        let words = [
            Members::Here { version: 7, name: "press 4".into(), role: String::new() },
            Members::Gone { version: u64::MAX },
            Members::Lost(vec![(row(1).id, 1), (row(2).id, 2)]),
            Members::Tell { after: None },
            Members::Tell { after: Some(row(9).id) },
            Members::Rows((0..3).map(row).collect()),
            Members::News((0..3).map(row).collect()),
        ];
        for word in words {
            assert_eq!(Members::read(&word.payload()), Ok(word));
        }
    }

    #[test]
    fn long_text_wrong_lengths_and_missing_parts_are_refused_and_new_words_are_passed_on() {
        let read = |parts: &[&[u8]]| {
            let packets: Vec<Packet> = parts.iter().map(|&part| part.into()).collect();
            Members::read(&packets)
        };
        let long = [b'x'; MAX_TEXT + 1];
        assert!(read(&[KIND, HERE, &[0; 8], &long, b""]).is_err());
        assert!(read(&[KIND, HERE, &[0; 8], b"\xff", b""]).is_err());
        assert!(read(&[KIND, HERE, &[0; 7], b"", b""]).is_err());
        assert!(read(&[KIND, GONE]).is_err());
        assert!(read(&[KIND, LOST, b"not an id", &[0; 8]]).is_err());
        assert!(read(&[KIND, ROWS, b"1"]).is_err());
        assert!(read(&[KIND, TELL, b"not an id"]).is_err());
        assert!(read(&[KIND]).is_err());
        assert_eq!(read(&[KIND, b"a later word", b"more"]), Ok(Members::Unknown));
    }

    #[test]
    fn no_more_than_the_limit_is_taken_of_one_message() {
        let rows = Members::Rows((0..=255).map(row).collect());
        let Ok(Members::Rows(read)) = Members::read(&rows.payload()) else { panic!("rows") };
        assert_eq!(read.len(), MAX_ROWS);
    }

    #[test]
    fn what_would_change_a_terminal_is_not_taken_into_a_name() {
        let told = "bob\r\n\u{1b}[2J\u{7}\u{9b}31m\u{202e}evil\u{2066}\0 é 日本";
        let role = "a\u{85}b";
        let word = Members::Here { version: 1, name: told.into(), role: role.into() };
        let Ok(Members::Here { name, role, .. }) = Members::read(&word.payload()) else {
            panic!("here")
        };
        assert_eq!((&*name, &*role), ("bob???[2J??31m?evil?? é 日本", "a?b"));
    }
}
