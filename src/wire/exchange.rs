//! How the nodes of a large mesh exchange links: addresses that travel over several hops, and the word that
//! ends a link in peace. Only a peer whose first hello has the word [`super::hello::EXCHANGE`] is told.
//!
//! Whispers of kind [`KIND`] like a hello, with a list of one word of their own:
//!
//! - `["sample"]`, hops left, a peers list: addresses of some nodes. Passed on to a random peer while hops
//!   are left.
//! - `["part"]`: a question, and the answer that agrees. Who agrees puts nothing more on this link, and neither does
//!   who asked, once it has the answer. Each reads the link to its end, so nothing is lost.

use super::body::Body;
use super::hello::KIND;
use super::json;
use super::peers::{self, PeerEntry};
use crate::packet::Packet;

const PART: &[u8] = br#"["part"]"#;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exchange {
    Sample { hops: u64, entries: Vec<PeerEntry> },
    Part,
}

impl Exchange {
    /// The word of a sample.
    pub const SAMPLE: &[u8] = br#"["sample"]"#;

    pub fn payload(&self) -> Vec<Packet> {
        match self {
            Exchange::Sample { hops, entries } => {
                let head = [KIND.into(), Self::SAMPLE.into(), json::to_packet(hops)];
                head.into_iter().chain([json::to_packet(entries)]).collect()
            }
            Exchange::Part => vec![KIND.into(), PART.into()],
        }
    }
}

/// Reads the packets of a whisper of kind [`KIND`]; returns `None` if it is about something else.
pub(super) fn read(packets: &[Packet]) -> Option<Result<Body, &'static str>> {
    let word = match packets.get(1)?.as_bytes() {
        Exchange::SAMPLE => read_sample(packets),
        PART => Some(Exchange::Part),
        _ => return None,
    };
    Some(word.map(Body::Exchange).ok_or("sample that nobody can read"))
}

fn read_sample(packets: &[Packet]) -> Option<Exchange> {
    let [_, _, hops, entries, ..] = packets else { return None };
    Some(Exchange::Sample { hops: json::read(hops)?, entries: peers::read_list(entries)? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host_port::HostPort;
    use crate::id::NodeId;

    #[test]
    fn every_word_is_read_as_it_was_written() {
        let addr = Some(HostPort { host: "127.0.0.1".to_owned(), port: 4444 });
        let entries = vec![PeerEntry { addr, id: NodeId::from_digest(&[1; 48]) }];
        for word in [
            Exchange::Sample { hops: u64::MAX, entries },
            Exchange::Sample { hops: 0, entries: vec![] },
            Exchange::Part,
        ] {
            assert_eq!(read(&word.payload()), Some(Ok(Body::Exchange(word))));
        }
    }

    #[test]
    fn other_words_are_left_to_others_and_what_is_cut_short_is_refused() {
        let word = |list: &[u8], rest: &[&[u8]]| {
            let head = [KIND, list].into_iter();
            let packets: Vec<Packet> = head.chain(rest.iter().copied()).map(Packet::from).collect();
            read(&packets)
        };
        assert_eq!(word(b"[\"links\"]", &[b"1", b"[]"]), None);
        for rest in ["", "1", "-1 []", "1 7", "x []"] {
            let rest: Vec<&[u8]> = rest.split_whitespace().map(str::as_bytes).collect();
            assert!(matches!(word(Exchange::SAMPLE, &rest), Some(Err(_))), "{rest:?}");
        }
    }
}
