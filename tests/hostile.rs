//! Strangers and bad luck: what they must not cost a node. Plain TCP, no py2p needed.

mod support;

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use crossbeam_channel::bounded;
use rs2p::report::Refusal;
use rs2p::{Cause, Connection, MeshEvent, MeshSocket, Message};

use support::raw::{self, BROADCAST, HANDSHAKE, PEERS, Raw, WHISPER};
use support::{PATIENCE, wait_for, wait_until};

fn bind() -> MeshSocket {
    MeshSocket::builder().max_outgoing(0).bind(("127.0.0.1", 0)).expect("a port")
}

fn link(node: &MeshSocket) -> Raw {
    Raw::link(node.local_addr(), node.protocol().id(), Instant::now() + PATIENCE)
}

/// Waits until a refusal was counted: a fence message behind it has arrived by then.
fn refused_before_fence(node: &MeshSocket, raw: &mut Raw, reason: Refusal) -> u64 {
    raw.say(WHISPER, &[&[2], b"fence"]);
    assert_eq!(node.recv_timeout(PATIENCE).expect("the fence")[1], b"fence");
    node.stats().refused_for(reason)
}

#[test]
fn what_a_stranger_says_before_shaking_hands_reaches_nobody() {
    let node = bind();
    let mut raw = Raw::connect(node.local_addr());
    raw.say(BROADCAST, &[&[0], b"spam"]);
    raw.shake_hands(node.protocol().id());
    assert_eq!(refused_before_fence(&node, &mut raw, Refusal::Stranger), 1);
    node.close().expect("closed");
}

#[test]
fn what_only_neighbours_may_say_to_each_other_is_not_relayed() {
    let (node, honest) = (bind(), bind());
    honest.connect(node.local_addr()).expect("a link");
    let mut raw = link(&node);
    raw.say(BROADCAST, &[PEERS, b"junk"]);
    raw.say(BROADCAST, &[HANDSHAKE, b"someone"]);
    raw.say(BROADCAST, &[b"rs2p", b"[]"]);
    assert_eq!(refused_before_fence(&node, &mut raw, Refusal::NotForAll), 3);
    assert_eq!(node.stats().relay_frames, 0);
    node.close().expect("closed");
    honest.close().expect("closed");
}

#[test]
fn a_whisper_in_somebody_elses_name_is_refused() {
    let (node, honest) = (bind(), bind());
    honest.connect(node.local_addr()).expect("a link");
    let mut raw = link(&node);
    raw.say_as(honest.id().as_str(), WHISPER, &[&[2], b"trust me"]);
    assert_eq!(refused_before_fence(&node, &mut raw, Refusal::ForeignWhisper), 1);
    node.close().expect("closed");
    honest.close().expect("closed");
}

#[test]
fn a_frame_beyond_the_limit_is_refused_before_it_is_allocated() {
    let node = bind();
    let mut raw = link(&node);
    raw.send(&u32::MAX.to_be_bytes());
    let cause = wait_for(&node, |event| match event {
        MeshEvent::Left { cause, .. } => Some(cause.clone()),
        _ => None,
    });
    assert!(matches!(cause, Cause::TooLarge { len: 0xffff_ffff, .. }), "{cause}");
    assert_eq!(node.stats().refused_for(Refusal::TooLarge), 1);
    node.close().expect("closed");
}

#[test]
fn what_came_before_a_frame_beyond_the_limit_is_delivered() {
    let node = bind();
    let mut raw = link(&node);
    let words = raw::message(&raw.id().to_string(), WHISPER, &[&[2], b"last words"]);
    raw.send(&[&words[..], &u32::MAX.to_be_bytes()].concat());
    assert_eq!(node.recv_timeout(PATIENCE).expect("it was whole")[1], b"last words");
    node.close().expect("closed");
}

#[test]
fn an_unfinished_frame_ends_its_link() {
    let builder = MeshSocket::builder().frame_timeout(Duration::from_millis(200));
    let node = builder.bind(("127.0.0.1", 0)).expect("a port");
    let mut raw = link(&node);
    raw.send(&[0, 0, 1, 0, 7]);
    let cause = wait_for(&node, |event| match event {
        MeshEvent::Left { cause, .. } => Some(cause.clone()),
        _ => None,
    });
    assert!(matches!(cause, Cause::UnfinishedFrame), "{cause}");
    node.close().expect("closed");
}

#[test]
fn unreadable_frames_are_asked_for_once_and_then_end_the_link() {
    let node = bind();
    let mut raw = link(&node);
    raw.send(&[0, 0, 0, 1, 9]);
    raw.send(&[0, 0, 0, 1, 9]);
    let deadline = Instant::now() + PATIENCE;
    let mut asked = 0;
    while let Some(message) = raw.next(deadline) {
        asked += usize::from(message.main == raw::RENEGOTIATE && message.payload[0] == raw::RESEND);
    }
    assert_eq!(asked, 1);
    assert_eq!(node.stats().refused_for(Refusal::Unparsable), 2);
    node.close().expect("closed");
}

#[cfg(target_os = "linux")]
#[test]
fn strangers_who_come_and_go_leave_no_threads_behind_a_busy_handler() {
    let (node, honest) = (bind(), bind());
    honest.connect(node.local_addr()).expect("a link");
    let (entered, inside) = bounded(1);
    let (release, gate) = bounded::<()>(0);
    node.register_handler(move |_: &Message, _: &Connection| {
        entered.send(()).expect("the test listens");
        // Ends when the test drops its side.
        let _ = gate.recv();
    });
    honest.send("stay in the handler").expect("sent");
    inside.recv_timeout(PATIENCE).expect("in the handler");
    for _ in 0..500 {
        let mut stranger = TcpStream::connect(node.local_addr()).expect("it listens");
        // The node may have closed it already: it is only a stranger.
        let _ = std::io::Write::write_all(&mut stranger, b"GET / HTTP/1.1\r\n\r\n");
    }
    let threads = || std::fs::read_dir("/proc/self/task").expect("procfs").count();
    wait_until("their threads end", || threads() <= 150);
    drop(release);
    node.close().expect("closed");
    honest.close().expect("closed");
}

#[test]
fn what_a_peer_sent_before_it_went_is_delivered_though_nobody_can_answer_it() {
    let patient = MeshSocket::builder().max_outgoing(0).linger(PATIENCE);
    let (going, staying) = (patient.bind(("127.0.0.1", 0)).expect("a port"), bind());
    going.connect(staying.local_addr()).expect("a link");
    let id = going.id();
    staying.register_handler(move |msg: &Message, _: &Connection| {
        // Answers everything: soon there is nobody to take it, and writing fails.
        let _ = msg.server().map(|me| me.send_to(&id, vec![0; 2000]));
        std::thread::park_timeout(Duration::from_micros(200));
    });
    for n in 0..4000 {
        going.send(format!("{n} {}", "x".repeat(1000))).expect("sent");
    }
    assert_eq!(going.close().expect("closed").unsent_frames, 0);
    for n in 0..4000 {
        let Ok(message) = staying.recv_timeout(PATIENCE) else {
            panic!("{n} of 4000\n{}\n{}", staying.stats(), staying.status())
        };
        assert!(message[1].starts_with(format!("{n} ").as_bytes()));
    }
    staying.close().expect("closed");
}

#[test]
fn a_link_that_closes_with_its_credit_spent_destroys_nothing_in_flight() {
    let settings = MeshSocket::builder().max_outgoing(0).link_credit(CREDIT);
    let node = settings.bind(("127.0.0.1", 0)).expect("a port");
    let (release, gate) = bounded::<()>(0);
    node.register_handler(move |_: &Message, _: &Connection| {
        // Ends when the test drops its side: until then no credit is given back.
        let _ = gate.recv();
    });
    let mut raw = link(&node);
    let id = raw.id();
    let (done, is_flooded) = bounded(1);
    let flood = std::thread::spawn(move || {
        (0..MORE + CREDIT / PIECE).for_each(|_| raw.say(WHISPER, &[&[2], &[0; PIECE]]));
        done.send(()).expect("the test listens");
        raw
    });
    // What the system has no room for goes once the node reads on.
    let _ = is_flooded.recv_timeout(Duration::from_secs(2));
    node.send_to(&id, vec![7; FLYING]).expect("sent");
    wait_until("it is written", || node.stats().bytes_out >= FLYING as u64);
    node.disconnect(&id).expect("linked");
    // Nobody reads on the other side until the link is gone.
    assert!(node.recv_timeout(Duration::from_millis(500)).is_err());
    let mut raw = flood.join().expect("not reset");
    let deadline = Instant::now() + PATIENCE;
    let mut messages = std::iter::from_fn(|| raw.next(deadline));
    assert!(messages.any(|message| message.payload[1].len() == FLYING), "it was in flight");
    drop(release);
    node.close().expect("closed");
}

/// Less than a system accepts for a peer that does not read.
const FLYING: usize = 200_000;

/// More than a turn reads, so that the system's buffers grow.
const CREDIT: usize = 8 << 20;
const PIECE: usize = 64 << 10;
/// Pieces beyond the credit: more than two turns discard.
const MORE: usize = 24;

#[test]
fn of_several_addresses_the_one_that_answers_is_dialled_again() {
    let dead = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
    let (node, live) = (bind(), bind());
    let addr = live.local_addr();
    let addrs: [SocketAddr; 2] = [dead, addr];
    assert_eq!(node.connect(&addrs[..]).expect("a link").id(), live.id());
    live.close().expect("closed");
    wait_for(&node, |event| matches!(event, MeshEvent::Alone).then_some(()));
    let again = MeshSocket::bind(addr).expect("the port is free");
    wait_for(&node, |event| matches!(event, MeshEvent::Healed).then_some(()));
    node.close().expect("closed");
    again.close().expect("closed");
}

#[test]
fn no_setting_overflows() {
    let for_ever = Duration::MAX;
    let node = MeshSocket::builder()
        .send_timeout(for_ever)
        .handshake_timeout(for_ever)
        .frame_timeout(for_ever)
        .request_timeout(for_ever)
        .stall_timeout(for_ever)
        .stall_timeout_py2p(for_ever)
        .queue_timeout(for_ever)
        .max_frame(usize::MAX)
        .outbound(usize::MAX)
        .link_credit(0)
        .queue_bytes(0)
        .queue_messages(0)
        .max_events(0)
        .max_status(0)
        .bind(("127.0.0.1", 0))
        .expect("a port");
    let other = bind();
    other.connect(node.local_addr()).expect("a link");
    other.send("hello").expect("sent");
    assert_eq!(node.recv_timeout(for_ever).expect("a message")[1], b"hello");
    node.send("hello").expect("sent");
    assert_eq!(other.recv_timeout(PATIENCE).expect("a message")[1], b"hello");
    node.close().expect("closed");
    other.close().expect("closed");
}

#[test]
fn health_checks_are_counted_and_are_no_events() {
    let node = bind();
    let checks = 100;
    let mut probe = None;
    for _ in 0..checks {
        let stream = TcpStream::connect(node.local_addr()).expect("a connection");
        probe = Some(stream.local_addr().expect("an address"));
    }
    // What says something that is not the protocol is an event, with its address.
    let mut web = TcpStream::connect(node.local_addr()).expect("a connection");
    web.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("sent");
    let addr = wait_for(&node, |event| match event {
        MeshEvent::TurnedAway { addr, cause: Cause::NotPy2p, .. } => Some(addr.clone()),
        event => panic!("{event:?}, {probe:?}"),
    });
    assert_eq!(addr, web.local_addr().expect("an address").to_string());
    let until = Instant::now() + PATIENCE;
    while node.stats().silent < checks {
        assert!(Instant::now() < until, "{}", node.stats());
        // Paces the loop; nothing of it is an event.
        let _ =
            node.events().recv_timeout(Duration::from_millis(5)).map(|event| panic!("{event:?}"));
    }
    assert_eq!(node.stats().turned_away, checks + 1);
    assert!(node.status().is_nominal(), "{}", node.status());
    node.close().expect("closed");
}

/// It has said nothing yet, and has been here for longer than all of them.
#[test]
fn who_connects_and_leaves_at_once_pushes_no_newcomer_out() {
    const WHO_LEAVE: usize = 800;
    let node = bind();
    let mut newcomer = Raw::connect(node.local_addr());
    let leaving: Vec<TcpStream> = (0..WHO_LEAVE)
        .map(|_| TcpStream::connect(node.local_addr()).expect("a connection"))
        .map(|stream| stream.shutdown(std::net::Shutdown::Both).map(|()| stream))
        .collect::<Result<_, _>>()
        .expect("they leave");
    wait_until("they are turned away", || node.stats().silent >= WHO_LEAVE as u64);
    assert_eq!(node.stats().silent, WHO_LEAVE as u64, "{}", node.stats());
    newcomer.shake_hands(node.protocol().id());
    assert_eq!(refused_before_fence(&node, &mut newcomer, Refusal::Stranger), 0);
    drop(leaving);
    node.close().expect("closed");
}

#[test]
fn strangers_do_not_push_out_what_peers_did() {
    let builder = MeshSocket::builder().max_outgoing(0).max_events(16).max_status(16);
    let (node, peer) = (builder.bind(("127.0.0.1", 0)).expect("a port"), bind());
    peer.connect(node.local_addr()).expect("a link");
    for _ in 0..40 {
        let mut web = TcpStream::connect(node.local_addr()).expect("a connection");
        web.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("sent");
    }
    let until = Instant::now() + PATIENCE;
    while node.stats().turned_away < 40 {
        assert!(Instant::now() < until, "{}", node.stats());
        std::thread::yield_now();
    }
    let first = node.events().try_recv().expect("an event");
    assert!(matches!(first, MeshEvent::Joined { id, .. } if id == peer.id()), "{first:?}");
    node.close().expect("closed");
    peer.close().expect("closed");
}
