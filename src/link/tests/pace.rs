//! The pace of a link: who is waited for, who is closed, what is told.

use super::*;
use crate::node::event::PaceChange;
use crate::wire::{Pacing, Total};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// A link to a peer that says how fast it takes what it is sent.
fn telling() -> (Hand, Machine<u8, ()>) {
    let (mut hand, machine) = Hand::established(Config::default());
    let (receive, send) = (Vec::new(), None);
    let settings =
        LinkSettings { peer: me(), is_rs2p: true, tells_pace: true, is_held: false, receive, send };
    hand.mailbox.set(settings);
    (hand, machine)
}

fn hears(hand: &mut Hand, frames: u64) {
    let bytes = frames * bytes(1000).len() as u64;
    hand.mailbox.hear(Pacing::Taken { total: Total { bytes, frames }, room: u64::MAX });
}

fn put_many(hand: &mut Hand, count: usize) {
    for _ in 0..count {
        let _ = hand.mailbox.outgoing.put(own(1000), ());
    }
}

fn words(hand: &mut Hand) -> Vec<Pacing> {
    let told = std::mem::take(&mut hand.told).into_iter();
    told.filter_map(|event| match event {
        Event::Pace { word, .. } => Some(word),
        _ => None,
    })
    .collect()
}

/// Takes a turn every half second for so long; whether the link is still there.
fn lasts(
    hand: &mut Hand,
    link: &mut Machine<u8, ()>,
    span: Duration,
    mut turn: impl FnMut(&mut Hand),
) -> bool {
    let until = hand.now + span;
    while hand.now < until && !link.is_leaving() {
        hand.now += MS(500);
        turn(hand);
        let _ = link.turn(hand);
    }
    !link.is_leaving()
}

#[test]
fn a_peer_that_takes_anything_at_all_is_never_closed() {
    let (mut hand, mut link) = telling();
    put_many(&mut hand, 10);
    let _ = link.turn(&mut hand);
    let stall = hand.config.stall;
    assert_eq!(hand.stream().patience, Some(stall));
    hand.stream().room = 0;
    put_many(&mut hand, 10);
    for taken in 1..8 {
        assert!(lasts(&mut hand, &mut link, S(50), |hand| hears(hand, taken)), "{taken}");
        assert_eq!(hand.stream().patience, None, "the system is not to judge a peer that answers");
    }
}

#[test]
fn a_peer_that_answers_and_takes_nothing_at_all_is_closed_in_the_end() {
    let (mut hand, mut link) = telling();
    put_many(&mut hand, 10);
    let _ = link.turn(&mut hand);
    hand.stream().room = 0;
    put_many(&mut hand, 10);
    assert!(lasts(&mut hand, &mut link, S(59), |hand| hears(hand, 0)));
    assert!(!lasts(&mut hand, &mut link, S(3), |hand| hears(hand, 0)));
}

#[test]
fn a_peer_that_shows_no_sign_of_life_is_closed_soon() {
    let (mut hand, mut link) = telling();
    put_many(&mut hand, 40);
    assert!(lasts(&mut hand, &mut link, S(9), |_| {}), "all is written, and it does not answer");
    assert!(!lasts(&mut hand, &mut link, S(3), |_| {}));
}

#[test]
fn a_peer_is_asked_how_far_it_is_when_much_waits_for_it() {
    let (mut hand, mut link) = telling();
    put_many(&mut hand, 2);
    let _ = link.turn(&mut hand);
    assert_eq!(words(&mut hand), [], "light traffic causes no questions");
    put_many(&mut hand, 20);
    let _ = (link.turn(&mut hand), link.turn(&mut hand));
    assert_eq!(words(&mut hand), [Pacing::HowFar]);
}

#[test]
fn a_peer_is_told_how_far_we_are_when_it_asks() {
    let (mut hand, mut link) = telling();
    for _ in 0..3 {
        hand.reads(bytes(1000));
    }
    let _ = link.turn(&mut hand);
    hand.mailbox.hear(Pacing::HowFar);
    let _ = link.turn(&mut hand);
    let none = Total::default();
    assert_eq!(words(&mut hand), [Pacing::Taken { total: none, room: 4321 }]);
    for batch in std::mem::take(&mut hand.batches) {
        let _ = hand.mailbox.give_back(batch.load);
    }
    hand.mailbox.hear(Pacing::HowFar);
    let _ = link.turn(&mut hand);
    let total = Total { bytes: 3 * bytes(1000).len() as u64, frames: 3 };
    assert_eq!(words(&mut hand), [Pacing::Taken { total, room: 4321 }]);
}

#[test]
fn a_peer_below_the_floor_is_left_behind_and_misses_what_has_no_room() {
    let (mut hand, mut link) = telling();
    put_many(&mut hand, 100);
    let mut taken = 0;
    assert!(lasts(&mut hand, &mut link, S(12), |hand| {
        taken += 1;
        hears(hand, taken);
    }));
    let turned = hand
        .told
        .iter()
        .any(|event| matches!(event, Event::PaceChanged { change: PaceChange::LeftBehind, .. }));
    assert!(turned, "{:?}", hand.told);
    assert!(hand.mailbox.outgoing.takes_own(), "nobody waits for it");
    assert_eq!(hand.mailbox.outgoing.put(own(1000), ()), super::super::outgoing::Put::Missed);
}
