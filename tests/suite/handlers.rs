//! Handlers: the chain, its verdicts, panics, and every call from inside one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::bounded;
use rs2p::error::{RecvError, RecvTimeoutError};
use rs2p::{Cause, Connection, Error, Kind, Message, Routed, SendOptions};

use super::support::*;

#[test]
fn the_chain_runs_in_order_and_stops_at_the_first_true() {
    let nodes = line(2);
    let (sender, order) = bounded(16);
    for (name, keeps) in [("first", false), ("second", true), ("third", false)] {
        let sender = sender.clone();
        nodes[1].register_handler(move |_: &Message, _: &Connection| {
            sender.send(name).expect("the test listens");
            keeps
        });
    }
    nodes[0].send("for the handlers").expect("sent");
    assert_eq!(order.recv_timeout(PATIENCE), Ok("first"));
    assert_eq!(order.recv_timeout(PATIENCE), Ok("second"));
    nodes[0].send("fence").expect("sent");
    assert_eq!(order.recv_timeout(PATIENCE), Ok("first"), "the third one never saw it");
    assert_eq!(order.recv_timeout(PATIENCE), Ok("second"));
    nodes[1].close().expect("closed");
    assert_eq!(nodes[1].stats().handled, 2);
    assert_eq!(nodes[1].recv().map(|_| ()), Err(RecvError::Closed), "nor did recv");
    close_all(&nodes);
}

#[test]
fn a_handler_that_returns_nothing_lets_the_message_pass() {
    let nodes = line(2);
    let (sender, seen) = bounded(1);
    nodes[1].register_handler(move |msg: &Message, conn: &Connection| {
        sender.send((msg.sender(), conn.id(), conn.is_outgoing())).expect("the test listens");
    });
    nodes[0].send("hello").expect("sent");
    assert_eq!(recv_text(&nodes[1]), ["hello"]);
    assert_eq!(seen.recv_timeout(PATIENCE), Ok((nodes[0].id(), nodes[0].id(), false)));
    close_all(&nodes);
}

#[test]
fn kinds_of_ones_own_reach_handlers_everywhere_and_recv_nowhere() {
    let nodes = line(3);
    let (sender, seen) = bounded(4);
    for node in &nodes[1..] {
        let sender = sender.clone();
        node.register_handler(move |msg: &Message, _: &Connection| {
            if msg[0] == b"tx_relay" {
                sender.send(msg[1].to_text().into_owned()).expect("the test listens");
            }
        });
    }
    let tx = SendOptions::new().kind(Kind::new("tx_relay"));
    nodes[0].send_with(tx, "a transaction").expect("sent");
    nodes[0].send("fence").expect("sent");
    for node in &nodes[1..] {
        assert_eq!(seen.recv_timeout(PATIENCE).as_deref(), Ok("a transaction"));
        assert_eq!(recv_text(node), ["fence"]);
    }
    close_all(&nodes);
}

#[test]
fn an_unregistered_handler_is_called_no_more() {
    let nodes = line(2);
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let registration = nodes[1].register_handler(move |_: &Message, _: &Connection| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    nodes[0].send("one").expect("sent");
    recv(&nodes[1]);
    assert!(registration.unregister());
    assert!(!registration.unregister());
    nodes[0].send("two").expect("sent");
    recv(&nodes[1]);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    close_all(&nodes);
}

#[test]
fn a_panicking_handler_hurts_nobody() {
    let nodes = line(3);
    nodes[1].register_handler(|msg: &Message, _: &Connection| {
        assert!(msg[1] != b"poison", "the handler chokes on {:?}", msg[1]);
    });
    nodes[0].send("poison").expect("sent");
    nodes[0].send("honey").expect("sent");
    for node in &nodes[1..] {
        assert_eq!(recv_text(node), ["poison"], "the chain went on");
        assert_eq!(recv_text(node), ["honey"]);
    }
    assert!(nodes[1].peer(&nodes[0].id()).is_some(), "the peer stays");
    assert_eq!(nodes[1].stats().panics, 1);
    let status = nodes[1].status();
    assert!(status.to_string().contains("the handler chokes on b'poison'"), "{status}");
    assert!(nodes[0].status().is_nominal());
    close_all(&nodes);
}

#[test]
fn every_call_is_safe_inside_a_handler() {
    let nodes = line(2);
    let (stranger, lost) = (bind_fixed(), bind_fixed());
    let (sender, done) = bounded(1);
    let (there, gone) = (stranger.local_addr(), lost.id());
    nodes[1].register_handler(move |msg: &Message, conn: &Connection| {
        let me = msg.server().expect("alive");
        assert_eq!(me.recv().map(|_| ()), Err(RecvError::WouldDeadlock));
        let timeout = me.recv_timeout(PATIENCE).map(|_| ());
        assert_eq!(timeout, Err(RecvTimeoutError::WouldDeadlock));
        assert!(me.try_recv().is_err() && me.recv_many(5).expect("open").is_empty());
        assert!(matches!(me.wait_for_peers(9, PATIENCE), Err(Error::WouldDeadlock)));
        me.wait_for_peers(1, PATIENCE).expect("there is one");
        me.send("from inside").expect("sent");
        me.whisper("from inside").expect("sent");
        msg.reply("from inside").expect("sent").wait(PATIENCE).expect("a peer");
        conn.send("from inside").expect("sent");
        let Routed::Pending(ticket) = me.send_to(&gone, "hello?").expect("routing") else {
            panic!("not a peer")
        };
        assert!(matches!(ticket.wait(PATIENCE), Err(Error::WouldDeadlock)));
        assert_eq!(me.connect(there).expect("connect works inside").addr(), there.to_string());
        assert!(matches!(
            me.connect(me.local_addr()),
            Err(Error::Connect { cause: Cause::OwnAddress, .. })
        ));
        let inner = me.register_handler(|_: &Message, _: &Connection| true);
        assert!(inner.unregister());
        let _ = (me.stats(), me.status(), me.routing_table(), me.events(), me.receiver());
        me.request_peers().expect("open");
        assert_eq!(me.iter().count(), 0);
        assert!(matches!(me.close(), Err(Error::WouldDeadlock)), "closing has begun");
        sender.send(()).expect("the test listens");
        true
    });
    nodes[0].send("go").expect("sent");
    done.recv_timeout(PATIENCE).expect("the handler came to its end");
    assert_eq!(nodes[1].close().expect("closed").left_behind, Vec::<String>::new());
    close_all(&[nodes[0].clone(), stranger, lost]);
}

#[test]
fn recv_inside_a_handler_always_gives_the_same_answer() {
    let nodes = line(2);
    let (sender, answers) = bounded(2);
    nodes[1].register_handler(move |msg: &Message, _: &Connection| {
        let me = msg.server().expect("alive");
        let answer = (me.recv().map(|_| ()), me.recv_timeout(PATIENCE).map(|_| ()));
        sender.send((answer, me.iter().count())).expect("the test listens");
    });
    // When the second one is handled, the first one waits for `recv`.
    nodes[0].send("first").expect("sent");
    nodes[0].send("second").expect("sent");
    let deadlock = (Err(RecvError::WouldDeadlock), Err(RecvTimeoutError::WouldDeadlock));
    for _ in 0..2 {
        let answer = answers.recv_timeout(PATIENCE).expect("the handler ran");
        assert_eq!(answer, (deadlock, 0));
    }
    assert_eq!(recv_text(&nodes[1]), ["first"], "nothing was taken from the main thread");
    assert_eq!(recv_text(&nodes[1]), ["second"]);
    close_all(&nodes);
}

#[test]
fn a_slow_handler_loses_nothing_and_costs_no_link() {
    // They wait for every peer, also on a machine that is too busy for a peer to keep to the floor.
    let patient = || bind_with(builder().max_outgoing(0).pace_floor_bytes(0));
    let nodes: Vec<_> = (0..3).map(|_| patient()).collect();
    nodes.windows(2).for_each(|pair| connect(&pair[0], &pair[1]));
    let (sender, begun) = bounded(1);
    let (release, gate) = bounded::<()>(0);
    let once = AtomicUsize::new(0);
    nodes[1].register_handler(move |_: &Message, _: &Connection| {
        if once.fetch_add(1, Ordering::SeqCst) == 0 {
            sender.send(()).expect("the test listens");
            // Ends when the test drops its side.
            let _ = gate.recv();
        }
    });
    // More than may wait for a program that stands still.
    let count = 5000;
    let sent = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..count {
                nodes[0].send([n.to_string().into_bytes(), vec![0; 8000]]).expect("sent");
                sent.fetch_add(1, Ordering::SeqCst);
            }
        });
        begun.recv_timeout(PATIENCE).expect("the handler runs");
        assert!(nodes[2].recv_timeout(PATIENCE).is_ok(), "relayed before");
        // The sender finds no room for a second: the handler is waited for.
        let mut before = usize::MAX;
        while before != sent.load(Ordering::SeqCst) {
            before = sent.load(Ordering::SeqCst);
            let_pass(Duration::from_secs(1));
        }
        assert!(before < count, "all were sent although the handler stands");
        drop(release);
        for node in &nodes[1..] {
            let left = count - usize::from(node.id() == nodes[2].id());
            let counts = recv_counted(node, left);
            assert!(counts.values().all(|&count| count == 1));
        }
    });
    assert_eq!(nodes.iter().map(|node| node.stats().left).sum::<u64>(), 0);
    close_all(&nodes);
}
