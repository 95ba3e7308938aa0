//! Nodes that come and go all the time cost those that stay nothing: a hundred nodes on real sockets.
//! `RS2P_LONG=1` sends 10,000 messages instead of 300.

mod support;

use std::net::SocketAddr;
use std::thread;
use std::time::Instant;

use rs2p::{Encryption, MeshSocket};
use support::{PATIENCE, assert_balanced, builder_of, is_long};

/// Nodes that are there throughout.
const STAYERS: usize = 70;
/// Nodes that are there for a while.
const GUESTS: usize = 30;
/// Threads that send and that replace guests.
const HANDS: usize = 3;
/// A guest leaves and another one comes for so many messages.
const MESSAGES_PER_GUEST: usize = 4;

fn bind() -> MeshSocket {
    builder_of("turnover", Encryption::Plaintext).bind(("127.0.0.1", 0)).expect("a free port")
}

/// A node that was told to connect to this one.
fn bind_linked(to: SocketAddr) -> MeshSocket {
    let node = bind();
    node.connect_within(to, PATIENCE).expect("a link");
    node
}

/// The nodes that stay: each but the first was told to connect to two of them. A link that the program
/// asked for is never given up, so they are one mesh whatever the guests do.
fn stayers() -> Vec<MeshSocket> {
    let mut stayers = vec![bind()];
    for number in 1..STAYERS {
        let node = bind_linked(stayers[number - 1].local_addr());
        node.connect_within(stayers[number / 2].local_addr(), PATIENCE).expect("a link");
        stayers.push(node);
    }
    stayers
}

/// Sends each message of this hand, each from another node, and replaces its guests meanwhile; how many
/// guests left.
fn send(stayers: &[MeshSocket], hand: usize, messages: usize) -> usize {
    let addr = |number: usize| stayers[number * 7 % STAYERS].local_addr();
    let mut guests: Vec<MeshSocket> =
        (0..GUESTS / HANDS).map(|number| bind_linked(addr(HANDS * number + hand))).collect();
    let mut left = 0;
    for number in (hand..messages).step_by(HANDS) {
        stayers[number % STAYERS].send(number.to_string()).expect("sent");
        if (number / HANDS).is_multiple_of(MESSAGES_PER_GUEST) {
            let at = left % guests.len();
            let old = std::mem::replace(&mut guests[at], bind_linked(addr(number)));
            // Every other one is only dropped.
            if left % 2 == 0 {
                old.close().expect("closed");
            }
            left += 1;
        }
    }
    left
}

/// How many of the messages are of this stayer.
fn sent_by(stayer: usize, messages: usize) -> usize {
    (stayer..messages).step_by(STAYERS).count()
}

/// Receives all messages of the others. None comes twice among them.
fn receive(stayers: &[MeshSocket], stayer: usize, messages: usize) {
    let mut came = vec![false; messages];
    for count in sent_by(stayer, messages)..messages {
        let Ok(message) = stayers[stayer].recv_timeout(PATIENCE) else {
            panic!("stayer {stayer} has {count} of {messages}\n{}", stayers[stayer].stats());
        };
        let number: usize = message[1].to_text().parse().expect("a number");
        assert!(!std::mem::replace(&mut came[number], true), "{number} came twice");
    }
}

#[test]
fn each_message_is_once_at_each_node_that_stays_while_others_come_and_go() {
    let messages = if is_long() { 10_000 } else { 300 };
    let stayers = &stayers()[..];
    let begun = Instant::now();
    let left: usize = thread::scope(|scope| {
        for stayer in 0..STAYERS {
            scope.spawn(move || receive(stayers, stayer, messages));
        }
        let hands: Vec<_> =
            (0..HANDS).map(|hand| scope.spawn(move || send(stayers, hand, messages))).collect();
        hands.into_iter().map(|hand| hand.join().expect("no panic")).sum()
    });
    println!("{left} nodes left, {messages} messages to {STAYERS} nodes in {:?}", begun.elapsed());
    thread::scope(|scope| {
        for stayer in stayers {
            scope.spawn(|| drop(stayer.close().expect("closed")));
        }
    });
    for (number, stayer) in stayers.iter().enumerate() {
        assert_balanced(stayer);
        let stats = stayer.stats();
        // Neither has one come since that had come before.
        assert_eq!(stats.queued as usize, messages - sent_by(number, messages), "{stats}");
        assert_eq!((stats.dropped, stats.missed), (0, 0), "{stats}");
    }
}
