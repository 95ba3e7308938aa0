//! Frames that are no messages, checked against what py2p does with them.

use bytes::BytesMut;

use super::super::{Body, Header, Malformed, Method};
use super::{bytes, cases, frame_of, read, text};

/// What we make of each frame that was tried on a py2p. `*` marks where we are stricter on
/// purpose: what makes no sense is refused before it reaches anybody.
const OUTCOMES: [(&str, &str); 53] = [
    ("length 0", "Unparsable"),
    ("1 byte", "Unparsable"),
    ("3 bytes", "Unparsable"),
    ("4 zero bytes (one empty packet)", "Unparsable"),
    ("16 zero bytes (four empty packets)", "NoPayload"),
    ("size of packet 0 too big", "Unparsable"),
    ("last byte missing", "Unparsable"),
    ("one byte too many", "Unparsable"),
    ("random bytes", "Unparsable"),
    ("text", "Unparsable"),
    ("1 packet", "Unparsable"),
    ("2 packets", "Unparsable"),
    ("3 packets", "Unparsable"),
    ("4 packets, whisper without payload", "NoPayload"),
    ("4 packets, broadcast without payload", "NoPayload"),
    ("wrong id", "WrongId"),
    ("id empty", "WrongId"),
    ("id with a leading 1", "WrongId"),
    ("time not base 58", "BadTime"),
    ("time not utf-8", "BadTime"),
    ("time empty", "User"),
    ("time with leading 1s (accepted)", "User"),
    ("zlib, none announced", "Unparsable"),
    ("unknown main flag 0x04 (accepted)", "User"),
    ("empty main flag (accepted)", "*BadFlag"),
    ("unknown subflag 0x1f (ignored)", "User"),
    ("empty subflag (ignored)", "User"),
    ("sender not utf-8 (accepted)", "*BadSender"),
    ("sender empty (accepted)", "*BadSender"),
    ("renegotiate without subflag", "NoPayload"),
    ("renegotiate unknown subflag (delivered? ignored?)", "User"),
    ("renegotiate whose subflag is whisper", "User"),
    ("renegotiate compression without list", "Invalid"),
    ("renegotiate compression not json", "Invalid"),
    ("renegotiate compression null", "Invalid"),
    ("renegotiate compression of numbers", "Invalid"),
    ("peers without list", "Invalid"),
    ("peers not json", "Invalid"),
    ("peers null", "Invalid"),
    ("peers {} (accepted)", "Peers"),
    ("peers with null address (accepted)", "Peers"),
    ("peers entry of three", "Invalid"),
    ("peers as a broadcast, not json", "Invalid"),
    ("request without argument", "Invalid"),
    ("request id without target", "Invalid"),
    ("response without arguments (no request open)", "Invalid"),
    // Which mesh it is, the node looks at.
    ("handshake, wrong protocol id", "Handshake"),
    ("handshake, 4 packets", "Invalid"),
    ("handshake, 6 packets (accepted)", "Handshake"),
    ("handshake, address is not json", "Invalid"),
    ("handshake, address null (accepted)", "Handshake"),
    ("handshake, methods null", "Invalid"),
    ("handshake, only the subflag", "Invalid"),
];

fn outcome(frame: &[u8]) -> &'static str {
    match read(frame).map(|envelope| envelope.body) {
        Err(Malformed::Unparsable(_)) => "Unparsable",
        Err(Malformed::WrongId) => "WrongId",
        Err(Malformed::BadTime) => "BadTime",
        Err(Malformed::BadSender) => "BadSender",
        Err(Malformed::BadFlag) => "BadFlag",
        Err(Malformed::NoPayload) => "NoPayload",
        Err(Malformed::TooBig) => "TooBig",
        Err(Malformed::TooManyPackets) => "TooManyPackets",
        Ok(Body::Invalid(_)) => "Invalid",
        Ok(Body::User) => "User",
        Ok(Body::Handshake(_)) => "Handshake",
        Ok(Body::Peers(_)) => "Peers",
        Ok(_) => "another body",
    }
}

#[test]
fn each_malformed_frame_is_refused_for_its_own_reason() {
    let cases = cases("malformed_04.json");
    assert_eq!(cases.len(), OUTCOMES.len());
    for (case, (name, expected)) in cases.iter().zip(OUTCOMES) {
        assert_eq!(text(case, "name"), name);
        assert_eq!(outcome(&bytes(case, "frame")), expected.trim_start_matches('*'), "{name}");
    }
}

#[test]
fn frames_that_py2p_asks_for_again_are_those_that_are_unparsable() {
    for (case, (name, outcome)) in cases("malformed_04.json").iter().zip(OUTCOMES) {
        let is_asked_again = matches!(text(case, "parser"), "IndexError" | "error");
        assert_eq!(outcome == "Unparsable", is_asked_again, "{name}");
    }
}

#[test]
fn what_py2p_closes_the_link_for_never_passes_and_what_it_takes_is_taken() {
    for (case, (name, outcome)) in cases("malformed_04.json").iter().zip(OUTCOMES) {
        let passes = matches!(outcome, "User" | "Handshake" | "Peers");
        let is_taken = case["closes_connection"] == false && text(case, "parser") == "accepts";
        let differs = outcome.starts_with('*') || name == "handshake, wrong protocol id";
        assert_eq!(passes != is_taken, differs, "{name}");
    }
}

#[test]
fn every_reason_reads_as_the_end_of_a_sentence() {
    let reasons = [
        Malformed::Unparsable("cut short"),
        Malformed::WrongId,
        Malformed::BadTime,
        Malformed::BadSender,
        Malformed::BadFlag,
        Malformed::NoPayload,
        Malformed::TooBig,
        Malformed::TooManyPackets,
    ];
    for reason in reasons {
        let text = reason.to_string();
        assert!(text.starts_with(char::is_lowercase) && !text.ends_with('.'), "{text}");
    }
}

#[test]
fn buffers_shorter_than_a_prefix_are_no_messages() {
    for len in 0..4 {
        let outcome = Header::parse(BytesMut::zeroed(len), Method::SUPPORTED, 100);
        assert!(matches!(outcome, Err(Malformed::Unparsable(_))));
    }
}

#[test]
fn sizes_that_overflow_are_only_too_big() {
    for size in [0xffff_ffffu32, 0x8000_0000, 0x7fff_ffff] {
        let body = [size.to_be_bytes(); 5].concat();
        assert_eq!(outcome(&super::prefixed(&body)), "Unparsable");
    }
    assert_eq!(outcome(&frame_of(&[b"\0\0", b"1", b"1", b"1", b"1"])), "BadFlag");
}
