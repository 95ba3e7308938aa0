//! The tree by itself.

use super::super::Parcel;
use super::*;
use crate::options::Flag;
use crate::packet::Packet;
use crate::wire::{Draft, Frame};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn peer(n: u8) -> NodeId {
    NodeId::from_digest(&[n; 48])
}

fn name(n: u8) -> Named {
    Named { id: MessageId::from_digest([n; 48]), time: 1 }
}

fn frame() -> Frame {
    let draft = Draft { main: Flag::Broadcast, packets: vec![Packet::from("x")], time: 1 };
    draft.encode(&peer(9), &draft.id())
}

fn tree() -> Tree {
    Tree::new(10_000, (1, 2))
}

/// Makes a link late as often as it takes.
fn prune(tree: &mut Tree, first: u8, late: u8) -> bool {
    (0..LATE as u8).any(|n| {
        tree.arrived(MS(0), &peer(first), &name(100 + n).id, 1000);
        tree.duplicate(MS(0), &peer(late), &name(100 + n).id)
    })
}

#[test]
fn a_link_that_is_always_late_is_pruned_and_one_that_is_sometimes_first_is_not() {
    let mut tree = tree();
    for n in 0..50 {
        let [first, late] = if n % 4 == 0 { [2, 1] } else { [1, 2] };
        tree.arrived(MS(0), &peer(first), &name(n).id, 100);
        assert!(!tree.duplicate(MS(0), &peer(late), &name(n).id));
    }
    assert!(prune(&mut tree, 1, 2));
    assert!(tree.branches.is_lazy(&peer(2)) && !tree.branches.is_lazy(&peer(1)));
}

#[test]
fn the_last_eager_link_is_never_pruned() {
    let mut tree = tree();
    assert!(prune(&mut tree, 1, 2));
    // What peer 2 had sent before it heard of that comes first.
    assert!(!prune(&mut tree, 2, 1));
    assert!(!tree.branches.is_lazy(&peer(1)));
}

#[test]
fn a_peer_that_goes_on_sending_has_missed_the_word_and_is_told_again() {
    let mut tree = tree();
    assert!(prune(&mut tree, 1, 2));
    tree.arrived(MS(500), &peer(1), &name(1).id, 100);
    assert!(!tree.duplicate(MS(500), &peer(2), &name(1).id), "it was on its way");
    tree.arrived(MS(2000), &peer(1), &name(2).id, 100);
    assert!(tree.duplicate(MS(2000), &peer(2), &name(2).id));
    assert!(!tree.duplicate(MS(2100), &peer(2), &name(2).id), "once a second");
}

#[test]
fn a_lazy_peer_that_is_first_for_long_is_eager_again() {
    let mut tree = tree();
    assert!(prune(&mut tree, 1, 2));
    tree.arrived(MS(500), &peer(2), &name(1).id, 100);
    assert!(tree.branches.is_lazy(&peer(2)), "it was on its way");
    tree.arrived(MS(2000), &peer(2), &name(2).id, 100);
    assert!(!tree.branches.is_lazy(&peer(2)));
}

#[test]
fn an_announced_message_is_given_once_to_who_was_told() {
    let mut tree = tree();
    tree.branches.entry(peer(2)).0.set_lazy(MS(0), true);
    tree.arrived(MS(0), &peer(1), &name(1).id, 1000);
    assert!(!tree.announces(MS(0), &peer(1), name(1)), "it is eager");
    assert!(tree.announces(MS(0), &peer(2), name(1)));
    let print = tree.fingerprint(&name(1).id);
    tree.bodies.keep(print, Parcel::Relay(frame()));
    assert_eq!(tree.take_names(&peer(2)), [name(1)]);
    let number = |tree: &mut Tree, n| tree.branches.entry(peer(n)).1;
    let (two, three) = (number(&mut tree, 2), number(&mut tree, 3));
    assert!(tree.bodies.give(print, three).is_none(), "never told");
    assert!(tree.bodies.give(print, two).is_some());
    assert!(tree.bodies.give(print, two).is_none(), "once");
}

#[test]
fn nobody_is_told_what_he_has_announced() {
    let mut tree = tree();
    tree.branches.entry(peer(2)).0.set_lazy(MS(0), true);
    let (print, two) = (tree.fingerprint(&name(1).id), tree.branches.entry(peer(2)).1);
    assert!(tree.missing.announced(MS(0), print, name(1), two, true));
    tree.arrived(MS(5), &peer(1), &name(1).id, 1000);
    assert!(tree.has(&peer(2), &name(1).id));
    // It announces while we are about to.
    tree.arrived(MS(5), &peer(1), &name(2).id, 1000);
    assert!(tree.announces(MS(5), &peer(2), name(2)));
    tree.bodies.is_known_to(tree.fingerprint(&name(2).id), two);
    assert_eq!(tree.take_names(&peer(2)), []);
}

#[test]
fn bodies_are_kept_for_a_minute_in_bounded_bytes_and_are_not_dropped_young() {
    let mut tree = tree();
    tree.branches.entry(peer(2)).0.set_lazy(MS(0), true);
    let tell = |tree: &mut Tree, now, n| {
        tree.arrived(now, &peer(1), &name(n).id, 4000);
        let is_told = tree.announces(now, &peer(2), name(n));
        tree.bodies.keep(tree.fingerprint(&name(n).id), Parcel::Relay(frame()));
        is_told
    };
    assert!(tell(&mut tree, MS(0), 1) && tell(&mut tree, MS(900), 2));
    assert!(!tell(&mut tree, MS(999), 3), "no room: sent on every link");
    assert!(tell(&mut tree, MS(1000), 4), "the first is old enough");
    assert_eq!(tree.bodies.bytes(), 8000);
    tree.sweep(MS(60_899));
    assert_eq!(tree.bodies.bytes(), 8000);
    tree.sweep(MS(61_000));
    assert!(tree.bodies.is_empty() && tree.bodies.bytes() == 0);
}

#[test]
fn each_announcer_is_asked_in_turn_and_a_lost_one_is_skipped() {
    let mut missing = Missing::default();
    let mut tree = tree();
    let [one, two, three] = [1, 2, 3].map(|n| tree.branches.entry(peer(n)).1);
    for by in [one, two, three] {
        assert!(missing.announced(MS(0), 7, name(7), by, true));
    }
    let first = missing.next_due().expect("something is due");
    assert_eq!(missing.ask(first - MS(1), |_| true), []);
    assert_eq!(missing.ask(first, |_| true), [(one, name(7))]);
    assert!(missing.is_asked(7, one) && !missing.is_asked(7, two));
    let second = missing.next_due().expect("the next one is due");
    assert!(second > first);
    assert_eq!(missing.ask(second, |by| by != two), [(three, name(7))]);
    assert_eq!(missing.next_due(), None, "all were asked");
    assert_eq!(missing.found(second + MS(10), 7, three), [one, two, three]);
    assert!(missing.is_empty());
}

#[test]
fn when_an_eager_peer_is_lost_what_is_missing_is_asked_for_at_once() {
    let mut tree = tree();
    let two = tree.branches.entry(peer(2)).1;
    assert!(tree.missing.announced(MS(0), 7, name(7), two, true));
    tree.left(MS(20), &peer(1));
    assert_eq!(tree.missing.ask(MS(20), |_| true), [(two, name(7))]);
}

#[test]
fn what_is_waited_for_is_bounded() {
    let mut missing = Missing::default();
    let one = tree().branches.entry(peer(1)).1;
    let count = missing::MAX_MISSING as u128;
    assert!((0..count).all(|print| missing.announced(MS(0), print, name(1), one, true)));
    assert!(!missing.announced(MS(0), count, name(1), one, true));
    missing.expire(MS(60_000));
    assert!(missing.is_empty() && missing.next_due().is_none());
}

#[test]
fn the_wait_follows_what_was_measured_within_limits() {
    let mut lag = Lag::default();
    assert_eq!(lag.wait(), MS(500));
    (0..50).for_each(|_| lag.note(MS(400)));
    assert!((MS(400)..MS(420)).contains(&lag.wait()), "{:?}", lag.wait());
    (0..50).for_each(|_| lag.note(MS(1)));
    assert_eq!(lag.wait(), MS(300));
    (0..50).for_each(|_| lag.note(MS(60_000)));
    assert_eq!(lag.wait(), MS(2000));
}
