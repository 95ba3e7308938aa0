//! What two rs2p nodes tell each other about their pace: packets behind the list of a hello, which
//! py2p ignores. Only a peer whose first hello has the word [`super::hello::PACE`] is told.

use super::hello::KIND;
use super::json;
use super::total::Total;
use crate::packet::Packet;

/// What the list of the hello says is behind it.
const HOW_FAR: &str = "how far";
const TAKEN: &str = "taken";
const LEFT_BEHIND: &str = "left behind";
const CAUGHT_UP: &str = "caught up";

/// One word about the pace of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pacing {
    /// How much have you taken?
    HowFar,
    /// This much since the link began, as frames on the wire; and there is room for so many bytes.
    Taken { total: Total, room: u64 },
    /// You are too slow to be waited for: you miss what has no room, this much so far.
    LeftBehind { missed: Total },
    /// You are waited for again, and have missed this.
    CaughtUp { missed: Total },
}

impl Pacing {
    /// Whether packets that begin like this are a word about the pace.
    pub fn is_word(kind: &[u8], list: &[u8]) -> bool {
        let words = [HOW_FAR, TAKEN, LEFT_BEHIND, CAUGHT_UP];
        kind == KIND && words.iter().any(|word| *json::to_packet(&[word]) == *list)
    }

    /// Reads the packets of a hello; `None` if it is about something else.
    pub(super) fn read(packets: &[Packet]) -> Option<Self> {
        let [_, list, rest @ ..] = packets else { return None };
        let [word] = <[String; 1]>::try_from(json::read::<Vec<String>>(list)?).ok()?;
        let numbers = || json::read::<Vec<u64>>(rest.first()?);
        let missed = || match numbers()?[..] {
            [bytes, frames, ..] => Some(Total { bytes, frames }),
            _ => None,
        };
        match word.as_str() {
            HOW_FAR => Some(Pacing::HowFar),
            TAKEN => match numbers()?[..] {
                [bytes, frames, room, ..] => {
                    Some(Pacing::Taken { total: Total { bytes, frames }, room })
                }
                _ => None,
            },
            LEFT_BEHIND => Some(Pacing::LeftBehind { missed: missed()? }),
            CAUGHT_UP => Some(Pacing::CaughtUp { missed: missed()? }),
            _ => None,
        }
    }

    pub fn payload(self) -> Vec<Packet> {
        let (word, numbers) = match self {
            Pacing::HowFar => (HOW_FAR, None),
            Pacing::LeftBehind { missed } => (LEFT_BEHIND, Some(vec![missed.bytes, missed.frames])),
            Pacing::Taken { total, room } => (TAKEN, Some(vec![total.bytes, total.frames, room])),
            Pacing::CaughtUp { missed } => (CAUGHT_UP, Some(vec![missed.bytes, missed.frames])),
        };
        let head = [KIND.into(), json::to_packet(&[word])];
        head.into_iter().chain(numbers.map(|numbers| json::to_packet(&numbers))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(packets: &[&[u8]]) -> Option<Pacing> {
        Pacing::read(&packets.iter().map(|packet| Packet::from(*packet)).collect::<Vec<_>>())
    }

    #[test]
    fn every_word_is_read_as_it_was_written() {
        let total = Total { bytes: u64::MAX, frames: 7 };
        for word in [
            Pacing::HowFar,
            Pacing::Taken { total, room: 0 },
            Pacing::LeftBehind { missed: total },
            Pacing::CaughtUp { missed: total },
        ] {
            assert_eq!(Pacing::read(&word.payload()), Some(word));
        }
        let written = Pacing::Taken { total: Total { bytes: 3, frames: 2 }, room: 1 }.payload();
        assert_eq!(
            written.iter().map(Packet::as_bytes).collect::<Vec<_>>(),
            [&b"rs2p"[..], b"[\"taken\"]", b"[3, 2, 1]"]
        );
    }

    #[test]
    fn every_word_is_known_by_how_it_begins() {
        let missed = Total::default();
        for word in [Pacing::HowFar, Pacing::LeftBehind { missed }, Pacing::CaughtUp { missed }] {
            let packets = word.payload();
            assert!(Pacing::is_word(&packets[0], &packets[1]), "{word:?}");
        }
        assert!(
            !Pacing::is_word(KIND, b"[\"links\"]") && !Pacing::is_word(b"kind", b"[\"taken\"]")
        );
    }

    #[test]
    fn what_is_not_about_the_pace_is_left_to_others() {
        for list in [&b"[\"links\"]"[..], b"[]", b"[\"taken\", \"links\"]", b"{}", b"[1]", b""] {
            assert_eq!(read(&[b"rs2p", list, b"[1, 2, 3]"]), None);
        }
        for numbers in [&b"[1, 2]"[..], b"[-1, 2, 3]", b"[1.5, 2, 3]", b"{}", b"", b"[1e30, 1, 1]"]
        {
            assert_eq!(read(&[b"rs2p", b"[\"taken\"]", numbers]), None, "{numbers:?}");
        }
        assert_eq!(read(&[b"rs2p"]), None);
        assert_eq!(read(&[b"rs2p", b"[\"taken\"]"]), None);
    }

    #[test]
    fn later_versions_may_add_to_it() {
        let more = read(&[b"rs2p", b"[\"caught up\"]", b"[1, 2, 3]", b"more"]);
        assert_eq!(more, Some(Pacing::CaughtUp { missed: Total { bytes: 1, frames: 2 } }));
    }
}
