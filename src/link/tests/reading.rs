//! Each way out of reading.

use super::super::flow::{Hold, Outflow, Wait};
use super::super::mailbox::Order;
use super::*;

#[test]
fn messages_go_to_the_daemon_in_their_order_and_take_credit() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.reads([bytes(10), bytes(20)].concat());
    assert_eq!(link.turn(&mut hand).ok(), Some(Next::WhenWoken));
    let sizes = hand.batches.iter().flat_map(|batch| &batch.items);
    let sizes: Vec<usize> =
        sizes.map(|((), item)| item.as_ref().map_or(0, |at| at.packets[1].len())).collect();
    assert_eq!(sizes, [10, 20]);
    assert_eq!(hand.mailbox.undigested(), hand.batches[0].load.bytes);
}

#[test]
fn readiness_is_told_once_and_remembered_until_the_connection_would_block() {
    let config = Config { link_credit: 1, ..Config::default() };
    let (mut hand, mut link) = Hand::established(config);
    hand.reads(bytes(10));
    hand.reads(bytes(10));
    assert_eq!(link.turn(&mut hand).ok(), Some(Next::WhenWoken), "no credit");
    assert_eq!(hand.read_messages(), 1);
    assert!(hand.mailbox.give_back(hand.batches[0].load), "its thread waits for that");
    assert_eq!(link.turn(&mut hand).ok(), Some(Next::WhenWoken));
    assert_eq!(hand.read_messages(), 2);
    // Nothing was there the last time it looked: it does not look again before it is told.
    let spent = hand.mailbox.undigested();
    let _ = hand.mailbox.give_back(load(spent));
    let _ = link.turn(&mut hand);
    hand.reads(bytes(10));
    let _ = link.turn(&mut hand);
    assert_eq!(hand.read_messages(), 2);
    link.readable();
    let _ = link.turn(&mut hand);
    assert_eq!(hand.read_messages(), 3);
}

#[test]
fn frames_that_were_read_wait_for_credit_and_are_not_forgotten() {
    let config = Config { link_credit: 1, ..Config::default() };
    let (mut hand, mut link) = Hand::established(config);
    hand.reads((0..300).flat_map(|_| bytes(10)).collect());
    assert_ne!(link.turn(&mut hand).ok(), Some(Next::Now));
    assert!(hand.read_messages() < 300);
    while hand.mailbox.give_back(load(hand.mailbox.undigested())) {
        let _ = link.turn(&mut hand);
    }
    assert_eq!(hand.read_messages(), 300);
}

#[test]
fn of_full_batches_few_are_checked_for_duplicates_until_one_is_found() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let mut looks_at = |batches: usize, duplicates| {
        let before = hand.looks;
        hand.duplicates = duplicates;
        hand.reads((0..64 * batches).flat_map(|_| bytes(10)).collect());
        link.readable();
        let _ = link.turn(&mut hand);
        hand.looks - before
    };
    // What is left at the end of a read is a batch as well.
    assert!(looks_at(16, 0) <= 9);
    looks_at(8, 1);
    assert!(looks_at(16, 1) >= 16);
    assert!(looks_at(16, 0) <= 9);
}

#[test]
fn batches_that_are_not_full_are_always_checked_for_duplicates() {
    let (mut hand, mut link) = Hand::established(Config::default());
    for looks in 1..=20 {
        hand.reads((0..3).flat_map(|_| bytes(10)).collect());
        link.readable();
        let _ = link.turn(&mut hand);
        assert_eq!(hand.looks, looks);
    }
}

#[test]
fn credit_that_is_returned_wakes_only_a_link_that_had_none() {
    let mut mailbox: Mailbox<u8, ()> =
        Mailbox::new(&Config { link_credit: 10, ..Config::default() });
    mailbox.take_credit(S(1), load(12));
    assert!(
        !mailbox.give_back(load(1)) && mailbox.give_back(load(5)) && !mailbox.give_back(load(6))
    );
}

#[test]
fn nothing_overtakes_a_batch_that_the_daemon_has_no_room_for() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.has_room = false;
    hand.reads(bytes(10));
    assert_eq!(link.turn(&mut hand).ok(), Some(Next::WhenWoken));
    hand.reads(bytes(20));
    link.readable();
    let _ = link.turn(&mut hand);
    assert!(link.held().is_some_and(|batch| batch.items.len() == 1), "it reads no further");
    hand.has_room = true;
    let _ = link.turn(&mut hand);
    assert_eq!((hand.batches.len(), hand.read_messages()), (2, 2));
}

#[test]
fn credit_is_held_back_until_the_queues_that_it_was_relayed_into_have_drained() {
    let config = Config { link_credit: 10, ..Config::default() };
    let (mut hand, mut link) = Hand::established(config);
    hand.mailbox.take_credit(S(1), load(50));
    let mut hold = Hold::new(load(50));
    hold.add(Wait::new(hand.now, 50, &mut Outflow::new(&hand.config), 0), 2);
    hand.mailbox.order(Order::Hold(hold));
    hand.full.push_back((2, 0));
    assert!(at(link.turn(&mut hand)).is_some_and(|until| until > hand.now));
    assert_eq!((link.holds(), hand.mailbox.undigested()), (1, 50));
    hand.full.clear();
    let _ = link.turn(&mut hand);
    assert_eq!((link.holds(), hand.mailbox.undigested()), (0, 0));
}

#[test]
fn before_the_handshake_the_node_is_told_directly() {
    let (mut hand, mut link) = Hand::new(Config::default());
    hand.reads([bytes(10), bytes(10)].concat());
    let _ = link.turn(&mut hand);
    assert_eq!((hand.told.len(), hand.batches.len()), (2, 0));
}

#[test]
fn the_end_of_the_stream_is_told_behind_what_was_read() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.reads(bytes(10));
    hand.reads(Vec::new());
    assert_eq!(link.turn(&mut hand).ok(), Some(Next::WhenWoken));
    assert_eq!(hand.read_messages(), 1);
    assert!(matches!(hand.told[..], [Event::HungUp { .. }]));
}

#[test]
fn an_error_ends_the_link() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.stream().input.push_back(Err(io::ErrorKind::ConnectionReset.into()));
    assert!(link.turn(&mut hand).is_err());
}

#[test]
fn what_came_before_a_frame_that_is_too_large_is_handed_in() {
    let (mut hand, mut link) = Hand::established(Config { max_frame: 1000, ..Config::default() });
    hand.reads([bytes(10), bytes(2000)].concat());
    let end = link.turn(&mut hand);
    assert!(matches!(end, Err(Cause::TooLarge { max: 1000, .. })), "{end:?}");
    assert_eq!(hand.read_messages(), 1);
}

#[test]
fn a_frame_that_is_never_finished_ends_the_link() {
    let (mut hand, mut link) = Hand::established(Config::default());
    hand.reads(bytes(10)[..20].to_vec());
    let due = at(link.turn(&mut hand)).expect("it waits for the rest");
    hand.now = due;
    assert!(matches!(link.turn(&mut hand), Err(Cause::UnfinishedFrame)));
}

#[test]
fn a_frame_that_we_do_not_read_on_is_not_the_peers_fault() {
    let (mut hand, mut link) = Hand::established(Config { link_credit: 1, ..Config::default() });
    hand.reads([bytes(10), bytes(10)[..20].to_vec()].concat());
    hand.reads(bytes(10)[20..].to_vec());
    let due = at(link.turn(&mut hand)).expect("it waits for the rest");
    hand.now = due - S(1);
    assert_eq!(at(link.turn(&mut hand)), Some(hand.now + hand.config.frame_timeout));
}
