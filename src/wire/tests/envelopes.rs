//! Whole messages, byte for byte those of py2p.

use super::super::node_id::node_digest;
use super::super::{Body, Draft, Malformed};
use super::{MIB, all_packets, bytes, cases, frame_of, packets, read, text, time_text};
use crate::id::NodeId;
use crate::options::Flag;
use crate::packet::Packet;
use crate::protocol::{Encryption, Protocol};

/// Where we take less than py2p does: what the names of some messages stand for.
fn stricter(name: &str) -> Option<Malformed> {
    match name {
        "odd sender byte" => Some(Malformed::BadSender),
        "empty main flag" => Some(Malformed::BadFlag),
        "no payload packets at all" => Some(Malformed::NoPayload),
        _ => None,
    }
}

#[test]
fn every_message_of_py2p_is_read_as_it_was_meant() {
    for case in cases("messages_04.json") {
        let (name, frame) = (text(&case, "name"), bytes(&case, "frame"));
        let envelope = match (read(&frame), stricter(name)) {
            (Err(why), Some(expected)) => {
                assert_eq!(why, expected, "{name}");
                continue;
            }
            (outcome, _) => outcome.expect(name),
        };
        let main = bytes(&case, "main")[0];
        let id = text(&case, "id");
        let head = [vec![main], bytes(&case, "sender"), id.into(), text(&case, "time_58").into()];
        let expected: Vec<_> = head.into_iter().chain(packets(&case["payload"])).collect();
        assert_eq!(all_packets(&envelope), expected, "{name}");
        assert_eq!(envelope.id.as_digest()[..], bytes(&case, "sha384")[..], "{name}");
        assert_eq!(envelope.time, case["time"].as_u64().unwrap_or(u64::MAX), "{name}");
    }
}

#[test]
fn every_message_of_py2p_is_encoded_to_the_same_bytes() {
    let mut compared = 0;
    for case in cases("messages_04.json") {
        let (name, frame) = (text(&case, "name"), bytes(&case, "frame"));
        let sender = NodeId::from_wire(&bytes(&case, "sender"));
        let ([main], Some(sender), Some(time)) =
            (&bytes(&case, "main")[..], sender, case["time"].as_u64())
        else {
            continue;
        };
        let draft = Draft {
            main: Flag::from_byte(*main),
            packets: packets(&case["payload"]).into_iter().map(Packet::from).collect(),
            time,
        };
        let id = draft.id();
        assert_eq!(id.to_string(), text(&case, "id"), "{name}");
        let encoded = draft.encode(&sender, &id);
        assert_eq!(encoded.bytes(None)[..], frame[..], "{name}");
        let slack = draft.encoded_len() + 4 - encoded.len();
        assert!(slack <= 2 * 66 - sender.as_bytes().len() - id.to_string().len(), "{name}");
        compared += 1;
    }
    assert!(compared > 55, "{compared}");
}

#[test]
fn a_payload_shares_the_memory_of_its_frame() {
    let packets = vec!["kind".into(), "data".into(), "\0".into()];
    let draft = Draft { main: Flag::Broadcast, packets: packets.clone(), time: 1 };
    let sender = NodeId::from_digest(&[7; 48]);
    let envelope = read(draft.encode(&sender, &draft.id()).bytes(None)).unwrap();
    assert_eq!(envelope.packets[..], packets);
    let relay = envelope.relay();
    let relayed = relay.bytes(None).as_ptr_range();
    assert!(envelope.packets[..2].iter().all(|packet| relayed.contains(&packet.as_ptr())));
}

#[test]
fn more_packets_than_the_bound_are_refused_and_no_fewer() {
    let sender = NodeId::from_digest(&[7; 48]);
    let of = |count| {
        let draft =
            Draft { main: Flag::Broadcast, packets: vec![Packet::default(); count], time: 1 };
        draft.encode(&sender, &draft.id())
    };
    let most = super::super::envelope::MAX_PACKETS - 4;
    let envelope = read(of(most).bytes(None)).unwrap();
    assert_eq!(envelope.packets.len(), most);
    assert!(envelope.pinned() < 3 * MIB);
    assert_eq!(read(of(most + 1).bytes(None)).unwrap_err(), Malformed::TooManyPackets);
}

#[test]
fn a_padded_time_is_hashed_and_relayed_without_its_padding() {
    let sender = NodeId::from_digest(&[7; 48]);
    for (time, padded) in [(1_795_411_176, "113jexC7"), (0, ""), (0, "11")] {
        let draft = Draft { main: Flag::Broadcast, packets: vec!["\0".into(), "x".into()], time };
        let id = draft.id();
        let frame = frame_of(&[
            &[0],
            sender.as_bytes(),
            id.to_string().as_bytes(),
            padded.as_bytes(),
            b"\0",
            b"x",
        ]);
        let envelope = read(&frame).unwrap();
        let expected = Draft { main: Flag::Waterfall, ..draft }.encode(&sender, &id);
        assert_eq!(envelope.relay().bytes(None), expected.bytes(None), "{padded:?}");
        assert_eq!(envelope.packets[..], ["\0", "x"]);
        assert_eq!(time_text(envelope.relay().bytes(None)).len(), if time == 0 { 1 } else { 6 });
    }
}

#[test]
fn protocol_ids_are_those_of_py2p() {
    for case in cases("protocol_ids_04.json") {
        // The vectors try encryptions that do not exist, to show that the texts are joined.
        let (joined, encryption) = match text(&case, "encryption") {
            "SSL" => (text(&case, "subnet").to_owned(), Encryption::Ssl),
            other => match other.strip_suffix("Plaintext") {
                Some(more) => (text(&case, "subnet").to_owned() + more, Encryption::Plaintext),
                None => continue,
            },
        };
        if case["version"] == "0.4" {
            assert_eq!(Protocol::new(joined, encryption).id(), text(&case, "id"), "{case}");
        }
    }
}

#[test]
fn node_ids_are_those_of_py2p() {
    for case in cases("node_ids_04.json") {
        let encryption = match text(&case, "encryption") {
            "SSL" => Encryption::Ssl,
            _ => Encryption::Plaintext,
        };
        let protocol = Protocol::new(text(&case, "subnet"), encryption);
        let port = case["port"].as_u64().unwrap() as u16;
        let (host, salt) = (text(&case, "host"), text(&case, "salt"));
        let digest = node_digest(host, port, protocol.id(), salt);
        assert_eq!(NodeId::from_digest(&digest).as_str(), text(&case, "id"));
    }
}

#[test]
fn what_the_protocol_does_not_know_is_for_users() {
    let sender = NodeId::from_digest(&[7; 48]);
    for (main, kind) in
        [(3, &b"\x02"[..]), (3, b"U"), (0, b"\x01"), (2, b"\x09"), (0x77, b"\x1f"), (0, b"")]
    {
        let draft = Draft { main: Flag::from_byte(main), packets: vec![kind.into()], time: 9 };
        let envelope = read(draft.encode(&sender, &draft.id()).bytes(None)).unwrap();
        assert_eq!(envelope.body, Body::User, "{main} {kind:?}");
        assert_eq!(envelope.main.as_byte(), main);
    }
}
