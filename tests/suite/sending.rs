//! What is sent arrives: to everyone, to peers, to one node; and what cannot be sent says so.

use std::time::Duration;

use rs2p::{Error, Flag, Kind, MeshEvent, Routed, SendOptions};

use super::support::*;

#[test]
fn a_broadcast_passes_through_every_node_once() {
    let nodes = line(5);
    let sent = nodes[0].send(["this is", "a test"]).expect("sent");
    assert_eq!(sent.peers(), 1);
    for (hops, node) in nodes[1..].iter().enumerate() {
        let message = recv(node);
        assert_eq!(message.payload(), ["this is", "a test"]);
        assert_eq!((message.sender(), message.id()), (nodes[0].id(), sent.id()));
        assert_eq!(message.kind(), Kind::BROADCAST);
        assert_eq!(message.flag(), if hops == 0 { Flag::Broadcast } else { Flag::Waterfall });
    }
    close_all(&nodes);
}

#[test]
fn a_whisper_goes_one_hop() {
    let nodes = line(3);
    nodes[0].whisper("psst").expect("sent");
    nodes[0].send("fence").expect("sent");
    assert_eq!(recv_text(&nodes[1]), ["psst"]);
    assert_eq!(recv_text(&nodes[1]), ["fence"]);
    assert_eq!(recv_text(&nodes[2]), ["fence"], "the whisper was not passed on");
    close_all(&nodes);
}

#[test]
fn fifty_equal_messages_arrive_fifty_times() {
    let nodes = line(3);
    for _ in 0..50 {
        nodes[0].send("again").expect("sent");
    }
    for node in &nodes[1..] {
        let mut ids: Vec<_> = (0..50).map(|_| recv(node).id()).collect();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 50);
    }
    close_all(&nodes);
}

#[test]
fn too_many_equal_messages_are_an_error_and_no_loss() {
    let nodes = line(2);
    let sent = (0..200).take_while(|_| nodes[0].send("again").is_ok()).count();
    assert!((50..200).contains(&sent), "{sent} seconds were free");
    assert!(matches!(nodes[0].send("again"), Err(Error::Repeated)));
    nodes[0].send("something else").expect("others are not affected");
    for _ in 0..sent {
        assert_eq!(recv_text(&nodes[1]), ["again"]);
    }
    assert_eq!(recv_text(&nodes[1]), ["something else"]);
    close_all(&nodes);
}

#[test]
fn packets_are_any_bytes_and_any_number() {
    let nodes = line(2);
    let large = vec![0xa5; 3 << 20];
    nodes[0].send(Vec::<&str>::new()).expect("none");
    nodes[0].send([b"\0\xff".as_slice(), b"", "größer".as_bytes()]).expect("some");
    nodes[0].send(&large).expect("large");
    nodes[0].send((0..1000).map(|n| n.to_string()).collect::<Vec<_>>()).expect("many");
    assert!(recv(&nodes[1]).payload().is_empty());
    assert_eq!(recv(&nodes[1]).payload(), [b"\0\xff".as_slice(), b"", "größer".as_bytes()]);
    assert!(recv(&nodes[1])[1] == large[..]);
    assert_eq!(recv(&nodes[1]).payload().len(), 1000);
    close_all(&nodes);
}

#[test]
fn a_message_that_is_too_large_says_so_and_nothing_is_sent() {
    let a = bind_with(builder().max_frame(1000));
    let error = a.send(vec![0; 1000]).expect_err("too large");
    assert!(matches!(error, Error::TooLarge { len, max: 1000 } if len > 1000), "{error:?}");
    assert_eq!(a.stats().sent, 0);
    a.send(vec![0; 500]).expect("small enough");
    close_all(&[a]);
}

#[test]
fn what_the_protocol_says_itself_is_reserved() {
    let a = bind();
    for kind in [Kind::HANDSHAKE, Kind::PEERS, Kind::RESPONSE, Kind::new([0x1f]), Kind::new("rs2p")]
    {
        let error = a.send_with(SendOptions::new().kind(kind.clone()), "x").expect_err("reserved");
        assert!(matches!(&error, Error::ReservedKind { kind: k } if **k == kind), "{error:?}");
    }
    let error = a.send_with(SendOptions::new().flag(Flag::Renegotiate), "x").expect_err("reserved");
    assert!(matches!(error, Error::ReservedFlag), "{error:?}");
    close_all(&[a]);
}

#[test]
fn sending_without_peers_reaches_nobody_and_is_no_error() {
    let a = bind();
    assert_eq!(a.send("is anybody there?").expect("no error").peers(), 0);
    close_all(&[a]);
}

#[test]
fn a_reply_to_a_peer_is_sent_at_once() {
    let nodes = line(2);
    nodes[0].send("Did you get this?").expect("sent");
    let question = recv(&nodes[1]);
    assert!(matches!(question.reply(["yes", "I did"]).expect("sent"), Routed::Sent));
    let answer = recv(&nodes[0]);
    assert_eq!((answer.kind(), answer.flag()), (Kind::WHISPER, Flag::Whisper));
    assert_eq!(answer.sender(), nodes[1].id());
    let id = nodes[1].id();
    let shown = format!("message(type=b'whisper', packets=[b'yes', b'I did'], sender=b'{id}')");
    assert_eq!(answer.to_string(), shown);
    assert_eq!(answer.packets()[0], [2]);
    close_all(&nodes);
}

#[test]
fn a_reply_finds_its_way_over_several_hops() {
    let nodes = line(4);
    nodes[0].send("who is far away?").expect("sent");
    let question = recv(&nodes[3]);
    let Routed::Pending(ticket) = question.reply("I am").expect("routing") else {
        panic!("the sender is no peer")
    };
    ticket.wait(PATIENCE).expect("sent");
    assert_eq!(ticket.outcome(), Some(true));
    let answer = recv(&nodes[0]);
    assert_eq!((answer.payload(), answer.sender()), (&["I am".into()][..], nodes[3].id()));
    wait_for(&nodes[3], |event| match event {
        MeshEvent::ReplySent { to, .. } if *to == nodes[0].id() => Some(()),
        _ => None,
    });
    close_all(&nodes);
}

#[test]
fn a_reply_without_a_route_says_so() {
    let a = bind_with(builder().request_timeout(Duration::from_millis(20)));
    let b = bind();
    connect(&a, &b);
    let nobody = "6VnYj9LjoVLTvU3uPhy4nxm6yv2wEvhaRtGHeV9wwFngWGGqKAzuZ8jK6gFuvq737V";
    let nobody = nobody.parse().expect("an id");
    let failed = |event| matches!(event, MeshEvent::ReplyFailed { .. });
    // Often, because the outcome came before the event in one of a hundred trials.
    for _ in 0..100 {
        let reply = a.send_to(&nobody, "hello?").expect("routing");
        assert!(matches!(reply.wait(PATIENCE), Err(Error::NoRoute)));
        // Who waited for the outcome finds its event and its status.
        assert!(!a.status().is_nominal());
        assert!(a.events().try_iter().any(failed));
    }
    close_all(&[a, b]);
}

#[test]
fn a_reply_on_its_way_prints_plainly() {
    let a = bind_with(builder().request_timeout(Duration::from_millis(200)));
    let nobody = "6VnYj9LjoVLTvU3uPhy4nxm6yv2wEvhaRtGHeV9wwFngWGGqKAzuZ8jK6gFuvq737V";
    let reply = a.send_to(&nobody.parse().expect("an id"), "hello?").expect("routing");
    assert_eq!(format!("{reply:?}"), "Pending(Ticket(waiting for a route))");
    assert!(reply.wait(PATIENCE).is_err());
    assert_eq!(format!("{reply:?}"), "Pending(Ticket(not sent))");
    close_all(&[a]);
}

#[test]
fn packets_of_different_types_are_sent_as_a_tuple() {
    let nodes = line(2);
    nodes[0].send(("job", 7.to_string(), vec![0_u8, 255])).expect("sent");
    assert_eq!(recv(&nodes[1]).payload(), [&b"job"[..], b"7", b"\x00\xff"]);
    close_all(&nodes);
}

#[test]
fn kinds_that_print_alike_compare_alike_and_names_are_not_kinds() {
    let nodes = line(2);
    nodes[0].whisper("hello").expect("sent");
    let kind = recv(&nodes[1]).kind();
    assert_eq!(format!("{kind:?}"), "b'whisper'");
    assert!(kind == "whisper" && kind == Kind::WHISPER && kind == b"\x02" && kind != b"whisper");
    for name in ["broadcast", "whisper", "handshake", "peers", "compression", "retrieve"] {
        let kind = Kind::new(name);
        assert_ne!(format!("{kind:?}"), format!("b'{name}'"), "not the standard kind");
        assert!(kind != name && kind == *name.as_bytes() && kind.is_reserved());
        let error = nodes[0].send_with(SendOptions::new().kind(kind), "never").unwrap_err();
        let text = error.to_string();
        assert!(matches!(error, Error::ReservedKind { .. }));
        assert!(text.contains(&format!("Kind::{}", name.to_uppercase())), "{text}");
    }
    let own = Kind::new("tx_relay");
    assert!(own == "tx_relay" && format!("{own:?}") == "b'tx_relay'");
    close_all(&nodes);
}

#[test]
fn a_flag_made_of_the_byte_of_another_one_is_that_flag() {
    let nodes = line(3);
    let options = SendOptions::new().flag(Flag::Other(0));
    nodes[0].send_with(options, "for all").expect("sent");
    assert_eq!(recv_text(&nodes[2]), ["for all"], "a broadcast");
    let options = SendOptions::new().flag(Flag::Other(3));
    assert!(matches!(nodes[0].send_with(options, "no"), Err(Error::ReservedFlag)));
    close_all(&nodes);
}

#[test]
fn a_connection_speaks_to_one_peer() {
    let nodes = line(3);
    let left = nodes[1].peer(&nodes[0].id()).expect("a peer");
    left.send("for you alone").expect("sent");
    left.send_with(SendOptions::new().kind(Kind::new("private")), "with a kind").expect("sent");
    nodes[1].send("for all").expect("sent");
    assert_eq!(recv_text(&nodes[0]), ["for you alone"]);
    assert_eq!(recv_text(&nodes[0]), ["for all"]);
    assert_eq!(recv_text(&nodes[2]), ["for all"]);
    left.disconnect().expect("a peer");
    assert!(matches!(left.send("gone"), Err(Error::UnknownPeer { .. })));
    close_all(&nodes);
}
