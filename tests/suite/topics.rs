//! Messages of one kind go to the subscriptions to it, and to nothing else.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rs2p::error::{RecvError, TryRecvError};
use rs2p::topic::Subscription;
use rs2p::{Connection, Error, Kind, MeshSocket, Message, Overflow, SendOptions};

use super::support::*;

fn publish(node: &MeshSocket, kind: &str, text: &str) {
    node.send_with(SendOptions::new().kind(kind), text).expect("sent");
}

fn next(subscription: &Subscription) -> String {
    let message = subscription.recv_timeout(PATIENCE).expect("a message");
    assert_eq!(message.kind(), *subscription.kind());
    message[1].to_text().into_owned()
}

#[test]
fn each_subscription_gets_the_messages_of_its_kind_and_recv_gets_none() {
    let nodes = line(3);
    let (tea, coffee) = (nodes[2].subscribe("tea"), nodes[2].subscribe("coffee"));
    let (tea, coffee) = (tea.expect("open"), coffee.expect("open"));
    let again = nodes[2].subscribe("tea").expect("open");
    for (kind, text) in [("tea", "3.50"), ("coffee", "4.20"), ("milk", "1.10"), ("tea", "3.60")] {
        publish(&nodes[0], kind, text);
    }
    nodes[0].send("fence").expect("sent");
    assert_eq!(recv_text(&nodes[2]), ["fence"]);
    assert_eq!([next(&tea), next(&tea), next(&coffee)], ["3.50", "3.60", "4.20"]);
    assert_eq!(again.recv_many(9).expect("open").len(), 2);
    assert_eq!(tea.try_recv().map(|_| ()), Err(TryRecvError::Empty));
    let stats = nodes[2].stats();
    assert_eq!((stats.subscribed, stats.ignored, stats.queued), (3, 1, 1));
    assert_eq!((tea.queued(), tea.dropped(), tea.waiting()), (2, 0, 0));
    close_all(&nodes);
}

#[test]
fn a_handler_for_a_kind_gets_that_kind_and_may_keep_it() {
    let nodes = line(2);
    let tea = nodes[1].subscribe("tea").expect("open");
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    nodes[1].register_handler_for("tea", move |msg: &Message, _: &Connection| {
        counter.fetch_add(1, Ordering::SeqCst);
        msg[1] == b"keep"
    });
    publish(&nodes[0], "tea", "keep");
    publish(&nodes[0], "coffee", "keep");
    publish(&nodes[0], "tea", "pass");
    assert_eq!(next(&tea), "pass");
    assert_eq!(calls.load(Ordering::SeqCst), 2);
    close_all(&nodes);
}

#[test]
fn ordinary_messages_reach_recv_and_a_subscription_to_them() {
    let nodes = line(2);
    let all = nodes[1].subscribe(Kind::BROADCAST).expect("open");
    nodes[0].send("to both").expect("sent");
    assert_eq!(
        (next(&all).as_str(), recv_text(&nodes[1])),
        ("to both", vec!["to both".to_owned()])
    );
    close_all(&nodes);
}

#[test]
fn a_subscription_that_is_dropped_gets_no_more_and_keeps_nobody_waiting() {
    let small = || builder().max_outgoing(0).queue_messages(4).overflow(Overflow::Block);
    let nodes = [bind_with(small()), bind_with(small())];
    connect(&nodes[0], &nodes[1]);
    let tea = nodes[1].subscribe("tea").expect("open");
    for number in 0..10 {
        publish(&nodes[0], "tea", &number.to_string());
    }
    wait_until("its queue is full", || tea.waiting() == 4);
    drop(tea);
    nodes[0].send("fence").expect("sent");
    assert_eq!(recv_text(&nodes[1]), ["fence"]);
    publish(&nodes[0], "tea", "for nobody");
    nodes[0].send("fence 2").expect("sent");
    assert_eq!(recv_text(&nodes[1]), ["fence 2"]);
    assert!(nodes[1].stats().ignored >= 1);
    close_all(&nodes);
}

#[test]
fn a_subscription_that_nobody_reads_drops_its_oldest_and_says_so() {
    let small = || builder().max_outgoing(0).queue_messages(4).overflow(Overflow::DropOldest);
    let nodes = [bind_with(small()), bind_with(small())];
    connect(&nodes[0], &nodes[1]);
    let tea = nodes[1].subscribe("tea").expect("open");
    (0..10).for_each(|number| publish(&nodes[0], "tea", &number.to_string()));
    wait_until("all came", || tea.queued() == 10);
    assert_eq!((tea.dropped(), next(&tea).as_str()), (6, "6"));
    close_all(&nodes);
}

#[test]
fn a_subscription_ends_with_its_socket() {
    let nodes = line(2);
    let tea = nodes[1].subscribe("tea").expect("open");
    publish(&nodes[0], "tea", "the last one");
    wait_until("it came", || tea.waiting() == 1);
    std::thread::scope(|scope| {
        let receiving = scope.spawn(|| tea.iter().count());
        wait_until("it was taken", || tea.waiting() == 0);
        nodes[1].close().expect("closed");
        assert_eq!(receiving.join().expect("no panic"), 1);
    });
    assert_eq!(tea.recv().map(|_| ()), Err(RecvError::Closed));
    assert!(tea.receiver().recv_timeout(PATIENCE).is_err(), "the channel is disconnected");
    assert!(matches!(nodes[1].subscribe("tea"), Err(Error::Closed)));
    close_all(&nodes[..1]);
}

#[test]
fn a_kind_of_the_protocol_cannot_be_subscribed_to() {
    let sock = bind();
    for kind in [Kind::PEERS, Kind::new("whisper"), Kind::new("rs2p")] {
        assert!(matches!(sock.subscribe(kind), Err(Error::ReservedKind { .. })));
    }
    close_all(&[sock]);
}

#[test]
fn a_subscription_that_is_read_loses_nothing_though_it_is_slow() {
    let small = || builder().max_outgoing(0).queue_messages(8);
    let nodes = [bind_with(small()), bind_with(small())];
    connect(&nodes[0], &nodes[1]);
    let tea = nodes[1].subscribe("tea").expect("open");
    assert!(tea.try_recv().is_err(), "from now on it is waited for");
    std::thread::scope(|scope| {
        scope.spawn(|| (0..500).for_each(|number| publish(&nodes[0], "tea", &number.to_string())));
        for number in 0..500 {
            assert_eq!(next(&tea), number.to_string());
            if number % 50 == 0 {
                let_pass(Duration::from_millis(5));
            }
        }
    });
    assert_eq!(tea.dropped(), 0);
    close_all(&nodes);
}
