//! What messages mean to the protocol, checked against handshakes and peers lists of live nodes.

use super::super::{Body, Draft, Handshake, Hello, HostPort, Method, PeerEntry, peers};
use super::{bytes, cases, hex, packets, read, read_from, text};
use crate::id::NodeId;
use crate::options::Flag;
use crate::packet::Packet;

/// Short, but an id: any numeral is one.
const SOMEBODY: &[u8] = b"somebody";

fn id(byte: u8) -> NodeId {
    NodeId::from_digest(&[byte; 48])
}

fn host(host: &str, port: u16) -> HostPort {
    HostPort { host: host.to_owned(), port }
}

/// What a payload is taken for, under any main flag.
fn body_of(main: Flag, packets: &[&[u8]]) -> Body {
    let packets = packets.iter().map(|packet| Packet::from(*packet)).collect();
    let draft = Draft { main, packets, time: 1 };
    read(draft.encode(&id(7), &draft.id()).bytes(None)).unwrap().body
}

fn whispered(packets: Vec<Packet>) -> Body {
    body_of(Flag::Whisper, &packets.iter().map(Packet::as_bytes).collect::<Vec<_>>())
}

fn handshake_body(addr: &str, methods: &str) -> Body {
    let packets = [&b"\x03"[..], SOMEBODY, b"mesh", addr.as_bytes(), methods.as_bytes()];
    body_of(Flag::Whisper, &packets)
}

fn peers_body(list: &str) -> Body {
    body_of(Flag::Whisper, &[b"\x07", list.as_bytes()])
}

#[test]
fn handshakes_of_live_nodes_are_read_and_written_alike() {
    for case in cases("handshakes_04.json") {
        let envelope = read(&bytes(&case, "node_sends_first")).unwrap();
        let Body::Handshake(handshake) = &envelope.body else { panic!("{:?}", envelope.body) };
        assert_eq!(handshake.id.as_str(), text(&case, "node_id"));
        assert_eq!(handshake.id, envelope.sender);
        let port = case["port"].as_u64().unwrap() as u16;
        assert_eq!(handshake.addr, Some(host("127.0.0.1", port)));
        assert_eq!(handshake.methods, Method::ALL);
        assert_eq!(handshake.payload(), envelope.packets[..]);
        let expected = &packets(&case["decoded"][0]);
        assert_eq!(handshake.protocol.as_bytes(), expected[6]);
    }
}

#[test]
fn the_peers_lists_that_follow_name_both_ends() {
    for case in cases("handshakes_04.json") {
        let sent = read(&bytes(&case, "we_send")).unwrap();
        let Body::Handshake(ours) = sent.body else { panic!("{:?}", sent.body) };
        let answers = case["node_then_sends"].as_array().unwrap();
        for answer in answers.iter().map(|answer| hex(answer.as_str().unwrap())) {
            if !ours.methods.iter().all(|method| Method::SUPPORTED.contains(method)) {
                continue;
            }
            let envelope = read_from(&ours.methods, &answer).unwrap();
            let Body::Peers(entries) = &envelope.body else { panic!("{:?}", envelope.body) };
            assert!(entries.iter().any(|entry| entry.id == ours.id && entry.addr.is_some()));
        }
    }
}

#[test]
fn bodies_of_py2p_are_typed_and_written_back_byte_for_byte() {
    for case in cases("messages_04.json") {
        let Ok(envelope) = read(&bytes(&case, "frame")) else { continue };
        let payload = match &envelope.body {
            Body::User => continue,
            Body::Handshake(handshake) => handshake.payload(),
            Body::Peers(entries) => peers::payload(entries),
            Body::RequestPeers => peers::request_payload(),
            Body::Request { request_id, wanted } => {
                peers::route_request_payload(request_id, wanted)
            }
            Body::Response { request_id, entry } => {
                peers::route_response_payload(request_id, entry.as_ref().unwrap())
            }
            Body::Compression(methods) => Method::list_payload(methods),
            Body::Resend => Method::resend_payload(),
            other => panic!("{}: {other:?}", text(&case, "name")),
        };
        assert_eq!(payload, envelope.packets[..], "{}", text(&case, "name"));
    }
}

#[test]
fn odd_addresses_are_no_address_and_text_that_is_not_json_is_invalid() {
    let odd = [
        "null",
        "{}",
        "[]",
        "5",
        "\"x\"",
        "[\"h\"]",
        "[\"h\", 0]",
        "[\"h\", 65536]",
        "[\"\", 5]",
        "[5, \"h\"]",
        "[\"h\", 5, 5]",
        "[\"h\", -5]",
        "[\"h\", 5.5]",
        "[\"a\\nb\", 5]",
        "[\"h\", \"5\"]",
    ];
    for addr in odd {
        let Body::Handshake(handshake) = handshake_body(addr, "[]") else { panic!("{addr}") };
        assert_eq!(handshake.addr, None, "{addr}");
    }
    for addr in
        ["", "('127.0.0.1', 9)", "[\"x\", :]", "[\"x\", 5", "[\"x\", 5] ]", "[\"\u{1}\", 5]"]
    {
        assert!(matches!(handshake_body(addr, "[]"), Body::Invalid(_)), "{addr}");
    }
    let Body::Handshake(handshake) = handshake_body("[\"caf\\u00e9.net\", 5]", "[]") else {
        panic!()
    };
    assert_eq!(handshake.addr, Some(host("café.net", 5)));
}

#[test]
fn method_lists_are_taken_and_refused_as_py2p_does() {
    let of = |methods| match handshake_body("null", methods) {
        Body::Handshake(handshake) => Some(handshake.methods),
        Body::Invalid(_) => None,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        of(r#"["\u0013", "\u0015", "zlib", "", "\u0010", "\u0013"]"#),
        Some(vec![Method::Zlib, Method::Bz2])
    );
    assert_eq!(of(r#""\u0012\u0011?""#), Some(vec![Method::Lzma, Method::Gzip]));
    assert_eq!(of(r#"{"\u0011": 1}"#), Some(vec![Method::Gzip]));
    assert_eq!(of("{}"), Some(vec![]));
    for refused in ["null", "19", "[19]", "[null]", "[[]]", "true", "[", ""] {
        assert_eq!(of(refused), None, "{refused}");
    }
}

#[test]
fn a_handshake_may_say_more_than_we_know_but_no_less() {
    let five: [&[u8]; 5] = [b"\x03", SOMEBODY, b"mesh", b"null", b"[]"];
    let six = [&five[..], &[b"extra"]].concat();
    assert!(matches!(body_of(Flag::Whisper, &six), Body::Handshake(_)));
    assert!(matches!(body_of(Flag::Whisper, &five[..4]), Body::Invalid(_)));
    let odd_id = [&b"\x03"[..], b"l", b"mesh", b"null", b"[]"];
    assert!(matches!(body_of(Flag::Whisper, &odd_id), Body::Invalid(_)));
}

#[test]
fn a_protocol_id_of_any_length_and_bytes_is_only_somebody_elses() {
    let long = [0xffu8; 10_000];
    let packets: [&[u8]; 5] = [b"\x03", SOMEBODY, &long, b"null", b"[]"];
    let Body::Handshake(handshake) = body_of(Flag::Whisper, &packets) else { panic!() };
    assert!(handshake.protocol.chars().count() == 64);
}

#[test]
fn useless_entries_of_a_peers_list_are_skipped() {
    let list = format!(
        r#"[[["::1", 4444], "{0}"], [null, "{0}"], [["h", 0], "{0}"], [5, "{0}"], [["h", 5], "l"],
           [["h", 5], 5], [["h", 5], null], [["h", [5]], "{0}"], [{{}}, "{0}"]]"#,
        id(3)
    );
    let Body::Peers(entries) = peers_body(&list) else { panic!("{list}") };
    let addrs: Vec<_> = entries.into_iter().map(|entry| (entry.addr, entry.id)).collect();
    assert_eq!(addrs, [(Some(host("::1", 4444)), id(3)), (None, id(3)), (None, id(3))]);
}

#[test]
fn a_peers_list_is_invalid_if_one_entry_is_no_pair() {
    let entry = format!(r#"[["h", 5], "{}"]"#, id(3));
    for odd in ["null", "5", "[]", "[1]", "[1, 2, 3]", "{\"a\": 1}", "\"abc\"", "true"] {
        let list = format!("[{entry}, {odd}]");
        assert!(matches!(peers_body(&list), Body::Invalid(_)), "{list}");
    }
    for odd in ["null", "5", "{\"ab\": 1}", "[", "\"x\"", ""] {
        assert!(matches!(peers_body(odd), Body::Invalid(_)), "{odd}");
    }
}

#[test]
fn only_so_many_entries_of_a_peers_list_are_kept() {
    let entry = PeerEntry { addr: Some(host("10.0.0.1", 4444)), id: id(3) };
    let Body::Peers(entries) = whispered(peers::payload(&vec![entry.clone(); 600])) else {
        panic!()
    };
    assert_eq!(entries, vec![entry.clone(); 64]);
    assert!(
        matches!(whispered(peers::payload(&vec![entry; 800])), Body::Invalid(_)),
        "over 64 KiB"
    );
}

#[test]
fn deep_json_is_refused_on_a_small_stack() {
    let thread = std::thread::Builder::new().stack_size(256 * 1024);
    let check = || {
        for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[1,", "]"), ("[[1,2],", "]")] {
            let nested = |depth| open.repeat(depth) + "1" + &close.repeat(depth);
            for depth in [129, 10_000] {
                assert!(matches!(peers_body(&nested(depth)), Body::Invalid(_)));
                // What is in an object is skipped without recursion.
                let is_skipped = matches!(handshake_body(&nested(depth), "[]"), Body::Handshake(_));
                assert_eq!(is_skipped, open.starts_with('{'), "{depth}");
            }
            assert!(matches!(handshake_body(&nested(120), "[]"), Body::Handshake(_)));
        }
    };
    thread.spawn(check).unwrap().join().unwrap();
}

#[test]
fn hosts_are_escaped_as_json_needs_it_and_python_writes_it() {
    let entry = PeerEntry { addr: Some(host("a\"\\é🦀", 5)), id: id(3) };
    let payload = peers::payload(std::slice::from_ref(&entry));
    let expected = format!(r#"[[["a\"\\\u00e9\ud83e\udd80", 5], "{}"]]"#, id(3));
    assert_eq!(payload[1], expected.as_str());
    assert_eq!(whispered(payload), Body::Peers(vec![entry]));
    let handshake = Handshake {
        id: id(1),
        protocol: "mesh".into(),
        addr: Some(host("::1", 5)),
        methods: vec![],
    };
    assert_eq!(handshake.payload()[3], "[\"::1\", 5]");
    assert_eq!(whispered(handshake.payload()), Body::Handshake(handshake));
}

#[test]
fn responses_tell_an_entry_or_nothing() {
    let of = |entry: &str| body_of(Flag::Broadcast, &[b"\x0a", b"request", entry.as_bytes()]);
    let response = |entry| Body::Response { request_id: "request".into(), entry };
    let known = format!(r#"[["h", 5], "{}"]"#, id(3));
    assert_eq!(of(&known), response(Some(PeerEntry { addr: Some(host("h", 5)), id: id(3) })));
    let nowhere = format!(r#"[null, "{}"]"#, id(3));
    assert_eq!(of(&nowhere), response(Some(PeerEntry { addr: None, id: id(3) })));
    for nothing in ["null", "[]", "{}", "0", "false", "\"\"", "0.0"] {
        assert_eq!(of(nothing), response(None), "{nothing}");
    }
    for poison in ["", "5", "true", "\"x\"", "[1]", "[1, 2]", "[1, 2, 3]", "zz"] {
        assert!(matches!(of(poison), Body::Invalid(_)), "{poison}");
    }
}

#[test]
fn requests_are_for_all_or_for_one_or_for_nobody() {
    let of = |packets: &[&[u8]]| body_of(Flag::Broadcast, packets);
    assert_eq!(of(&[b"\x08", b"*"]), Body::RequestPeers);
    assert_eq!(of(&[b"\x08", b"*", b"more"]), Body::RequestPeers);
    let wanted = id(3);
    let one = Body::Request { request_id: "r".into(), wanted };
    assert_eq!(of(&[b"\x08", b"r", wanted.as_bytes()]), one);
    assert_eq!(of(&[b"\x08", b"r", b"no id"]), Body::User);
    assert!(matches!(of(&[b"\x08", b"r"]), Body::Invalid(_)));
}

#[test]
fn renegotiations_are_typed_only_as_renegotiations() {
    let list = Method::list_payload(&[Method::Lzma, Method::Zlib]);
    assert_eq!(list[1], r#"["\u0012", "\u0013"]"#);
    let list: Vec<_> = list.iter().map(Packet::as_bytes).collect();
    let methods = Body::Compression(vec![Method::Lzma, Method::Zlib]);
    assert_eq!(body_of(Flag::Renegotiate, &list), methods);
    assert_eq!(body_of(Flag::Whisper, &list), Body::User);
    assert_eq!(body_of(Flag::Renegotiate, &[b"\x09"]), Body::Resend);
    assert_eq!(body_of(Flag::Broadcast, &[b"\x09"]), Body::User);
}

#[test]
fn a_hello_keeps_what_it_does_not_know_within_bounds() {
    let hello = Hello::new(["links", "later"]);
    assert!(hello.has("later") && !hello.has("late"));
    assert_eq!(hello.payload(), ["rs2p", r#"["links", "later"]"#]);
    assert_eq!(whispered(hello.payload()), Body::Hello(hello));
    let long = "x".repeat(65);
    let many = std::iter::once(long.as_str()).chain(std::iter::repeat_n("fine", 50));
    assert_eq!(whispered(Hello::new(many).payload()), Body::Hello(Hello::new(["fine"; 32])));
    let extra = [&b"rs2p"[..], b"[]", b"more"];
    assert_eq!(body_of(Flag::Whisper, &extra), Body::Hello(Hello::default()));
    for odd in [&[&b"rs2p"[..]][..], &[b"rs2p", b"{}"], &[b"rs2p", b"[1]"], &[b"rs2p", b"x"]] {
        assert!(matches!(body_of(Flag::Whisper, odd), Body::Invalid(_)));
    }
}

#[test]
fn addresses_show_as_one_would_type_them() {
    assert_eq!(host("localhost", 80).to_string(), "localhost:80");
    assert_eq!(host("::1", 80).to_string(), "[::1]:80");
    let socket = "[::1]:80".parse().unwrap();
    assert_eq!(HostPort::from(socket).to_socket_addr(), Some(socket));
    assert_eq!(host("localhost", 80).to_socket_addr(), None);
}
