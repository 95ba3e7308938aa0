//! Each way out of closing.

use super::super::close_timing::{CLOSE_GRACE, DELIVER_GRACE};
use super::super::closing;
use super::*;

#[test]
fn a_link_that_is_closed_reads_and_forgets_until_the_peer_is_done() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = link.turn(&mut hand);
    close(&mut hand, Cause::Disconnected);
    assert_eq!(at(link.turn(&mut hand)), Some(hand.now + CLOSE_GRACE));
    assert!(hand.stream().is_finished);
    hand.reads(bytes(10));
    hand.reads(Vec::new());
    link.readable();
    assert!(matches!(link.turn(&mut hand), Err(Cause::Disconnected)));
    assert_eq!(hand.read_messages(), 0);
}

#[test]
fn a_link_that_is_closed_waits_for_its_peer_no_longer_than_its_grace() {
    let (mut hand, mut link) = Hand::established(Config::default());
    close(&mut hand, Cause::Disconnected);
    hand.now = at(link.turn(&mut hand)).expect("it waits for the peer");
    assert!(matches!(link.turn(&mut hand), Err(Cause::Disconnected)));
}

#[test]
fn a_link_that_gives_way_delivers_what_still_arrives() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.mailbox.order(Order::Retire);
    let _ = hand.mailbox.outgoing.seal();
    assert_eq!(at(link.turn(&mut hand)), Some(hand.now + DELIVER_GRACE));
    hand.reads(bytes(10));
    hand.reads(Vec::new());
    link.readable();
    assert!(matches!(link.turn(&mut hand), Err(Cause::Duplicate)));
    assert_eq!(hand.read_messages(), 1);
    assert!(hand.told.is_empty(), "that it hung up is no news");
}

#[test]
fn a_link_that_lingers_ends_when_all_is_written() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = hand.mailbox.outgoing.put(own(1000), ());
    let _ = hand.mailbox.outgoing.refuse_more();
    let until = hand.now + S(5);
    hand.mailbox.order(Order::Linger { until });
    hand.stream().room = 100;
    assert_eq!(at(link.turn(&mut hand)), Some(until));
    assert!(!hand.stream().is_finished);
    hand.stream().room = 10_000;
    let _ = link.turn(&mut hand);
    assert!(hand.stream().is_finished);
    assert_eq!(hand.stream().output, bytes(1000));
}

#[test]
fn the_last_words_of_a_link_wait_for_room_and_come_in_their_order() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.has_room = false;
    hand.reads(bytes(10));
    let _ = link.turn(&mut hand);
    let mut ending = link.finish(&mut hand, Cause::PeerClosed).expect("a batch is left");
    assert!(hand.port.is_none() && hand.lost() == 1);
    assert!(!ending.hand_in(&mut hand) && !hand.has_ended);
    hand.has_room = true;
    assert!(ending.hand_in(&mut hand) && hand.has_ended);
    assert_eq!(hand.read_messages(), 1);
}

#[test]
fn what_was_never_written_is_counted_when_a_link_ends() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.stream().room = 0;
    let _ = hand.mailbox.outgoing.put(own(1000), ());
    let _ = link.turn(&mut hand);
    let _ = hand.mailbox.outgoing.put(own(1000), ());
    assert!(hand.mailbox.outgoing.throttle(9, hand.now, 1).is_none());
    let _ = link.finish(&mut hand, Cause::Stalled);
    assert_eq!(hand.unsent, 2);
}

#[test]
fn a_link_that_never_shook_hands_has_nothing_to_hand_in() {
    let (mut hand, link) = Hand::new(Config::default());
    assert!(link.finish(&mut hand, Cause::Refused).is_none());
    assert!(matches!(hand.told[..], [Event::Lost { .. }, Event::Finished { .. }]));
}

#[test]
fn a_link_that_is_not_up_yet_ends_with_its_first_order() {
    let (mut hand, _) = Hand::new(Config::default());
    hand.port = None;
    assert!(hand.mailbox.ended_early().is_none());
    close(&mut hand, Cause::Disconnected);
    let cause = hand.mailbox.ended_early().expect("it is to close");
    assert!(matches!(cause, Cause::Disconnected));
    assert!(closing::finish(&mut hand, cause, None).is_none());
}
