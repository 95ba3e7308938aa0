//! The tree by itself.

use super::super::Parcel;
use super::missing::MAX_OPEN;
use super::*;
use crate::node::LinkId;
use crate::node::rng::Rng;
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
    Tree::new(10_000, KeyedHash::new(&mut Rng::new(1)))
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
    tree.bodies.keep(print, Parcel::Relay(frame(), LinkId(1)));
    assert_eq!(tree.take_names(&peer(2)), [name(1)]);
    assert!(tree.give(&peer(3), &name(1).id).is_none(), "never told");
    assert!(tree.give(&peer(2), &name(1).id).is_some());
    assert!(tree.give(&peer(2), &name(1).id).is_none(), "once");
}

#[test]
fn nobody_is_told_what_he_has_announced() {
    let mut tree = tree();
    tree.branches.entry(peer(2)).0.set_lazy(MS(0), true);
    assert!(tree.announced(MS(0), &peer(2), name(1), true));
    tree.arrived(MS(5), &peer(1), &name(1).id, 1000);
    assert!(tree.has(&peer(2), &name(1).id));
    // It announces while we are about to.
    tree.arrived(MS(5), &peer(1), &name(2).id, 1000);
    assert!(tree.announces(MS(5), &peer(2), name(2)));
    tree.is_known_to(&peer(2), &name(2).id);
    assert_eq!(tree.take_names(&peer(2)), []);
}

#[test]
fn bodies_are_kept_for_a_minute_in_bounded_bytes_and_are_not_dropped_young() {
    let mut tree = tree();
    tree.branches.entry(peer(2)).0.set_lazy(MS(0), true);
    let tell = |tree: &mut Tree, now, n| {
        tree.arrived(now, &peer(1), &name(n).id, 4000);
        let is_told = tree.announces(now, &peer(2), name(n));
        tree.bodies.keep(tree.fingerprint(&name(n).id), Parcel::Relay(frame(), LinkId(1)));
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

/// A tree in which these peers are linked, each with its number.
fn linked<const N: usize>(peers: [u8; N]) -> (Tree, [BranchId; N]) {
    let mut tree = tree();
    let numbers = peers.map(|n| tree.branches.entry(peer(n)).1);
    (tree, numbers)
}

/// Asks when the next question is due. Returns when that is, and whom it asks for what.
fn ask_next(tree: &mut Tree) -> (Duration, Vec<(NodeId, Named)>) {
    let due = tree.missing.next_due().expect("something is due");
    assert_eq!(tree.ask(due - MS(1)), []);
    (due, tree.ask(due))
}

#[test]
fn announcers_are_asked_in_turn_ever_more_slowly_and_a_lost_one_is_skipped() {
    let (mut tree, [one, two, _]) = linked([1, 2, 3]);
    for by in [1, 2, 3] {
        assert!(tree.announced(MS(0), &peer(by), name(7), true));
    }
    let (first, asked) = ask_next(&mut tree);
    assert_eq!(asked, [(peer(1), name(7))]);
    let print = tree.fingerprint(&name(7).id);
    assert!(tree.missing.is_asked(print, one) && !tree.missing.is_asked(print, two));
    tree.left(first, &peer(2));
    let (second, asked) = ask_next(&mut tree);
    assert_eq!((asked, second > first), (vec![(peer(3), name(7))], true));
    let (third, asked) = ask_next(&mut tree);
    assert_eq!(asked, [(peer(1), name(7))], "it may have had no room");
    let (fourth, asked) = ask_next(&mut tree);
    assert_eq!((asked, fourth - third), (vec![(peer(3), name(7))], 2 * (third - second)));
    tree.arrived(fourth + MS(10), &peer(3), &name(7).id, 1000);
    assert!(tree.missing.is_empty() && tree.missing.next_due().is_none());
    assert!(tree.has(&peer(1), &name(7).id));
}

#[test]
fn when_an_eager_peer_is_lost_what_is_missing_is_asked_for_at_once() {
    let (mut tree, _) = linked([2]);
    assert!(tree.announced(MS(0), &peer(2), name(7), true));
    tree.left(MS(20), &peer(1));
    assert_eq!(tree.ask(MS(20)), [(peer(2), name(7))]);
}

#[test]
fn a_peer_is_asked_for_few_messages_at_one_time() {
    let (mut tree, _) = linked([1]);
    for n in 0..20 {
        assert!(tree.announced(MS(n.into()), &peer(1), name(n), false));
    }
    let names = |asked: Vec<(NodeId, Named)>| asked.into_iter().map(|(_, name)| name);
    let asked: Vec<Named> = names(tree.ask(MS(20))).collect();
    assert_eq!(asked, (0..MAX_OPEN as u8).map(name).collect::<Vec<_>>());
    assert_eq!(tree.ask(MS(21)), []);
    // Each answer makes a place for one, and so does a message that comes by itself.
    tree.arrived(MS(22), &peer(1), &name(3).id, 1000);
    assert_eq!(names(tree.ask(MS(22))).collect::<Vec<_>>(), [name(MAX_OPEN as u8)]);
    tree.arrived(MS(23), &peer(2), &name(4).id, 1000);
    tree.arrived(MS(23), &peer(2), &name(19).id, 1000);
    assert_eq!(names(tree.ask(MS(23))).collect::<Vec<_>>(), [name(MAX_OPEN as u8 + 1)]);
}

#[test]
fn a_place_is_not_lost_if_the_message_that_was_to_have_it_comes_by_itself() {
    let (mut tree, _) = linked([1]);
    for n in 0..20 {
        assert!(tree.announced(MS(n.into()), &peer(1), name(n), false));
    }
    let asked = tree.ask(MS(20));
    assert_eq!(asked.len(), MAX_OPEN);
    // All that were asked for come at once, and those that were to be asked for next as well.
    for n in 0..18 {
        tree.arrived(MS(21), &peer(2), &name(n).id, 1000);
    }
    let asked = tree.ask(MS(21));
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!([18, 19].iter().all(|n| asked.contains(&(peer(1), name(*n)))), "{asked:?}");
}

#[test]
fn another_announcer_is_asked_for_what_has_no_place_at_the_first_one() {
    let (mut tree, _) = linked([1, 2]);
    for n in 0..20 {
        assert!(tree.announced(MS(0), &peer(1), name(n), false));
        assert!(tree.announced(MS(0), &peer(2), name(n), false));
    }
    let asked = tree.ask(MS(0));
    let count = |by| asked.iter().filter(|(other, _)| *other == peer(by)).count();
    assert_eq!((count(1), count(2)), (MAX_OPEN, MAX_OPEN));
    // The one leaves: the other has no free place yet, and is asked later.
    tree.left(MS(1), &peer(1));
    assert_eq!(tree.ask(MS(1)), []);
    let mut rest = 20 - MAX_OPEN;
    while rest > 0 {
        let due = tree.missing.next_due().expect("something is due");
        for (by, name) in tree.ask(due) {
            assert_eq!(by, peer(2));
            tree.arrived(due, &peer(2), &name.id, 1000);
            rest = rest.saturating_sub(1);
        }
        assert!(due < MS(10_000), "{rest} are never asked for");
    }
}

#[test]
fn a_message_that_had_no_room_can_be_asked_for_again() {
    let (mut tree, _) = linked([2]);
    tree.branches.entry(peer(2)).0.set_lazy(MS(0), true);
    tree.arrived(MS(0), &peer(1), &name(1).id, 1000);
    assert!(tree.announces(MS(0), &peer(2), name(1)));
    tree.bodies.keep(tree.fingerprint(&name(1).id), Parcel::Relay(frame(), LinkId(1)));
    assert!(tree.give(&peer(2), &name(1).id).is_some());
    tree.was_not_given(&peer(2), &name(1).id);
    assert!(tree.give(&peer(2), &name(1).id).is_some());
    assert!(tree.give(&peer(2), &name(1).id).is_none(), "once");
}

#[test]
fn a_peer_that_links_again_and_again_is_noted_a_few_times_at_most() {
    let mut tree = tree();
    tree.arrived(MS(0), &peer(1), &name(1).id, 1000);
    for _ in 0..1000 {
        tree.is_known_to(&peer(2), &name(1).id);
        tree.announced(MS(0), &peer(2), name(2), true);
        tree.left(MS(0), &peer(2));
    }
    assert!(tree.bodies.noted(tree.fingerprint(&name(1).id)) <= 10);
    assert!(tree.missing.noted(tree.fingerprint(&name(2).id)) <= 10);
}

#[test]
fn what_is_waited_for_is_bounded() {
    let mut missing = Missing::default();
    let one = tree().branches.entry(peer(1)).1;
    let count = missing::MAX_MISSING as u64;
    let mut announced = |print| missing.announced(MS(0), print, name(1), one, true, |_| true);
    assert!((0..count).all(&mut announced) && !announced(count));
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
