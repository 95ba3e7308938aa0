//! Full speed in all directions: it ends, nothing is lost, nothing comes twice.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rs2p::{Cause, Connection, MeshSocket, Message};

use super::support::*;

/// How long nodes send at full speed.
fn duration() -> Duration {
    Duration::from_secs(if is_long() { 30 } else { 1 })
}

/// All nodes send to all at full speed; whatever one sent, each other one gets, once.
fn storm(nodes: &[MeshSocket], payload: impl Fn(u64) -> usize + Sync) {
    // A full queue drops its oldest messages if nobody has asked to receive yet, and on a busy machine
    // the threads below may ask too late.
    assert!(nodes.iter().all(|node| node.try_recv().is_err()));
    let done = AtomicBool::new(false);
    let sent: Vec<AtomicU64> = nodes.iter().map(|_| AtomicU64::new(0)).collect();
    let senders_left = AtomicU64::new(nodes.len() as u64);
    std::thread::scope(|scope| {
        for (n, node) in nodes.iter().enumerate() {
            let (done, sent, payload, left) = (&done, &sent, &payload, &senders_left);
            scope.spawn(move || {
                while !done.load(Ordering::Relaxed) {
                    let number = sent[n].fetch_add(1, Ordering::Relaxed);
                    let padding = vec![n as u8; payload(number)];
                    let packets = [format!("{n}/{number}").into_bytes(), padding];
                    node.send(packets).expect("a healthy mesh takes everything");
                }
                left.fetch_sub(1, Ordering::Release);
            });
        }
        for (n, node) in nodes.iter().enumerate() {
            let (sent, left) = (&sent, &senders_left);
            scope.spawn(move || receive_all(n, node, sent, left));
        }
        let_pass(duration());
        done.store(true, Ordering::Relaxed);
    });
    for node in nodes {
        assert_eq!((node.stats().left, node.stats().dropped), (0, 0), "{}", node.status());
    }
}

/// Receives until all that the others sent is here; each exactly once.
fn receive_all(me: usize, node: &MeshSocket, sent: &[AtomicU64], senders_left: &AtomicU64) {
    let mut received = std::collections::HashSet::new();
    let others = || {
        let others = sent.iter().enumerate().filter(|&(n, _)| n != me);
        others.map(|(_, count)| count.load(Ordering::Acquire)).sum::<u64>()
    };
    let mut quiet_since = Instant::now();
    loop {
        match node.recv_timeout(Duration::from_millis(100)) {
            Ok(message) => {
                assert!(
                    received.insert(message[1].to_vec()),
                    "{} came twice",
                    message[1].to_text()
                );
                quiet_since = Instant::now();
            }
            Err(error) => {
                let stuck = quiet_since.elapsed() > PATIENCE;
                let (all, stats, status) = (others(), node.stats(), node.status());
                assert!(!stuck, "{error}: {} of {all}\n{stats}\n{status}", received.len());
            }
        }
        if senders_left.load(Ordering::Acquire) == 0 && received.len() as u64 == others() {
            return;
        }
    }
}

fn mesh(count: usize) -> Vec<MeshSocket> {
    let nodes: Vec<MeshSocket> = (0..count).map(|_| bind_fixed()).collect();
    for (n, node) in nodes.iter().enumerate() {
        nodes[..n].iter().for_each(|other| connect(node, other));
    }
    nodes
}

#[test]
fn a_pair_at_full_speed() {
    let nodes = mesh(2);
    storm(&nodes, |_| 100);
    close_all(&nodes);
}

#[test]
fn a_triangle_at_full_speed() {
    let nodes = mesh(3);
    storm(&nodes, |_| 100);
    close_all(&nodes);
}

#[test]
fn a_pair_with_huge_frames_among_small_ones() {
    let nodes = mesh(2);
    storm(&nodes, |n| if n % 50 == 0 { (16 << 20) - 1000 } else { 100 });
    close_all(&nodes);
}

#[test]
fn a_triangle_with_huge_frames_among_small_ones() {
    let nodes = mesh(3);
    storm(&nodes, |n| if n % 50 == 0 { (16 << 20) - 1000 } else { 100 });
    close_all(&nodes);
}

#[test]
fn small_bounds_slow_a_ring_down_and_lose_nothing() {
    let small = || {
        let settings = builder().max_outgoing(0).outbound(256 << 10).link_credit(32 << 10);
        bind_with(settings.max_frame(16 << 10).queue_bytes(64 << 10).queue_messages(64))
    };
    let nodes: Vec<MeshSocket> = (0..4).map(|_| small()).collect();
    for n in 0..4 {
        connect(&nodes[n], &nodes[(n + 1) % 4]);
    }
    storm(&nodes, |n| (n % 30) as usize * 500);
    close_all(&nodes);
}

#[test]
fn a_peer_that_reads_nothing_is_closed_with_its_cause_and_others_lose_nothing() {
    // With a floor the deaf one could be left behind before anything waits for it, and stay linked.
    let quick = builder().max_outgoing(0).outbound(1 << 20).pace_floor_bytes(0);
    let timeouts =
        quick.stall_timeout(Duration::from_millis(1500)).stall_timeout_py2p(Duration::from_secs(3));
    let hub = bind_with(timeouts);
    let (deaf, honest) = (bind_fixed(), bind_fixed());
    connect(&deaf, &hub);
    connect(&honest, &hub);
    let (release, gate) = crossbeam_channel::bounded::<()>(0);
    deaf.register_handler(move |_: &Message, _: &Connection| {
        // Ends when the test drops its side: until then its credit is used up.
        let _ = gate.recv();
    });
    let count = 200;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0..count {
                let packets = [n.to_string().into_bytes(), vec![0; 100_000]];
                hub.send(packets).expect("waits for the deaf one, then goes on without it");
            }
        });
        assert_eq!(recv_counted(&honest, count).len(), count);
    });
    let cause = wait_left(&hub, deaf.id());
    assert!(matches!(cause, Cause::Stalled), "{cause}");
    assert!(hub.status().to_string().contains("took nothing"), "{}", hub.status());
    drop(release);
    close_all(&[hub, honest, deaf]);
}
