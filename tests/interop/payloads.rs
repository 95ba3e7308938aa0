//! What is sent is what arrives, byte for byte, compressed or not.

use std::collections::BTreeSet;

use rs2p::{Encryption, MeshSocket};

use crate::{
    ignoring::tests,
    net::{Net, link, link_back, promises, soon, wait_until},
    node::Heard,
    options::{PeerOptions, SendAs},
    peer::Peer,
};

tests![a_py2p_that_asks_for_plain_bytes_and_a_repetition_gets_both,];

promises![
    fifty_equal_payloads_at_once_arrive_fifty_times,
    payloads_arrive_as_they_are_both_ways,
    every_method_of_compression_is_understood_both_ways,
];

fn fifty_equal_payloads_at_once_arrive_fifty_times(net: Net) {
    let (from, near, py) = (net.rs2p(), net.rs2p(), net.py2p());
    near.connect(from.local_addr()).expect("a link");
    link(&from, &py);
    for _ in 0..50 {
        from.send(["equal", "payload"]).expect("sent");
    }
    from.send("the end").expect("sent");
    let at_py = std::iter::repeat_with(|| Heard::from(py.recv(soon()).expect("a message")));
    let at_rs = std::iter::repeat_with(|| recv(&near));
    check_fifty(at_py);
    check_fifty(at_rs);
}

fn check_fifty(heard: impl Iterator<Item = Heard>) {
    let heard: Vec<Heard> = heard.take_while(|heard| heard.payload != [b"the end"]).collect();
    assert_eq!(heard.len(), 50);
    assert!(heard.iter().all(|heard| heard.payload == [&b"equal"[..], b"payload"]));
    let ids: BTreeSet<&String> = heard.iter().map(|heard| &heard.id).collect();
    assert_eq!(ids.len(), 50, "each is a message of its own");
}

/// Payloads that are hard to carry. py2p reads in a time that grows with the square of what comes
/// over the wire, so what is large is easy to compress.
fn payloads() -> Vec<Vec<Vec<u8>>> {
    let text = "ÄÖÜ, 你好, שלום, 🦀, e\u{301}, \u{0}, \r\n\t";
    let every_byte: Vec<u8> = (0..=255).collect();
    let pattern = |len: usize| (0..len).map(|n| (n / 64) as u8).collect::<Vec<u8>>();
    let large = if cfg!(feature = "compression") { 1 << 16 } else { 1 << 13 };
    let noise = (0_u32..4096).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![
        vec![text.into(), text.repeat(50).into()],
        vec![every_byte.clone()],
        vec![vec![], every_byte, vec![]],
        vec![vec![]],
        vec![vec![], vec![], vec![]],
        vec![],
        vec![vec![0; 1]; 300],
        // What a frame of four packets would look like, as a packet.
        vec![[0, 0, 0, 4, 0, 0, 0, 0].repeat(4)],
        vec![noise],
        vec![pattern(1 << 10)],
        vec![pattern(1 << 12), pattern(large / 8)],
        vec![pattern(large)],
    ]
}

fn payloads_arrive_as_they_are_both_ways(net: Net) {
    let (rs, py) = (net.rs2p(), net.py2p());
    link_back(&py, &rs);
    carry_all(&rs, &py);
    assert_eq!(py.status(), [""; 0]);
}

/// Both ways, as whispers and as broadcasts. These have one more packet: equal bytes in one second
/// are one broadcast to py2p, whoever sends them and however they are cut.
fn carry_all(rs: &MeshSocket, py: &Peer) {
    for (n, payload) in payloads().into_iter().enumerate() {
        let with = |label: String| [payload.clone(), vec![label.into_bytes()]].concat();
        let (from_rs, from_py) = (with(format!("rs {n}")), with(format!("py {n}")));
        rs.whisper(&payload).expect("sent");
        rs.send(&from_rs).expect("sent");
        check(&py.recv(soon()).expect("a whisper").into(), 2, &payload);
        check(&py.recv(soon()).expect("a broadcast").into(), 0, &from_rs);
        py.whisper(&payload);
        py.send(&from_py);
        check(&recv(rs), 2, &payload);
        check(&recv(rs), 0, &from_py);
    }
}

fn check(heard: &Heard, flag: u8, payload: &[Vec<u8>]) {
    // The two have the same numbers as flags and as kinds.
    assert_eq!((heard.flag, &heard.kind), (flag, &vec![flag]), "{payload:?}");
    assert_eq!(heard.payload, payload);
}

fn recv(rs: &MeshSocket) -> Heard {
    rs.recv_timeout(soon() - std::time::Instant::now()).expect("a message").into()
}

/// As one py2p after the other that knows but one method.
fn every_method_of_compression_is_understood_both_ways(net: Net) {
    let common: &[&str] = match () {
        () if cfg!(feature = "compression-all") => &["zlib", "gzip", "bz2", "lzma"],
        () if cfg!(feature = "compression") => &["zlib", "gzip"],
        () => &[],
    };
    for method in ["zlib", "gzip", "bz2", "lzma", ""] {
        let (rs, py) =
            (net.rs2p(), Peer::start(PeerOptions { methods: Some(method), ..net.quiet() }));
        link(&rs, &py);
        let before = rs.stats();
        let large = [vec![b'x'; 8 << 10]];
        rs.whisper(&large).expect("sent");
        assert_eq!(py.recv(soon()).expect("a message").payload(), large);
        py.whisper(&large);
        assert_eq!(recv(&rs).payload, large);
        let after = rs.stats();
        let (read, written) =
            (after.bytes_in - before.bytes_in, after.bytes_out - before.bytes_out);
        let is_small = |bytes: u64| bytes < 2 << 10;
        if common.contains(&method) {
            assert!(is_small(read) && is_small(written), "{method}: {read} in, {written} out");
            carry_all(&rs, &py);
        } else {
            assert!(!is_small(read) && !is_small(written), "{method}: {read} in, {written} out");
        }
        assert_eq!(py.status(), [""; 0], "{method}");
    }
}

/// As py2p does with a frame that it cannot read. Not over SSL: py2p's user writes to the stream
/// while its own thread reads our answer from it, which costs it the link now and then.
fn a_py2p_that_asks_for_plain_bytes_and_a_repetition_gets_both() {
    let net = Net::over(Encryption::Plaintext);
    let (rs, py) = (net.rs2p(), net.py2p());
    link(&rs, &py);
    let large = vec![b'x'; 8 << 10];
    rs.whisper([&large]).expect("sent");
    let first = Heard::from(py.recv(soon()).expect("a message"));
    let renegotiate = |kind| SendAs { flag: Some(3), kind: Some(kind), ..SendAs::default() };
    let before = rs.stats();
    py.send_as(renegotiate(b"\x01"), ["[]"]);
    // It answers our answer, which we give if that is news.
    let said = if cfg!(feature = "compression") { 2 } else { 1 };
    wait_until(&rs, "of one mind", soon(), || rs.stats().control >= before.control + said);
    py.send_as(renegotiate(b"\x09"), [""; 0]);
    let again = Heard::from(py.recv(soon()).expect("the message again"));
    assert_eq!(again, first, "the same, id and date included");
    wait_until(&rs, "plain", soon(), || rs.stats().bytes_out - before.bytes_out > 8 << 10);
    // Once is enough: a frame that is never read would be asked for for ever.
    py.send_as(renegotiate(b"\x09"), [""; 0]);
    py.whisper(["enough"]);
    assert_eq!(recv(&rs).text(), "enough");
    rs.whisper("no third time").expect("sent");
    assert_eq!(Heard::from(py.recv(soon()).expect("a message")).text(), "no third time");
}
