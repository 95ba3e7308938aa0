//! Two nodes that dial each other at the same moment end with exactly one link, and nothing that
//! was sent meanwhile is lost.

use std::sync::Barrier;

use rs2p::MeshSocket;

use super::support::*;

fn dial_each_other(a: &MeshSocket, b: &MeshSocket) {
    let barrier = Barrier::new(2);
    std::thread::scope(|scope| {
        for (from, to) in [(a, b), (b, a)] {
            let barrier = &barrier;
            scope.spawn(move || {
                barrier.wait();
                assert_eq!(from.connect(to.local_addr()).expect("a link").id(), to.id());
                from.send(format!("to {}", to.id())).expect("sent");
            });
        }
    });
}

/// Waits until both have exactly one link to each other and none on its way.
fn wait_for_one_link(a: &MeshSocket, b: &MeshSocket) {
    let has_one = |node: &MeshSocket| node.routing_table().len() == 1 && node.links() == 1;
    wait_until("one link", || has_one(a) && has_one(b));
}

#[test]
fn every_trial_ends_with_exactly_one_usable_link() {
    for trial in 0..if is_long() { 200 } else { 30 } {
        let (a, b) = (bind(), bind());
        dial_each_other(&a, &b);
        assert_eq!(recv_text(&a), [format!("to {}", a.id())], "trial {trial}");
        assert_eq!(recv_text(&b), [format!("to {}", b.id())], "trial {trial}");
        wait_for_one_link(&a, &b);
        a.send("ping").expect("sent");
        b.send("pong").expect("sent");
        assert_eq!((recv_text(&a), recv_text(&b)), (vec!["pong".into()], vec!["ping".into()]));
        assert_eq!((a.stats().left, b.stats().left), (0, 0), "trial {trial}: no link was lost");
        close_all(&[a, b]);
    }
}

#[test]
fn a_stream_of_messages_survives_the_choice() {
    for trial in 0..if is_long() { 50 } else { 10 } {
        let (a, b) = (bind(), bind());
        let count = 500;
        std::thread::scope(|scope| {
            for (from, to) in [(&a, &b), (&b, &a)] {
                scope.spawn(move || {
                    from.connect(to.local_addr()).expect("a link");
                    for n in 0..count {
                        from.send(format!("{n} of {}", from.id())).expect("sent");
                    }
                });
            }
        });
        // Whoever was linked first may have sent before the other knew of any link, but nothing
        // that a link took is lost.
        for node in [&a, &b] {
            let counts = recv_counted(node, count);
            assert!(counts.values().all(|&count| count == 1), "trial {trial}");
        }
        wait_for_one_link(&a, &b);
        close_all(&[a, b]);
    }
}
