//! Sending without blocking: at once, for a given time, and until all is written.

use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, bounded};
use rs2p::{Connection, Error, MeshSocket, Message, SendOptions};

use super::support::*;

const SHORT: Duration = Duration::from_millis(100);

/// A sender, and a peer that reads nothing until the gate is dropped. A few messages may wait for it
/// however slow it is: these are larger than all buffers of the system. The sender waits for every peer.
fn pair_with_a_gate() -> (MeshSocket, MeshSocket, Sender<()>) {
    let a = bind_with(builder().max_outgoing(0).pace_floor_bytes(0));
    let b = bind_with(builder().max_outgoing(0).outbound(256 << 10).link_credit(64 << 10));
    let (gate, closed) = bounded::<()>(0);
    b.register_handler(move |_: &Message, _: &Connection| {
        // Ends when the test drops its side.
        let _ = closed.recv();
    });
    connect(&a, &b);
    (a, b, gate)
}

fn numbered(number: usize) -> [Vec<u8>; 2] {
    [number.to_string().into_bytes(), vec![0; 1 << 20]]
}

/// Sends until nothing moves any more, the buffers of the system full as well; how many messages
/// were taken. One send that fails proves little: on a busy machine the thread that writes or the
/// one that reads may not have run meanwhile.
fn fill(a: &MeshSocket) -> usize {
    let (mut taken, mut refused) = (0, 0);
    while refused < 5 {
        if a.send_timeout(numbered(taken), 5 * SHORT).is_ok() {
            (taken, refused) = (taken + 1, 0);
        } else {
            refused += 1;
        }
    }
    taken
}

#[test]
fn a_full_queue_gives_the_packets_back_instead_of_blocking() {
    let (a, b, gate) = pair_with_a_gate();
    let taken = fill(&a);
    let unsent = a.try_send(numbered(taken)).expect_err("full");
    assert!(unsent.is_full(), "{unsent}");
    assert!(matches!(unsent.error(), Error::Full { peer } if **peer == b.id()));
    assert_eq!(unsent.into_packets(), numbered(taken), "as they were given");
    let to_b = a.peer(&b.id()).expect("a peer");
    assert!(to_b.queued() >= 1 << 20, "{}", to_b.queued());
    let unsent = to_b.try_send(("for", "you")).expect_err("full");
    assert!(unsent.is_full() && unsent.into_packets() == ["for", "you"]);
    drop(gate);
    let received: Vec<_> = (0..taken).map(|_| recv(&b)[1].to_text().into_owned()).collect();
    assert!(received.into_iter().eq((0..taken).map(|n| n.to_string())), "what was taken arrives");
    a.send_timeout("room again", PATIENCE).expect("sent");
    assert_eq!(recv_text(&b), ["room again"]);
    close_all(&[a, b]);
}

#[test]
fn a_send_waits_for_as_long_as_it_was_told() {
    let (a, b, gate) = pair_with_a_gate();
    fill(&a);
    let to_b = a.peer(&b.id()).expect("a peer");
    let options = || SendOptions::new().timeout(SHORT);
    let waits: [&dyn Fn() -> Option<Error>; 4] = [
        &|| a.send_timeout("late", SHORT).err().map(Error::from),
        &|| a.send_with(options(), "late").err(),
        &|| to_b.send_with(options(), "late").err(),
        &|| to_b.send_or_return(options(), "late").err().map(Error::from),
    ];
    for wait in waits {
        let begun = Instant::now();
        assert!(matches!(wait(), Some(Error::Full { .. })));
        assert!(begun.elapsed() >= SHORT);
    }
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| a.send_timeout("in time", PATIENCE));
        drop(gate);
        assert_eq!(waiting.join().expect("no panic").expect("sent").peers(), 1);
    });
    close_all(&[a, b]);
}

#[test]
fn flush_returns_when_what_was_queued_is_written() {
    let (a, b, gate) = pair_with_a_gate();
    a.flush(PATIENCE).expect("nothing is queued");
    let taken = fill(&a);
    assert!(matches!(a.flush(SHORT), Err(Error::TimedOut)), "the peer takes nothing");
    std::thread::scope(|scope| {
        let flushing = scope.spawn(|| a.flush(PATIENCE));
        drop(gate);
        flushing.join().expect("no panic").expect("written");
    });
    assert_eq!(a.peer(&b.id()).expect("a peer").queued(), 0);
    assert_eq!(recv_counted(&b, taken).len(), taken);
    close_all(&[a, b]);
}

#[test]
fn flush_does_not_wait_for_a_link_that_ended() {
    let (a, b, gate) = pair_with_a_gate();
    fill(&a);
    std::thread::scope(|scope| {
        let flushing = scope.spawn(|| a.flush(PATIENCE));
        a.disconnect(&b.id()).expect("a peer");
        flushing.join().expect("no panic").expect("nothing is left to be written");
    });
    drop(gate);
    close_all(&[a, b]);
}

#[test]
fn flush_inside_a_handler_says_that_it_would_deadlock() {
    let nodes = line(2);
    let (sender, outcome) = bounded(1);
    nodes[1].register_handler(move |msg: &Message, _: &Connection| {
        let flushed = msg.server().expect("alive").flush(PATIENCE);
        sender.send(matches!(flushed, Err(Error::WouldDeadlock))).expect("the test listens");
    });
    nodes[0].send("go").expect("sent");
    assert!(outcome.recv_timeout(PATIENCE).expect("the handler ran"));
    close_all(&nodes);
}

#[test]
fn a_program_that_sends_more_than_ids_can_be_remembered_waits_and_loses_nothing() {
    let [a, b, c] = [(); 3].map(|()| bind_with(builder().max_outgoing(0).seen_ids(400)));
    connect(&a, &b);
    connect(&b, &c);
    // The limit is three quarters of 400 in 5 s. On a slow machine it takes more messages to get there.
    let is_too_fast = |number: &u32| match a.try_send(number.to_string()) {
        Ok(_) => false,
        Err(unsent) if matches!(unsent.error(), Error::TooFast) => unsent.is_full(),
        Err(unsent) => a.send(unsent.into_packets()).is_err(),
    };
    let reached = (0..10_000).find(is_too_fast).expect("a limit");
    assert!(reached >= 300, "{reached}");
    let total = reached + 150;
    for number in reached..total {
        a.send(number.to_string()).expect("sent after a while");
    }
    for node in [&b, &c] {
        let heard: Vec<String> = (0..total).map(|_| recv(node)[1].to_text().into_owned()).collect();
        assert!(heard.into_iter().eq((0..total).map(|n| n.to_string())), "each once, in order");
        assert_eq!(node.stats().refused(), 0, "{}", node.stats());
    }
    close_all(&[a, b, c]);
}
