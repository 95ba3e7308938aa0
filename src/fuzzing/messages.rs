//! Messages with the right id, and with any contents.

use arbitrary::{Result, Unstructured};
use bytes::BytesMut;

use super::bytes::{MAX_BODY, methods};
use crate::id::NodeId;
use crate::options::{Flag, Kind};
use crate::packet::Packet;
use crate::wire::{Body, Draft, Envelope, Header, LastSender, Method, Proof};

const FLAGS: [Flag; 3] = [Flag::Broadcast, Flag::Whisper, Flag::Renegotiate];

/// Words that the protocol knows, so that not only the fuzzer has to find them.
const WORDS: [&str; 16] = [
    r#"["links"]"#,
    r#"["links","replies","pace","lazy=1024"]"#,
    r#"["challenge"]"#,
    r#"["proof"]"#,
    r#"["refused"]"#,
    r#"["how far"]"#,
    r#"["taken"]"#,
    r#"["left behind"]"#,
    r#"["caught up"]"#,
    r#"["have"]"#,
    r#"["want"]"#,
    r#"["prune"]"#,
    r#"["zlib","gzip"]"#,
    r#"["127.0.0.1",4444]"#,
    r#"[[["127.0.0.1",4444],"x"]]"#,
    "*",
];

/// Makes a message of any packets, packs it, and reads it again: it says what it said.
pub(super) fn bodies(data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let draft = draft(&mut input)?;
    let methods = methods(&mut input)?;
    let frame = draft.encode(&sender(), &draft.id());
    let packed = frame.bytes(methods.first().copied().filter(|method| has(*method)));
    let envelope = read(packed, &methods).expect("a message of ours can be read");
    assert_eq!((envelope.id, envelope.sender, envelope.time), (draft.id(), sender(), draft.time));
    assert_eq!(envelope.packets.to_vec(), draft.packets);
    Ok(())
}

/// Makes messages of the kinds that nodes have among themselves. Those that are understood say the same
/// when they are written again.
pub(super) fn greetings(data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let draft = draft(&mut input)?;
    let frame = draft.encode(&sender(), &draft.id());
    let body = read(frame.bytes(None), &[]).expect("a message of ours can be read").body;
    let payload = match &body {
        Body::Hello(hello) => hello.proof.as_ref().map_or_else(|| hello.payload(), Proof::payload),
        // Other text is kept for messages to people only, and shortened.
        Body::Handshake(handshake) if handshake.protocol.is_ascii() => handshake.payload(),
        Body::Pacing(word) => word.payload(),
        Body::Lazy(word) => word.payload(),
        Body::Peers(entries) => crate::wire::peers::payload(entries),
        Body::Compression(methods) => Method::list_payload(methods),
        _ => return Ok(()),
    };
    let again = Draft { packets: payload, ..draft };
    let frame = again.encode(&sender(), &again.id());
    let again = read(frame.bytes(None), &[]).expect("a message of ours can be read").body;
    assert_eq!(format!("{again:?}"), format!("{body:?}"));
    Ok(())
}

/// Returns a message whose packets are known words, or anything.
pub(super) fn draft(input: &mut Unstructured<'_>) -> Result<Draft> {
    let kinds = [Kind::HANDSHAKE, Kind::PEERS, Kind::REQUEST, Kind::RESPONSE, Kind::COMPRESSION];
    let greeting = Packet::from(crate::wire::hello::KIND);
    let main = *input.choose(&FLAGS)?;
    let mut packets = vec![match input.int_in_range(0..=kinds.len() + 2)? {
        at if at < kinds.len() => Packet::from(kinds[at].as_bytes()),
        at if at == kinds.len() => any(input)?,
        _ => greeting,
    }];
    for _ in 0..input.int_in_range(0..=5)? {
        packets.push(match input.int_in_range(0..=3)? {
            0 => any(input)?,
            1 => sender().to_string().as_str().into(),
            _ => (*input.choose(&WORDS)?).into(),
        });
    }
    Ok(Draft { main, packets, time: u64::from(input.arbitrary::<u32>()?) })
}

fn any(input: &mut Unstructured<'_>) -> Result<Packet> {
    Ok(Packet::from(input.arbitrary::<&[u8]>()?))
}

fn read(frame: &[u8], methods: &[Method]) -> Option<Envelope> {
    let last = &mut LastSender::default();
    let header = Header::parse_after(last, BytesMut::from(frame), methods, MAX_BODY).ok()?;
    header.verify().ok()
}

/// Whether this build knows the method.
fn has(method: Method) -> bool {
    match method {
        Method::Zlib | Method::Gzip => cfg!(feature = "compression"),
        Method::Bz2 | Method::Lzma => cfg!(feature = "compression-all"),
    }
}

fn sender() -> NodeId {
    NodeId::from_digest(&[7; 48])
}
