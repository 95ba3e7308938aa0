//! What a stranger sends through an rs2p node does not hurt the py2p nodes behind it.

use std::time::{Duration, Instant};

use rs2p::report::Refusal;
use rs2p::{Cause, Encryption, MeshSocket};

use crate::{
    ignoring::tests,
    net::{Net, bind, link, soon, wait_left, wait_turned_away, wait_until},
    peer::Peer,
    raw::{
        BROADCAST, COMPRESSION, HANDSHAKE, PEERS, RENEGOTIATE, REQUEST, RESEND, RESPONSE, Raw,
        WHISPER, frame,
    },
};

tests![
    poison_is_not_passed_on_to_a_py2p,
    poison_hurts_a_py2p_that_gets_it,
    a_flood_of_requests_for_peers_is_answered_a_few_times_a_second,
    an_unreadable_frame_is_asked_for_once_and_the_next_ends_the_link,
    #[cfg(feature = "compression")]
    a_question_for_plain_bytes_may_be_compressed_itself,
    a_frame_with_a_wrong_id_ends_the_link_it_came_on_and_no_other,
    a_py2p_that_finds_no_room_is_turned_away_unhurt,
];

/// The strangers speak bare TCP, so these promises are made over that.
fn net() -> Net {
    Net::over(Encryption::Plaintext)
}

/// What py2p relays before it looks at it, and what each hop then drops its neighbour for.
fn poison() -> Vec<(&'static str, Vec<&'static [u8]>)> {
    vec![
        ("no payload", vec![]),
        ("peers that are none", vec![PEERS, b"junk"]),
        ("peers without a list", vec![PEERS]),
        ("peers of three elements", vec![PEERS, b"[[1, 2, 3]]"]),
        ("well-formed peers", vec![PEERS, b"[]"]),
        ("a request of one packet", vec![REQUEST]),
        ("a request for everybody's peers", vec![REQUEST, b"*"]),
        ("a response without an address", vec![RESPONSE, b"1"]),
        ("a response that is not JSON", vec![RESPONSE, b"1", b"junk"]),
        ("a handshake of one packet", vec![HANDSHAKE]),
        ("a handshake", vec![HANDSHAKE, b"2", b"3", b"[\"127.0.0.1\", 9]", b"[]"]),
        ("methods", vec![COMPRESSION, b"[]"]),
        ("a resend", vec![RESEND]),
    ]
}

fn poison_is_not_passed_on_to_a_py2p() {
    let net = net();
    let (rs, near, far) = (net.rs2p(), net.py2p(), net.py2p());
    link(&rs, &near);
    near.connect(far.addr());
    far.wait_links(soon(), |links| links.link(near.id()).is_some());
    for (what, payload) in poison() {
        let mut raw = Raw::link(rs.local_addr(), rs.protocol().id(), soon());
        let before = rs.stats();
        raw.say(BROADCAST, &payload);
        wait_until(&rs, what, soon(), || rs.stats().refused() > before.refused());
        assert_eq!(rs.stats().relay_frames, before.relay_frames, "{what}");
    }
    // What is passed on still is, and everybody has the links that he had.
    let mut raw = Raw::link(rs.local_addr(), rs.protocol().id(), soon());
    raw.say(BROADCAST, &[b"\x00", b"honest"]);
    for py in [&near, &far] {
        assert_eq!(py.recv(soon()).expect("relayed").payload(), [b"honest"]);
        assert_eq!(py.status(), [""; 0]);
    }
    assert_eq!(near.table().ids().len(), 2);
    assert_eq!(far.table().ids(), [near.id()]);
}

/// The same, straight to a py2p: so that it is known to be poison.
fn poison_hurts_a_py2p_that_gets_it() {
    let net = net();
    let (near, far) = (net.py2p(), net.py2p());
    near.connect(far.addr());
    far.wait_links(soon(), |links| links.link(near.id()).is_some());
    let mut raw = Raw::link(near.addr(), near.protocol_id(), soon());
    raw.say(BROADCAST, &[PEERS, b"junk"]);
    far.wait_links(soon(), |links| links.peers.is_empty());
    assert!(far.status()[0].contains("JSONDecodeError"), "{:?}", far.status());
}

fn a_flood_of_requests_for_peers_is_answered_a_few_times_a_second() {
    let net = net();
    let rs = net.rs2p();
    let mut raw = Raw::link(rs.local_addr(), rs.protocol().id(), soon());
    let begun = Instant::now();
    for n in 0..2000_u32 {
        // The third packet, which nobody reads, makes each a message of its own.
        raw.say(WHISPER, &[REQUEST, b"*", &n.to_be_bytes()]);
    }
    raw.say(WHISPER, &[b"\x02", b"that was it"]);
    assert_eq!(rs.recv_timeout(Duration::from_secs(20)).expect("read").payload(), ["that was it"]);
    let seconds = begun.elapsed().as_secs_f64();
    rs.whisper("so was this").expect("sent");
    let answers = answers_before(&mut raw, b"so was this");
    // One of them is the list that a handshake is answered with.
    assert!(answers >= 2, "it is answered");
    assert!((answers - 2) as f64 <= seconds * 4.0, "{answers} in {seconds} s");
}

/// Peers lists that come before a message with this text.
fn answers_before(raw: &mut Raw, last: &[u8]) -> usize {
    let mut answers = 0;
    loop {
        let payload = raw.next(soon()).expect("the link stays").payload;
        match payload.get(1) {
            Some(text) if text == last => return answers,
            _ => answers += usize::from(payload[0] == PEERS),
        }
    }
}

fn an_unreadable_frame_is_asked_for_once_and_the_next_ends_the_link() {
    let net = net();
    let (rs, py) = (net.rs2p(), net.py2p());
    link(&rs, &py);
    let mut raw = Raw::link(rs.local_addr(), rs.protocol().id(), soon());
    let unreadable = [&[0, 0, 0, 8][..], &[0, 0, 0, 200, 1, 2, 3, 4]].concat();
    raw.send(&unreadable);
    let mut asked = vec![];
    while asked.len() < 2 {
        let message = raw.next(soon()).expect("it is asked for");
        if message.main == RENEGOTIATE {
            asked.push(message.payload);
        }
    }
    assert_eq!(asked, [vec![COMPRESSION.to_vec(), b"[]".to_vec()], vec![RESEND.to_vec()]]);
    raw.send(&unreadable);
    let cause = wait_left(&rs, raw.id(), soon());
    assert!(matches!(cause, Cause::Malformed(_)), "{cause}");
    while let Some(message) = raw.next(soon()) {
        assert_ne!(message.main, RENEGOTIATE, "not asked for again");
    }
    assert_eq!(rs.stats().refused_for(Refusal::Unparsable), 2);
    assert_still_fine(&rs, &py);
}

/// As a py2p does with a frame that it cannot read: it asks for plain bytes, and for a repetition, in
/// frames that are compressed themselves.
#[cfg(feature = "compression")]
fn a_question_for_plain_bytes_may_be_compressed_itself() {
    let net = net();
    let rs = net.rs2p();
    let mut raw = Raw::link(rs.local_addr(), rs.protocol().id(), soon());
    raw.say(RENEGOTIATE, &[COMPRESSION, b"[\"\\u0013\"]"]);
    raw.say(WHISPER, &[b"\x02", b"zlib it is"]);
    assert_eq!(rs.recv_timeout(Duration::from_secs(20)).expect("read").payload(), ["zlib it is"]);
    let (text, before) = ("x".repeat(8 << 10), rs.stats().bytes_out);
    rs.whisper(&text).expect("sent");
    let next_whisper = |raw: &mut Raw| loop {
        let message = raw.next(soon()).expect("the link stays");
        if message.payload[0] == b"\x02" {
            return message;
        }
    };
    let first = next_whisper(&mut raw);
    assert!(rs.stats().bytes_out - before < 1 << 10, "compressed");
    raw.say_zipped(RENEGOTIATE, &[COMPRESSION, b"[]"]);
    raw.say_zipped(RENEGOTIATE, &[RESEND]);
    assert_eq!(next_whisper(&mut raw), first);
    let is_plain = || rs.stats().bytes_out - before > 8 << 10;
    wait_until(&rs, "not compressed this time", soon(), is_plain);
}

fn a_frame_with_a_wrong_id_ends_the_link_it_came_on_and_no_other() {
    let net = net();
    let (rs, py) = (net.rs2p(), net.py2p());
    link(&rs, &py);
    let mut raw = Raw::link(rs.local_addr(), rs.protocol().id(), soon());
    let id = raw.id();
    raw.send(&frame(&[&[BROADCAST], id.as_bytes(), id.as_bytes(), b"3jfnZQ", b"\x00", b"forged"]));
    let cause = wait_left(&rs, id, soon());
    assert!(matches!(cause, Cause::Malformed(_)), "{cause}");
    assert_still_fine(&rs, &py);
}

fn assert_still_fine(rs: &MeshSocket, py: &Peer) {
    rs.send("fine").expect("sent");
    assert_eq!(py.recv(soon()).expect("a message").payload(), [b"fine"]);
    assert_eq!(py.status(), [""; 0]);
}

/// It dials because it was told of us, and so has us in its table from the start. Closed without
/// an answer, it would try to read and write that row for ever.
fn a_py2p_that_finds_no_room_is_turned_away_unhurt() {
    let net = net();
    let (full, only, py) =
        (bind(net.builder().max_outgoing(0).max_links(1)), net.rs2p(), Peer::start(net.options()));
    full.connect(only.local_addr()).expect("a link");
    let mut informant = Raw::link(py.addr(), py.protocol_id(), soon());
    let addr = full.local_addr();
    let list = format!("[[[\"{}\", {}], \"{}\"]]", addr.ip(), addr.port(), full.id());
    informant.say(WHISPER, &[PEERS, list.as_bytes()]);
    let cause = wait_turned_away(&full);
    assert!(matches!(cause, Cause::TooManyLinks), "{cause}");
    // Which a py2p asks for when it has lost a link.
    while informant.next(soon()).expect("the link stays").payload != [REQUEST, b"*"] {}
    let links = py.table();
    assert_eq!((links.ids().len(), links.awaiting), (1, 0), "only who told it is left: {links:?}");
    assert_eq!(py.status(), [""; 0]);
}
