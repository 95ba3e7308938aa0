//! What holds for all messages and for any bytes.

use bytes::BytesMut;
use proptest::prelude::*;
use proptest::sample::Index;

use super::super::sender::LastSender;
use super::super::{Draft, Header, Method};
use super::{MIB, bytes, cases, read_from};
use crate::id::NodeId;
use crate::options::Flag;
use crate::packet::Packet;

fn payloads() -> impl Strategy<Value = Vec<Packet>> {
    let packet = proptest::collection::vec(any::<u8>(), 0..80).prop_map(Packet::from);
    proptest::collection::vec(packet, 1..9)
}

/// Frames that py2p sends, and some that it refuses.
fn recorded() -> Vec<Vec<u8>> {
    let files = ["messages_04.json", "malformed_04.json", "compressed_04.json"];
    let frames = files.iter().flat_map(|file| cases(file)).map(|case| bytes(&case, "frame"));
    frames.filter(|frame| frame.len() < 4096).collect()
}

/// Takes a frame as far as it goes; only a panic is wrong.
fn read_to_the_end(frame: &[u8], max: usize) {
    if let Ok(header) = Header::parse(BytesMut::from(frame), &Method::ALL, max) {
        let _ = header.verify();
    }
}

/// One thing that happens to a frame on its way.
#[derive(Clone, Debug)]
enum Mangling {
    Set(Index, u8),
    Flip(Index, u8),
    Cut(Index),
    Insert(Index, Vec<u8>),
    Remove(Index, usize),
}

fn manglings() -> impl Strategy<Value = Vec<Mangling>> {
    let place = any::<Index>;
    let one = prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, byte)| Mangling::Set(at, byte)),
        (place(), 0u8..8).prop_map(|(at, bit)| Mangling::Flip(at, bit)),
        place().prop_map(Mangling::Cut),
        (place(), proptest::collection::vec(any::<u8>(), 1..9))
            .prop_map(|(at, b)| Mangling::Insert(at, b)),
        (place(), 1usize..9).prop_map(|(at, count)| Mangling::Remove(at, count)),
    ];
    proptest::collection::vec(one, 1..5)
}

fn mangle(frame: &mut Vec<u8>, mangling: Mangling) {
    let len = frame.len();
    if len == 0 {
        return;
    }
    match mangling {
        Mangling::Set(at, byte) => frame[at.index(len)] = byte,
        Mangling::Flip(at, bit) => frame[at.index(len)] ^= 1 << bit,
        Mangling::Cut(at) => frame.truncate(at.index(len)),
        Mangling::Insert(at, bytes) => {
            let at = at.index(len);
            frame.splice(at..at, bytes);
        }
        Mangling::Remove(at, count) => {
            let at = at.index(len);
            frame.drain(at..len.min(at + count));
        }
    }
}

proptest! {
    #[test]
    fn what_is_encoded_is_read_back(
        main in any::<u8>(),
        packets in payloads(),
        time in any::<u64>(),
        sender in any::<[u8; 48]>(),
        method in 0..=Method::ALL.len(),
    ) {
        let sender = NodeId::from_digest(&sender);
        let draft = Draft { main: Flag::from_byte(main), packets, time };
        let id = draft.id();
        let frame = draft.encode(&sender, &id);
        prop_assert!(frame.len() <= draft.encoded_len() + 4);
        let wire = frame.bytes(Method::ALL.get(method).copied());
        let header = Header::parse(BytesMut::from(&wire[..]), &Method::ALL, MIB).unwrap();
        prop_assert_eq!((header.main(), header.id(), header.time()), (draft.main, &id, time));
        prop_assert_eq!(header.pinned(), frame.len());
        let envelope = header.verify().unwrap();
        prop_assert_eq!((envelope.main, envelope.sender, envelope.id), (draft.main, sender, id));
        prop_assert_eq!((envelope.time, &envelope.packets[..]), (time, &draft.packets[..]));
        let main = if draft.main.is_relayed() { Flag::Waterfall } else { draft.main };
        let relayed = Draft { main, ..draft }.encode(&sender, &id);
        let relay = envelope.relay();
        prop_assert_eq!(relay.bytes(None), relayed.bytes(None));
    }

    #[test]
    fn one_changed_byte_of_payload_or_time_is_a_wrong_id_at_least(
        packets in payloads(),
        at in any::<Index>(),
        bit in 0u8..8,
    ) {
        let draft = Draft { main: Flag::Broadcast, packets, time: 1_555_616_449 };
        let frame = draft.encode(&NodeId::from_digest(&[9; 48]), &draft.id());
        let hashed = 6 + draft.packets.iter().map(|packet| packet.len()).sum::<usize>();
        let mut damaged = frame.bytes(None).to_vec();
        let at = damaged.len() - hashed + at.index(hashed);
        damaged[at] ^= 1 << bit;
        prop_assert!(read_from(&[], &damaged).is_err());
    }

    #[test]
    fn a_sender_is_the_same_whoever_sent_before(
        senders in proptest::collection::vec(prop_oneof![Just([1; 48]), any::<[u8; 48]>()], 1..9),
    ) {
        let mut last = LastSender::default();
        for sender in &senders {
            let sender = NodeId::from_digest(sender);
            let draft = Draft { main: Flag::Whisper, packets: vec!["x".into()], time: 1 };
            let frame = BytesMut::from(&draft.encode(&sender, &draft.id()).bytes(None)[..]);
            let header = Header::parse_after(&mut last, frame, &[], MIB).unwrap();
            prop_assert_eq!(header.verify().unwrap().sender, sender);
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(frame in proptest::collection::vec(any::<u8>(), 0..400)) {
        read_to_the_end(&frame, MIB);
    }

    #[test]
    fn small_numbers_look_like_sizes_and_are_read_without_panic(
        numbers in proptest::collection::vec(0u32..12, 0..60),
        tail in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let sizes: Vec<u8> = numbers.iter().flat_map(|number| number.to_be_bytes()).collect();
        read_to_the_end(&[&[0; 4], &sizes[..], &tail].concat(), MIB);
    }
}

#[test]
fn mangled_frames_of_py2p_are_read_without_panic() {
    let recorded = recorded();
    let cases = (any::<Index>(), manglings());
    // Deterministic: a failure can be looked at again.
    let mut runner = proptest::test_runner::TestRunner::new_with_rng(
        ProptestConfig { cases: 4096, failure_persistence: None, ..ProptestConfig::default() },
        proptest::test_runner::TestRng::deterministic_rng(
            proptest::test_runner::RngAlgorithm::ChaCha,
        ),
    );
    let outcome = runner.run(&cases, |(which, manglings)| {
        let mut frame = which.get(&recorded).clone();
        for mangling in manglings {
            mangle(&mut frame, mangling);
        }
        read_to_the_end(&frame, 64 * 1024);
        Ok(())
    });
    outcome.unwrap();
}
