//! A py2p node that reads slowly slows its publisher down, or is closed where the builder says so.
//! In neither case is anything lost without a word.

use std::{
    thread,
    time::{Duration, Instant},
};

use rs2p::{Cause, MeshSocket, Packet};

use crate::{
    net::{Net, bind, id_of, link, promises, soon, wait_joined, wait_left},
    options::PeerOptions,
    peer::Peer,
};

promises![
    a_publisher_slows_down_to_a_py2p_that_reads_slowly,
    a_py2p_that_reads_nothing_is_closed_where_the_builder_says_so_and_comes_back,
];

/// What a slow reader rests after each message.
const REST: Duration = Duration::from_millis(5);

fn slow_reader(net: Net) -> Peer {
    Peer::start(PeerOptions { is_narrow: true, ..net.quiet() })
}

/// A number and a kilobyte that no method makes smaller.
fn message(n: u32) -> [Vec<u8>; 2] {
    let mut state = n + 1;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    };
    [n.to_string().into_bytes(), (0..1024).map(|_| noise()).collect()]
}

fn publish(from: &MeshSocket, count: u32) {
    for n in 0..count {
        from.send(message(n)).expect("waits for room");
    }
}

/// All of them, in order, once.
fn hear_all(at: &MeshSocket, count: u32) {
    for n in 0..count {
        let heard = at.recv_timeout(Duration::from_secs(60)).expect("a message");
        assert!(heard.payload() == message(n).map(Packet::from), "{n}");
    }
}

fn a_publisher_slows_down_to_a_py2p_that_reads_slowly(net: Net) {
    let count = 250;
    // It takes fewer messages a second than the default floor.
    let patient = net.builder().max_outgoing(0).outbound(32 << 10).pace_floor_bytes(0);
    let publisher = bind(patient);
    let (slow, fast) = (slow_reader(net), net.rs2p());
    link(&publisher, &slow);
    fast.connect(publisher.local_addr()).expect("a link");
    slow.slow(REST);
    let begun = Instant::now();
    let published = thread::scope(|scope| {
        let publishing = scope.spawn(|| {
            publish(&publisher, count);
            begun.elapsed()
        });
        scope.spawn(|| hear_all(&fast, count));
        for n in 0..count {
            let heard = slow.recv(Instant::now() + Duration::from_secs(20)).expect("a message");
            assert!(heard.payload() == message(n), "{n}");
        }
        publishing.join().expect("published")
    });
    let read = begun.elapsed();
    println!("published in {published:?}, read in {read:?}");
    assert!(read >= REST * count, "it does read slowly");
    // What is ahead of the reader is no more than the buffers of the system and of the node.
    assert!(published >= read / 2, "the publisher slows down");
    assert_eq!(publisher.stats().left, 0, "{}", publisher.status());
}

fn a_py2p_that_reads_nothing_is_closed_where_the_builder_says_so_and_comes_back(net: Net) {
    let count = 600;
    let impatient = net.builder().max_outgoing(0).outbound(32 << 10);
    let publisher = bind(impatient.stall_timeout_py2p(Duration::from_millis(500)));
    let (deaf, fast) = (slow_reader(net), net.rs2p());
    link(&publisher, &deaf);
    fast.connect(publisher.local_addr()).expect("a link");
    deaf.pause();
    thread::scope(|scope| {
        scope.spawn(|| publish(&publisher, count));
        hear_all(&fast, count);
    });
    let cause = wait_left(&publisher, id_of(&deaf), soon());
    assert!(matches!(cause, Cause::Stalled), "{cause}");
    assert!(publisher.status().to_string().contains("took nothing"), "{}", publisher.status());
    deaf.resume();
    wait_joined(&publisher, id_of(&deaf), soon());
    publisher.send("are you there again?").expect("sent");
    let mut heard = std::iter::from_fn(|| deaf.recv(soon()));
    assert!(heard.any(|heard| heard.payload() == [b"are you there again?"]));
}
