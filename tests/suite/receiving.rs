//! Receiving: waiting, with a timeout, not at all, in batches, by iterator, by channel.

use std::time::{Duration, Instant};

use rs2p::error::{RecvError, RecvTimeoutError, TryRecvError};
use rs2p::report::Loss;
use rs2p::{MeshEvent, Overflow, Trouble};

use super::support::*;

#[test]
fn every_way_of_receiving_hands_out_each_message_once() {
    let nodes = line(2);
    let (a, b) = (&nodes[0], &nodes[1]);
    assert_eq!(b.try_recv().map(|_| ()), Err(TryRecvError::Empty));
    assert!(b.recv_many(10).expect("open").is_empty());
    for n in 0..8 {
        a.send(n.to_string()).expect("sent");
    }
    a.send("last").expect("sent");
    let text = |msg: rs2p::Message| msg[1].to_text().into_owned();
    assert_eq!(text(b.recv().expect("0")), "0");
    assert_eq!(text(b.recv_timeout(PATIENCE).expect("1")), "1");
    assert_eq!(text(b.iter().next().expect("2")), "2");
    assert_eq!(text(b.receiver().recv_timeout(PATIENCE).expect("3")), "3");
    assert_eq!(text(recv(b)), "4");
    let mut batch = Vec::new();
    while batch.len() < 4 {
        // Blocks until there is one, then takes what is there.
        batch.push(text(recv(b)));
        batch.extend(b.recv_many(4 - batch.len()).expect("open").into_iter().map(text));
    }
    assert_eq!(batch, ["5", "6", "7", "last"]);
    assert!(b.recv_many(0).expect("open").is_empty());
    close_all(&nodes);
}

#[test]
fn a_timeout_is_kept() {
    let a = bind();
    let begun = Instant::now();
    let wait = Duration::from_millis(50);
    assert_eq!(a.recv_timeout(wait).map(|_| ()), Err(RecvTimeoutError::Timeout));
    assert!(begun.elapsed() >= wait);
    assert_eq!(a.recv_timeout(Duration::ZERO).map(|_| ()), Err(RecvTimeoutError::Timeout));
    close_all(&[a]);
}

#[test]
fn after_close_what_is_queued_is_still_handed_out() {
    let nodes = line(2);
    for n in 0..3 {
        nodes[0].send(n.to_string()).expect("sent");
    }
    assert_eq!(recv_text(&nodes[1]), ["0"]);
    wait_until("both are queued", || nodes[1].stats().waiting == 2);
    nodes[1].close().expect("closed");
    assert_eq!(nodes[1].recv().expect("1")[1], b"1");
    assert_eq!(nodes[1].try_recv().expect("2")[1], b"2");
    assert_eq!(nodes[1].recv().map(|_| ()), Err(RecvError::Closed));
    assert_eq!(nodes[1].try_recv().map(|_| ()), Err(TryRecvError::Closed));
    assert_eq!(nodes[1].recv_many(3).map(|_| ()), Err(RecvError::Closed));
    assert_eq!(nodes[1].iter().count(), 0);
    assert!(nodes[1].receiver().recv().is_err());
    close_all(&nodes);
}

#[test]
fn who_never_receives_loses_the_oldest_and_is_told() {
    let (a, b) = (
        bind_fixed(),
        bind_with(builder().max_outgoing(0).queue_bytes(1 << 30).queue_messages(10)),
    );
    connect(&a, &b);
    for n in 0..100 {
        a.send(n.to_string()).expect("sent");
    }
    let mut dropped = 0;
    while dropped < 90 {
        dropped += wait_for(&b, |event| match event {
            MeshEvent::Lagged { dropped, .. } => Some(*dropped),
            _ => None,
        });
    }
    assert_eq!(dropped, 90);
    assert_eq!(recv_text(&b), ["90"], "the latest are kept");
    // One entry, however often it was told, and it says what to do.
    let status = b.status();
    assert_eq!(status.troubles().len(), 1, "{status}");
    assert!(status.to_string().contains("dropped because nobody receives them; receive in a loop"));
    assert_eq!(status.current(), [Trouble::LosingMessages { how: Loss::NotReceived }]);
    close_all(&[a, b]);
}

#[test]
fn who_receives_slowly_loses_nothing() {
    let small = builder().max_outgoing(0).queue_bytes(64 << 10).queue_messages(100);
    let (a, b) = (bind_fixed(), bind_with(small));
    connect(&a, &b);
    assert_eq!(b.try_recv().map(|_| ()), Err(TryRecvError::Empty));
    let count = 3000;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..count {
                a.send([n.to_string()]).expect("sent");
            }
        });
        for n in 0..count {
            assert_eq!(recv_text(&b), [n.to_string()]);
        }
    });
    assert_eq!(b.stats().dropped, 0);
    close_all(&[a, b]);
}

#[test]
fn who_stops_receiving_is_waited_for_and_then_no_longer() {
    let patience = Duration::from_secs(1);
    let settings =
        builder().max_outgoing(0).queue_bytes(1 << 30).queue_messages(10).queue_timeout(patience);
    let (a, b) = (bind_fixed(), bind_with(settings));
    connect(&a, &b);
    assert_eq!(b.try_recv().map(|_| ()), Err(TryRecvError::Empty));
    let begun = Instant::now();
    for n in 0..50 {
        a.send(n.to_string()).expect("sent");
    }
    let mut dropped = 0;
    while dropped < 40 {
        dropped += wait_for(&b, |event| match event {
            MeshEvent::Lagged { dropped, .. } => Some(*dropped),
            _ => None,
        });
    }
    assert!(begun.elapsed() >= patience, "the first drop waited");
    assert!(begun.elapsed() < patience * 40, "the others did not wait again");
    close_all(&[a, b]);
}

#[test]
fn drop_oldest_never_waits() {
    let settings = builder()
        .max_outgoing(0)
        .queue_bytes(1 << 30)
        .queue_messages(10)
        .overflow(Overflow::DropOldest);
    let (a, b) = (bind_fixed(), bind_with(settings));
    connect(&a, &b);
    assert_eq!(b.try_recv().map(|_| ()), Err(TryRecvError::Empty));
    for n in 0..50 {
        a.send(n.to_string()).expect("sent");
    }
    a.whisper("fence").expect("sent");
    let mut last = recv_text(&b);
    while last != ["fence"] {
        last = recv_text(&b);
    }
    assert_eq!(b.stats().taken + b.stats().dropped, 51);
    close_all(&[a, b]);
}

#[test]
fn an_event_loop_is_woken_for_messages_and_for_the_end() {
    let nodes = line(2);
    let (wake, woken) = crossbeam_channel::unbounded();
    nodes[0].send("before").expect("sent");
    wait_until("it came", || nodes[1].stats().waiting == 1);
    nodes[1].notify_with(move || _ = wake.send(()));
    woken.recv_timeout(PATIENCE).expect("a message is waiting already");
    assert_eq!(nodes[1].try_recv().expect("it is")[1], b"before");
    let mut got = 0;
    for number in 0..100 {
        nodes[0].send(number.to_string()).expect("sent");
    }
    while got < 100 {
        woken.recv_timeout(PATIENCE).expect("woken for the others");
        while nodes[1].try_recv().is_ok() {
            got += 1;
        }
    }
    let tea = nodes[1].subscribe("tea").expect("open");
    let (wake, woken_for_tea) = crossbeam_channel::unbounded();
    tea.notify_with(move || _ = wake.send(()));
    nodes[0].send_with(rs2p::SendOptions::new().kind("tea"), "3.50").expect("sent");
    woken_for_tea.recv_timeout(PATIENCE).expect("woken");
    tea.try_recv().expect("a message");
    while woken.try_recv().is_ok() {}
    nodes[1].close().expect("closed");
    woken.recv_timeout(PATIENCE).expect("woken for the end");
    close_all(&nodes[..1]);
}
