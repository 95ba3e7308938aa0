//! What no honest node sends has an end.

use std::time::Instant;

use rs2p::report::Refusal;
use rs2p::{Cause, MeshEvent, MeshSocket};

use crate::support::raw::{Raw, WHISPER, frame, message};
use crate::support::{PATIENCE, wait_for};

/// More than any link may send at once.
const MANY: usize = 40_000;

/// Sends the same again and again until the node closes the link; returns why it did.
fn cut_for(bytes: impl Fn(&Raw) -> Vec<u8>) -> (Cause, rs2p::Stats) {
    let node = MeshSocket::builder().max_outgoing(0).bind(("127.0.0.1", 0)).expect("a port");
    let until = Instant::now() + PATIENCE;
    let mut raw = Raw::link(node.local_addr(), node.protocol().id(), until);
    let bytes = bytes(&raw).repeat(100);
    let mut sent = 0;
    while sent < MANY * 50 && raw.try_send(&bytes) {
        sent += 100;
    }
    let cause = wait_for(&node, |event| match event {
        MeshEvent::Left { cause, .. } => Some(cause.clone()),
        _ => None,
    });
    let stats = node.stats();
    node.close().expect("closed");
    println!("closed after {sent}: {cause}\n{stats}");
    (cause, stats)
}

#[test]
fn whoever_goes_on_with_frames_that_are_no_messages_is_cut() {
    let (cause, stats) = cut_for(|_| frame(&[b"xx", b"sender", b"id", b"time"]));
    assert!(matches!(cause, Cause::Malformed(_)), "{cause}");
    assert!(stats.refused() < MANY as u64 * 2, "{stats}");
}

#[test]
fn whoever_goes_on_with_whispers_of_others_is_cut() {
    let (cause, stats) = cut_for(|raw| {
        let mut other = raw.id().to_string();
        let last = if other.pop() == Some('1') { '2' } else { '1' };
        other.push(last);
        message(&other, WHISPER, &[&[2], b"trust me"])
    });
    assert!(matches!(cause, Cause::Malformed(_)), "{cause}");
    assert!(stats.refused_for(Refusal::ForeignWhisper) < MANY as u64 * 2, "{stats}");
}

#[test]
fn whoever_goes_on_with_hellos_is_cut() {
    let hello: &[&[u8]] = &[b"rs2p", br#"["links","spare"]"#];
    let (cause, stats) = cut_for(|raw| message(raw.id().as_str(), WHISPER, hello));
    assert!(matches!(cause, Cause::Malformed(_)), "{cause}");
    assert!(stats.refused_for(Refusal::TooOften) < MANY as u64 * 2, "{stats}");
}
