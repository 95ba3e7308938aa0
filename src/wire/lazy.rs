//! Lazy push: what two rs2p nodes tell each other about large messages instead of sending each of them
//! on every link. Only a peer whose first hello has the word `lazy=N` is told.
//!
//! Whispers of kind [`KIND`] like a hello, with a list of one word of their own:
//!
//! - `["have"]`, ids: the sender has these messages and will send them on demand.
//! - `["want"]`, ids: send these now, and later messages at once.
//! - `["prune"]`: announce later messages instead of sending them.
//!
//! An id is 48 bytes of digest and 8 bytes of date (seconds since the epoch, big endian). It is not
//! text: base58 would be half as long again.

use super::body::Body;
use super::hello::KIND;
use crate::id::MessageId;
use crate::packet::Packet;

const HAVE: &[u8] = br#"["have"]"#;
const WANT: &[u8] = br#"["want"]"#;
const PRUNE: &[u8] = br#"["prune"]"#;

const DIGEST: usize = 48;
const DATE: usize = 8;
/// Bytes of one id.
const EACH: usize = DIGEST + DATE;
/// Most ids of one word that are read. This version sends fewer.
const MAX_IDS: usize = 1024;

/// A message that is named and not sent. Its date is a part of the name, because it says where to look in
/// the seen cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub id: MessageId,
    /// Seconds since the epoch.
    pub time: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Lazy {
    Have(Vec<Named>),
    Want(Vec<Named>),
    Prune,
}

impl Lazy {
    /// Returns whether packets that begin like this are a word about lazy push.
    pub fn is_word(packets: &[Packet]) -> bool {
        let [kind, word, ..] = packets else { return false };
        kind.as_bytes() == KIND && [HAVE, WANT, PRUNE].contains(&word.as_bytes())
    }

    pub fn payload(&self) -> Vec<Packet> {
        match self {
            Lazy::Have(names) => vec![KIND.into(), HAVE.into(), write(names)],
            Lazy::Want(names) => vec![KIND.into(), WANT.into(), write(names)],
            Lazy::Prune => vec![KIND.into(), PRUNE.into()],
        }
    }
}

/// Reads the packets of a whisper of kind [`KIND`]; returns `None` if it is about something else.
pub(super) fn read(packets: &[Packet]) -> Option<Result<Body, &'static str>> {
    let names = || {
        let names = packets.get(2).and_then(|packet| read_names(packet));
        names.ok_or("ids that nobody can read")
    };
    let word = match packets.get(1)?.as_bytes() {
        HAVE => names().map(Lazy::Have),
        WANT => names().map(Lazy::Want),
        PRUNE => Ok(Lazy::Prune),
        _ => return None,
    };
    Some(word.map(Body::Lazy))
}

fn write(names: &[Named]) -> Packet {
    let mut bytes = Vec::with_capacity(names.len().saturating_mul(EACH));
    for name in names {
        bytes.extend_from_slice(name.id.as_digest());
        bytes.extend_from_slice(&name.time.to_be_bytes());
    }
    bytes.into()
}

fn read_names(bytes: &[u8]) -> Option<Vec<Named>> {
    let (names, rest) = bytes.as_chunks::<EACH>();
    if !rest.is_empty() || names.len() > MAX_IDS {
        return None;
    }
    names.iter().map(read_name).collect()
}

fn read_name(bytes: &[u8; EACH]) -> Option<Named> {
    let (digest, rest) = bytes.split_first_chunk::<DIGEST>()?;
    let date = rest.first_chunk::<DATE>()?;
    Some(Named { id: MessageId::from_digest(*digest), time: u64::from_be_bytes(*date) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(n: u8) -> Named {
        Named { id: MessageId::from_digest([n; DIGEST]), time: u64::MAX - u64::from(n) }
    }

    #[test]
    fn every_word_is_read_as_it_was_written() {
        let names: Vec<Named> = (0..3).map(named).collect();
        for word in [Lazy::Have(names.clone()), Lazy::Want(names), Lazy::Prune] {
            assert_eq!(read(&word.payload()), Some(Ok(Body::Lazy(word))));
        }
    }

    #[test]
    fn an_id_takes_56_bytes() {
        let payload = Lazy::Have(vec![named(1), named(2)]).payload();
        assert_eq!(payload[1].as_bytes(), b"[\"have\"]");
        assert_eq!(payload[2].len(), 2 * 56);
    }

    #[test]
    fn cut_or_excessive_ids_are_refused_and_other_words_are_left_to_others() {
        let word = |list: &[u8], ids: Vec<u8>| read(&[KIND.into(), list.into(), ids.into()]);
        assert!(matches!(word(HAVE, vec![0; 55]), Some(Err(_))));
        assert!(matches!(word(WANT, vec![0; EACH * (MAX_IDS + 1)]), Some(Err(_))));
        assert!(matches!(read(&[KIND.into(), HAVE.into()]), Some(Err(_))));
        assert!(matches!(word(HAVE, vec![0; EACH * MAX_IDS]), Some(Ok(_))));
        assert_eq!(word(b"[\"links\"]", vec![0; 56]), None);
        assert_eq!(read(&[KIND.into()]), None);
    }
}
