//! Many threads on one socket: no loss, no duplicate.

use std::collections::BTreeSet;
use std::sync::Mutex;

use super::support::*;

#[test]
fn sixteen_threads_send_and_receive_at_once() {
    let nodes = line(3);
    let (threads, each) = (16, 250);
    let total = threads * each;
    let received = [Mutex::new(BTreeSet::new()), Mutex::new(BTreeSet::new())];
    std::thread::scope(|scope| {
        for thread in 0..threads {
            let sender = nodes[1].clone();
            scope.spawn(move || {
                for n in 0..each {
                    sender.send(format!("{thread}/{n}")).expect("sent");
                }
            });
        }
        for (node, received) in [&nodes[0], &nodes[2]].into_iter().zip(&received) {
            for _ in 0..threads {
                scope.spawn(move || {
                    for _ in 0..total / threads {
                        let text = recv_text(node).remove(0);
                        assert!(received.lock().expect("no panic").insert(text), "a duplicate");
                    }
                });
            }
        }
    });
    for received in received {
        assert_eq!(received.into_inner().expect("no panic").len(), total);
    }
    assert!(nodes.iter().all(|node| node.try_recv().is_err()));
    close_all(&nodes);
}

#[test]
fn equal_messages_from_many_threads_are_all_delivered() {
    let nodes = line(2);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..5 {
                    nodes[0].send("same").expect("sent");
                }
            });
        }
    });
    let counts = recv_counted(&nodes[1], 40);
    assert_eq!(counts[&b"same".to_vec()], 40);
    close_all(&nodes);
}
