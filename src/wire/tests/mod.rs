//! The wire against bytes recorded from py2p 0.4, and against what nobody would send.

mod base58;
mod bodies;
mod compression;
mod envelopes;
mod frames;
mod malformed;
mod properties;
mod relays;

use bytes::BytesMut;
use serde_json::Value;

use super::{Envelope, Header, Malformed, Method};

const MIB: usize = 1024 * 1024;

/// The cases of one file of golden vectors.
fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/vectors/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect(&path);
    let Value::Object(mut file) = serde_json::from_str(&text).expect(&path) else {
        panic!("{path}")
    };
    let Some(Value::Array(cases)) = file.remove("cases") else { panic!("{path}") };
    assert!(!cases.is_empty(), "{path}");
    cases
}

fn text<'a>(case: &'a Value, key: &str) -> &'a str {
    case[key].as_str().unwrap_or_else(|| panic!("no text {key} in {case}"))
}

fn hex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

fn bytes(case: &Value, key: &str) -> Vec<u8> {
    hex(text(case, key))
}

fn packets(list: &Value) -> Vec<Vec<u8>> {
    list.as_array().unwrap().iter().map(|packet| hex(packet.as_str().unwrap())).collect()
}

/// Parses and verifies a frame of somebody who announced these methods.
fn read_from(announced: &[Method], frame: &[u8]) -> Result<Envelope, Malformed> {
    Header::parse(BytesMut::from(frame), announced, 16 * MIB)?.verify()
}

/// The same for somebody who announced none.
fn read(frame: &[u8]) -> Result<Envelope, Malformed> {
    read_from(&[], frame)
}

/// A frame of any packets, right or wrong.
fn frame_of(packets: &[&[u8]]) -> Vec<u8> {
    let sizes = packets.iter().flat_map(|packet| (packet.len() as u32).to_be_bytes());
    let body: Vec<u8> =
        sizes.chain(packets.iter().flat_map(|packet| packet.iter().copied())).collect();
    prefixed(&body)
}

fn prefixed(body: &[u8]) -> Vec<u8> {
    [&(body.len() as u32).to_be_bytes(), body].concat()
}

/// All packets of a message, the head included, as the vectors list them.
fn all_packets(envelope: &Envelope) -> Vec<Vec<u8>> {
    let relay = envelope.relay();
    let relayed = relay.bytes(None);
    let head = [
        vec![envelope.main.as_byte()],
        envelope.sender.as_bytes().to_vec(),
        envelope.id.to_string().into_bytes(),
        time_text(relayed),
    ];
    head.into_iter().chain(envelope.packets.iter().map(|packet| packet.to_vec())).collect()
}

/// The time packet of a frame that is known to be right.
fn time_text(frame: &[u8]) -> Vec<u8> {
    let size =
        |n: usize| u32::from_be_bytes(frame[4 + 4 * n..8 + 4 * n].try_into().unwrap()) as usize;
    let (mut count, mut left) = (0, frame.len() - 4);
    while left > 0 {
        left -= 4 + size(count);
        count += 1;
    }
    let start = 4 + 4 * count + size(0) + size(1) + size(2);
    frame[start..start + size(3)].to_vec()
}
