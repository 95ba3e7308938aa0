//! Replies on their way from peer to peer, and their receipts.

use super::*;
use crate::stats::ReplyLoss;
use crate::wire::routed::Address;
use crate::wire::{Receipt, RoutedReply};

/// A message of a node that is not our peer, which came over this link.
fn asked(hand: &mut Hand, link: LinkId, n: u8) -> MessageId {
    let question = envelope(id(n), Flag::Broadcast, SECOND, packets([&[0], b"who is there?"]));
    let about = question.id;
    hand.hear(link, question);
    about
}

fn letter(from: u8, to: u8, about: Option<MessageId>) -> Letter {
    let draft = Draft { main: Flag::Whisper, packets: packets([&[2], b"I am"]), time: SECOND };
    Letter::new(
        &draft,
        &id(from),
        &Address { to: id(to), about, is_answer: about.is_some(), number: 7 },
        1 << 20,
    )
}

/// A routed reply as it arrives.
pub(super) fn routed(from: u8, to: u8, about: Option<MessageId>) -> Box<Envelope> {
    let (frame, _) = letter(from, to, about).routed.expect("it fits");
    let header = Header::parse(BytesMut::from(&frame.bytes(None)[..]), &[], 1 << 20);
    Box::new(header.and_then(Header::verify).expect("a message"))
}

fn receipt(from: u8, receipt: Receipt) -> Box<Envelope> {
    envelope(id(from), Flag::Whisper, SECOND, receipt.payload())
}

/// The receipts that are put on a link.
fn receipts(actions: &[Action], on: LinkId) -> Vec<Receipt> {
    let said = actions.iter().filter_map(|action| match action {
        Action::Send { link, parcel: Parcel::Control(draft) } if *link == on => Some(draft),
        _ => None,
    });
    let bodies = said.map(|draft| envelope(id(1), draft.main, SECOND, draft.packets.clone()).body);
    bodies.filter_map(|body| if let Body::Receipt(it) = body { Some(it) } else { None }).collect()
}

fn own_frames_to(actions: &[Action]) -> Vec<LinkId> {
    let own = |action: &Action| match action {
        Action::Send { link, parcel: Parcel::Own(_) } => Some(*link),
        _ => None,
    };
    actions.iter().filter_map(own).collect()
}

fn outcome(actions: &[Action]) -> Option<bool> {
    actions.iter().find_map(|action| match action {
        Action::Settled { sent, .. } => Some(*sent),
        _ => None,
    })
}

#[test]
fn a_routed_reply_is_what_it_was_on_the_wire() {
    let about = asked(&mut Hand::new(), LinkId(1), 9);
    let message = routed(7, 9, Some(about));
    let expected = RoutedReply { from: id(7), to: id(9), about: Some(about), is_answer: true };
    assert_eq!(message.body, Body::RoutedReply(expected));
    assert_eq!(message.sender, id(7));
}

#[test]
fn whoever_passes_on_a_reply_in_our_name_is_not_said_to_be_at_fault() {
    let mut hand = Hand::new();
    let link = hand.capable(1);
    let actions: Vec<Action> =
        (0..100).flat_map(|_| hand.hear(link, routed(100, 100, None))).collect();
    assert_eq!(hand.node.stats().refused_for(Refusal::Echo), 100);
    assert!(!actions.iter().any(|it| matches!(it, Action::Report(MeshEvent::Refused { .. }))));
}

#[test]
fn a_reply_goes_on_the_way_back_and_its_receipt_returns() {
    let mut hand = Hand::new();
    let (a, b) = (hand.capable(1), hand.capable(2));
    let about = asked(&mut hand, a, 9);
    let reply = routed(7, 9, Some(about));
    let reply_id = reply.id;
    let actions = hand.hear(b, reply.clone());
    assert_eq!((relayed_to(&actions), delivered(&actions).len()), (vec![a], 0));
    assert!(relayed_to(&hand.hear(b, reply)).is_empty(), "a node passes a reply on once");
    let taken = Receipt::Taken(reply_id);
    assert!(receipts(&hand.hear(b, receipt(2, taken)), b).is_empty(), "it did not go there");
    assert_eq!(receipts(&hand.hear(a, receipt(1, taken)), b), [taken]);
    assert!(receipts(&hand.hear(a, receipt(1, taken)), b).is_empty(), "once");
}

#[test]
fn a_reply_without_a_way_is_refused_and_its_sender_told() {
    let mut hand = Hand::new();
    let (a, b) = (hand.rs2p(1), hand.capable(2));
    let about = asked(&mut hand, a, 9);
    for about in [Some(about), None] {
        let reply = routed(7, 9, about);
        let lost = Receipt::Lost(reply.id);
        assert_eq!(receipts(&hand.hear(b, reply), b), [lost], "a passes nothing on");
    }
    assert_eq!(hand.refused(Refusal::NoRoute), 2);
}

#[test]
fn a_reply_whose_next_hop_is_lost_is_said_to_be_lost() {
    let mut hand = Hand::new();
    let (a, b) = (hand.capable(1), hand.capable(2));
    let about = asked(&mut hand, a, 9);
    let reply = routed(7, 9, Some(about));
    let lost = Receipt::Lost(reply.id);
    hand.hear(b, reply);
    let actions = hand.tell(Event::Lost { link: a, cause: Cause::PeerClosed });
    assert_eq!(receipts(&actions, b), [lost]);
}

#[test]
fn a_reply_for_us_is_delivered_once_and_confirmed_each_time() {
    let mut hand = Hand::new();
    let b = hand.capable(2);
    let reply = routed(7, 100, None);
    let taken = Receipt::Taken(reply.id);
    let actions = hand.hear(b, reply.clone());
    let got = actions.iter().find_map(|action| match action {
        Action::Deliver { envelope, .. } => Some((envelope.sender, envelope.packets.to_vec())),
        _ => None,
    });
    assert_eq!(got, Some((id(7), packets([&[2], b"I am"]))));
    assert_eq!(receipts(&actions, b), [taken]);
    let again = hand.hear(b, reply);
    assert_eq!((delivered(&again).len(), receipts(&again, b)), (0, vec![taken]));
}

#[test]
fn nobody_speaks_for_others_who_did_not_say_that_it_can() {
    let mut hand = Hand::new();
    let (py2p, old) = (hand.py2p(1), hand.rs2p(2));
    for link in [py2p, old] {
        assert!(delivered(&hand.hear(link, routed(7, 100, None))).is_empty());
    }
    assert_eq!(hand.refused(Refusal::ForeignWhisper), 2);
}

#[test]
fn our_reply_is_sent_only_when_it_is_confirmed() {
    let mut hand = Hand::new();
    let (a, b) = (hand.capable(1), hand.capable(2));
    let about = asked(&mut hand, a, 9);
    let letter = letter(100, 9, Some(about));
    let (_, reply) = letter.routed.clone().expect("it fits");
    assert!(matches!(hand.node.send_to(hand.now, id(9), letter), Dispatch::Pending(_)));
    let actions = hand.actions();
    assert_eq!((own_frames_to(&actions), outcome(&actions)), (vec![a], None));
    let said_by_b = hand.hear(b, receipt(2, Receipt::Taken(reply)));
    assert_eq!(outcome(&said_by_b), None, "it never went there");
    assert_eq!(outcome(&hand.hear(a, receipt(1, Receipt::Taken(reply)))), Some(true));
    assert_eq!(hand.node.stats().replies_taken, 1);
}

#[test]
fn a_reply_whose_way_is_broken_asks_the_mesh_and_is_given_up_with_a_reason() {
    let mut hand = Hand::new();
    let a = hand.capable(1);
    let about = asked(&mut hand, a, 9);
    let letter = letter(100, 9, Some(about));
    let (_, reply) = letter.routed.clone().expect("it fits");
    hand.node.send_to(hand.now, id(9), letter);
    hand.actions();
    let actions = hand.hear(a, receipt(1, Receipt::Lost(reply)));
    assert_eq!(says(&actions, a), [Kind::REQUEST]);
    let actions = hand.pass(10_001);
    assert!(own_frames_to(&actions).contains(&a), "the way is tried again");
    assert_eq!(outcome(&actions), Some(false));
    let stats = hand.node.stats();
    assert_eq!((stats.replies_lost(), stats.replies_lost_for(ReplyLoss::NotTaken)), (1, 1));
}

#[test]
fn a_dial_that_fails_is_tried_again_until_the_time_is_up() {
    let mut hand = Hand::new();
    let a = hand.capable(1);
    hand.node.send_to(hand.now, id(9), letter(100, 9, None));
    let asked = hand.actions().into_iter().find_map(|action| match action {
        Action::Send { parcel: Parcel::Control(draft), .. } => Some(draft.packets[1].clone()),
        _ => None,
    });
    let entry = PeerEntry { addr: Some(host(10_009)), id: id(9) };
    let response = peers::route_response_payload(&asked.expect("a request"), &entry);
    let mut actions = hand.hear(a, envelope(id(1), Flag::Broadcast, SECOND, response));
    let mut count = 0;
    while let Some(link) = dials(&actions).pop() {
        count += 1;
        actions = hand.tell(Event::Lost { link, cause: Cause::Refused });
        while dials(&actions).is_empty() && outcome(&actions).is_none() {
            actions.extend(hand.pass(100));
        }
    }
    assert!(count >= 3, "{count} dials");
    assert_eq!(outcome(&actions), Some(false));
    assert_eq!(hand.node.stats().replies_lost_for(ReplyLoss::Unreachable), 1);
}
