//! Each way out of writing.

use super::super::outgoing::Put;
use super::super::writing::{Flushed, WRITE_TURN};
use super::*;

fn put(hand: &mut Hand, parcel: Parcel) -> Put {
    hand.mailbox.outgoing.put(parcel, ())
}

#[test]
fn what_is_queued_is_written_and_the_link_rests() {
    let (mut hand, mut link) = Hand::established(Config::default());
    assert_eq!(put(&mut hand, own(10)), Put::Fine);
    assert_eq!(link.turn(&mut hand).ok(), Some(Next::WhenWoken));
    assert_eq!(hand.stream().output, bytes(10));
    assert_eq!(hand.mailbox.outgoing.queued(), 0);
}

#[test]
fn the_hello_goes_out_before_anything_is_read() {
    let (mut hand, mut link) = Hand::new(Config::default());
    let _ = put(&mut hand, own(10));
    hand.stream().input.push_back(Err(io::ErrorKind::ConnectionReset.into()));
    assert!(link.turn(&mut hand).is_err());
    assert_eq!(hand.stream().output, bytes(10));
}

#[test]
fn a_frame_that_was_half_written_goes_on_where_it_stopped() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = (put(&mut hand, own(10)), put(&mut hand, own(20)));
    for room in [7, bytes(10).len(), 0, 1000] {
        hand.stream().room = room;
        let _ = link.turn(&mut hand);
    }
    assert_eq!(hand.stream().output, [bytes(10), bytes(20)].concat());
}

#[test]
fn what_is_not_written_counts_as_queued() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = put(&mut hand, own(1000));
    hand.stream().room = 100;
    let next = link.turn(&mut hand);
    assert_eq!(at(next), Some(hand.now + hand.config.stall), "it watches the peer");
    assert_eq!(hand.mailbox.outgoing.queued(), bytes(1000).len());
}

#[test]
fn a_turn_ends_though_there_is_more_to_write() {
    let (mut hand, mut link) = Hand::established(Config::default());
    for _ in 0..3 {
        let _ = put(&mut hand, own(WRITE_TURN as usize));
    }
    assert_eq!(link.turn(&mut hand).ok(), Some(Next::Now));
    assert!(hand.mailbox.outgoing.queued() > 0);
}

#[test]
fn those_who_were_throttled_are_woken_when_the_queue_is_below_its_bound() {
    let config = Config { outbound: 100, ..Config::default() };
    let (mut hand, mut link) = Hand::established(config);
    let _ = put(&mut hand, own(200));
    assert!(hand.mailbox.outgoing.throttle(9, hand.now, 200).is_some());
    let _ = link.turn(&mut hand);
    assert_eq!(hand.woken, [9]);
}

#[test]
fn a_peer_that_takes_nothing_is_closed_after_its_patience() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = put(&mut hand, own(1000));
    hand.stream().room = 0;
    let due = at(link.turn(&mut hand)).expect("it watches the peer");
    hand.now = due;
    let _ = link.turn(&mut hand);
    assert!(link.is_leaving());
}

#[test]
fn what_the_peer_sent_before_writing_failed_is_delivered() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = (put(&mut hand, own(10)), put(&mut hand, own(10)));
    hand.stream().broken = Some(io::ErrorKind::BrokenPipe);
    let _ = link.turn(&mut hand);
    assert_eq!((hand.lost(), hand.unsent), (1, 2));
    assert_eq!(put(&mut hand, own(10)), Put::Sealed);
    hand.reads(bytes(10));
    link.readable();
    let _ = link.turn(&mut hand);
    assert_eq!(hand.read_messages(), 1);
}

#[test]
fn a_connection_that_takes_no_byte_and_does_not_say_why_has_failed() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = put(&mut hand, own(10));
    hand.stream().broken = Some(io::ErrorKind::WriteZero);
    let _ = link.turn(&mut hand);
    assert_eq!((hand.lost(), hand.unsent), (1, 1));
}

#[test]
fn a_message_is_written_again_once() {
    let (mut hand, mut link) = Hand::established(Config::default());
    let _ = put(&mut hand, own(10));
    let _ = link.turn(&mut hand);
    hand.mailbox.order(Order::Resend);
    hand.mailbox.order(Order::Resend);
    let _ = link.turn(&mut hand);
    assert_eq!(hand.stream().output, [bytes(10), bytes(10)].concat());
}

#[test]
fn the_thread_that_sends_writes_what_is_plain() {
    let (mut hand, _) = Hand::established(Config::default());
    let _ = put(&mut hand, own(10));
    let flush = hand.port(|mock, writing, mut mailbox| writing.flush_plain(mock, &mut mailbox));
    let flush = flush.flatten().expect("nothing is compressed on this link");
    assert!(flush.is_complete() && flush.bytes == bytes(10).len() as u64);
    let _ = put(&mut hand, own(10));
    hand.stream().room = 0;
    let flush = hand.port(|mock, writing, mut mailbox| writing.flush_plain(mock, &mut mailbox));
    let flush = flush.flatten().expect("nothing is compressed on this link");
    assert!(!flush.is_complete() && matches!(flush.outcome, Ok(Flushed::Blocked)));
}
