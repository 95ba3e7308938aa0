//! rs2p and py2p over SSL.
//!
//! py2p writes to TLS from two threads at once when its user sends while its network thread does,
//! and loses the link then: so a py2p node sends here only while its links are quiet.
#![cfg(feature = "native-tls")]

use std::time::{Duration, Instant};

use rs2p::{Cause, Encryption, Error, MeshEvent, MeshSocket, Message, Protocol, Routed};

use crate::{
    ignoring::tests,
    net::soon,
    options::{PeerOptions, SendAs},
    peer::Peer,
    python::{Python, python},
};

tests![
    a_chain_of_four_broadcasts_whispers_and_replies,
    a_burst_of_a_thousand_frames_to_a_node_all_arrives,
    a_burst_of_a_thousand_frames_from_a_node_all_arrives,
    frames_larger_than_records_pass_both_ways,
    both_versions_of_tls_are_spoken_in_both_directions,
    a_node_that_closes_is_lost_without_an_error,
    a_private_mesh_and_py2p_turn_each_other_away,
    the_other_encryption_is_an_error_at_both_kinds_of_node,
];

/// A thousand frames take a py2p some seconds.
fn patiently() -> Instant {
    Instant::now() + Duration::from_secs(120)
}

fn options(python: &'static Python) -> PeerOptions {
    PeerOptions { encryption: "SSL", max_outgoing: Some(0), ..PeerOptions::new(python) }
}

fn py2p(python: &'static Python) -> Peer {
    Peer::start(options(python))
}

fn rs2p() -> MeshSocket {
    let protocol = Protocol::new("mesh", Encryption::Ssl);
    let builder = MeshSocket::builder().protocol(protocol).max_outgoing(0);
    builder.bind("127.0.0.1:0").expect("a free port")
}

fn recv(node: &MeshSocket) -> Message {
    node.recv_timeout(soon() - Instant::now()).expect("a message")
}

/// An rs2p node dials a py2p one, and both ends know it.
fn link_out(node: &MeshSocket, peer: &Peer) {
    let connection = node.connect(peer.addr()).expect("a py2p node that listens");
    assert_eq!(connection.id().as_str(), peer.id());
    peer.wait_links(soon(), |links| links.link(node.id().as_str()).is_some());
}

/// A py2p node dials an rs2p one, and both ends know it.
fn link_in(peer: &Peer, node: &MeshSocket) {
    let before = node.routing_table().len();
    peer.connect(node.local_addr());
    node.wait_for_peers(before + 1, soon() - Instant::now()).expect("py2p dials");
    peer.wait_links(soon(), |links| links.link(node.id().as_str()).is_some());
}

fn a_chain_of_four_broadcasts_whispers_and_replies() {
    let python = python();
    let (p1, r1, p2, r2) = (py2p(python), rs2p(), py2p(python), rs2p());
    assert_eq!(p1.protocol_id(), r1.protocol().id());
    // Both dial directions: r1 dials p1 and is dialled by p2, which r2 dials.
    link_out(&r1, &p1);
    link_in(&p2, &r1);
    link_out(&r2, &p2);

    r2.send(["from the end", "of the chain"]).expect("sent");
    for heard in [p1.recv(soon()), p2.recv(soon())] {
        let heard = heard.expect("the broadcast");
        assert_eq!(heard.payload(), [&b"from the end"[..], b"of the chain"]);
        assert_eq!(heard.sender, r2.id().as_str());
    }
    assert_eq!(recv(&r1).payload(), ["from the end", "of the chain"]);

    p1.send(["from the other end"]);
    for node in [&r1, &r2] {
        let message = recv(node);
        assert_eq!(message.payload(), ["from the other end"]);
        assert_eq!(message.sender().as_str(), p1.id());
    }
    assert!(p2.recv(soon()).is_some());

    r1.whisper("one hop").expect("sent");
    let whispers = [p1.recv(soon()), p2.recv(soon())].map(|heard| heard.expect("the whisper"));
    assert!(whispers.iter().all(|whisper| whisper.payload() == [b"one hop"]));
    p2.reply(&whispers[1], ["heard"]);
    let reply = recv(&r1);
    assert_eq!(reply.payload(), ["heard"]);
    assert_eq!(reply.sender().as_str(), p2.id());
    assert!(matches!(reply.reply("and answered"), Ok(Routed::Sent)));
    assert_eq!(p2.recv(soon()).expect("the answer").payload(), [b"and answered"]);
    assert!(r2.try_recv().is_err(), "a whisper goes one hop");
    for peer in [&p1, &p2] {
        assert_eq!(peer.status(), [""; 0]);
    }
}

fn a_burst_of_a_thousand_frames_to_a_node_all_arrives() {
    let python = python();
    for dials in [true, false] {
        let (node, peer) = (rs2p(), py2p(python));
        if dials {
            link_out(&node, &peer)
        } else {
            link_in(&peer, &node)
        }
        for n in 0..1000 {
            node.send(["burst".to_owned(), n.to_string()]).expect("sent");
        }
        let heard = peer.recv_n(1000, patiently());
        for (n, message) in heard.iter().enumerate() {
            assert_eq!(message.payload()[1], n.to_string().as_bytes(), "in order");
        }
        assert_eq!(node.stats().left, 0);
        assert_eq!(peer.status(), [""; 0]);
    }
}

fn a_burst_of_a_thousand_frames_from_a_node_all_arrives() {
    let python = python();
    let (node, peer) = (rs2p(), py2p(python));
    link_in(&peer, &node);
    peer.send_as(SendAs { numbered: Some(1000), ..SendAs::default() }, ["burst"]);
    for n in 0..1000 {
        assert_eq!(recv(&node).payload()[1], n.to_string().as_str());
    }
}

fn frames_larger_than_records_pass_both_ways() {
    let python = python();
    let (node, peer) = (rs2p(), py2p(python));
    link_out(&node, &peer);
    // Of which nothing can be compressed away: py2p needs a second for each.
    let noise = |len: usize| -> Vec<u8> {
        let bytes = (0u64..).flat_map(|n| {
            let n = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            (n ^ n >> 29).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_le_bytes()
        });
        bytes.take(len).collect()
    };
    for len in [16_000, 17_000, 20_000] {
        node.send(noise(len)).expect("sent");
        let heard = peer.recv(patiently()).expect("the frame");
        assert!(heard.payload() == [noise(len)], "{len} bytes out");
        peer.send([noise(len)]);
        assert!(recv(&node).payload()[0] == noise(len)[..], "{len} bytes back");
    }
}

fn both_versions_of_tls_are_spoken_in_both_directions() {
    let python = python();
    for version in ["TLSv1_2", "TLSv1_3"] {
        let peer = Peer::start(PeerOptions { tls: Some(version), ..options(python) });
        let node = rs2p();
        link_out(&node, &peer);
        node.send(["over", version]).expect("sent");
        assert_eq!(peer.recv(soon()).expect("heard").payload()[1], version.as_bytes());
        peer.send(["back"]);
        assert_eq!(recv(&node).payload(), ["back"]);
    }
    // The library on our side accepts 1.2 only, where it is OpenSSL.
    let node = rs2p();
    let peer = Peer::start(PeerOptions { tls: Some("TLSv1_3"), ..options(python) });
    if cfg!(target_os = "linux") {
        let refused = peer.try_connect(node.local_addr());
        assert!(refused.as_ref().is_err_and(|text| text.contains("SSL")), "{refused:?}");
    }
    let peer = Peer::start(PeerOptions { tls: Some("TLSv1_2"), ..options(python) });
    link_in(&peer, &node);
    peer.send(["in"]);
    assert_eq!(recv(&node).payload(), ["in"]);
}

fn a_node_that_closes_is_lost_without_an_error() {
    let python = python();
    let (node, mut peer) = (rs2p(), py2p(python));
    link_out(&node, &peer);
    peer.close();
    let left = node.events().iter().find_map(|event| match event {
        MeshEvent::Left { cause, .. } => Some(cause),
        _ => None,
    });
    assert!(matches!(left, Some(Cause::PeerClosed)), "{left:?}");
}

fn a_private_mesh_and_py2p_turn_each_other_away() {
    let python = python();
    let protocol = Protocol::new("mesh", Encryption::Ssl).with_secret("kEr9fGvB2mYw7QhT5xJc");
    let private = MeshSocket::builder().protocol(protocol).bind("127.0.0.1:0").expect("bound");
    let peer = py2p(python);
    let error = private.connect(peer.addr()).expect_err("py2p knows no secret");
    let Error::Connect { cause: Cause::WrongSubnet(mesh), .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!(mesh.theirs, peer.protocol_id());
    peer.connect(private.local_addr());
    let turned_away = private.events().iter().find_map(|event| match event {
        MeshEvent::TurnedAway { cause, .. } => Some(cause),
        _ => None,
    });
    assert!(matches!(turned_away, Some(Cause::WrongSubnet(_))), "{turned_away:?}");
    peer.wait_links(soon(), |links| links.peers.is_empty() && links.awaiting == 0);
    assert_eq!(private.routing_table().len(), 0);
    // And goes on with those of its own kind.
    let node = rs2p();
    link_in(&peer, &node);
}

fn the_other_encryption_is_an_error_at_both_kinds_of_node() {
    let python = python();
    let plain = Peer::start(PeerOptions { encryption: "Plaintext", ..options(python) });
    let error = rs2p().connect(plain.addr()).expect_err("plaintext");
    let Error::Connect { cause, .. } = &error else { panic!("{error:?}") };
    assert!(matches!(cause, Cause::WrongEncryption { .. }), "{error:?}");
    let ssl = rs2p();
    plain.connect(ssl.local_addr());
    plain.wait_links(soon(), |links| links.awaiting == 0);
    let peer = py2p(python);
    MeshSocket::bind("127.0.0.1:0").expect("bound").connect(peer.addr()).expect_err("SSL");
    // All three go on.
    link_out(&ssl, &peer);
    let again = MeshSocket::bind("127.0.0.1:0").expect("bound");
    again.connect(plain.addr()).expect("plaintext to plaintext");
}
