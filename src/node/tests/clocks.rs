//! Clocks that differ, as the node by itself sees them.

use super::*;
use crate::trouble::Trouble;

/// An rs2p node that wants to be told about its clock.
fn capable(hand: &mut Hand, n: u8) -> LinkId {
    let link = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link });
    let hello = Hello::new(["links", "clock"]).payload();
    hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
    hand.shake(link, n);
    link
}

fn reports(actions: Vec<Action>) -> Vec<MeshEvent> {
    let event = |action| if let Action::Report(event) = action { Some(event) } else { None };
    actions.into_iter().filter_map(event).collect()
}

/// The words about clocks that are said on a link.
fn said(actions: &[Action], to: LinkId) -> Vec<String> {
    let mut words = Vec::new();
    for action in actions {
        if let Action::Send { link, parcel: Parcel::Control(draft) } = action
            && *link == to
            && let Body::Hello(hello) = &envelope(id(9), draft.main, 1, draft.packets.clone()).body
        {
            words.extend(hello.capabilities.iter().filter(|word| word.contains('=')).cloned());
        }
    }
    words
}

#[test]
fn a_peer_whose_own_broadcast_is_refused_is_told_once_a_minute() {
    let mut hand = Hand::new();
    let link = capable(&mut hand, 1);
    let late = SECOND - 120;
    let actions = hand.broadcast(link, 1, late, "one");
    assert_eq!(said(&actions, link), ["clock=-120"]);
    let by = Duration::from_secs(120);
    let events = reports(actions);
    assert!(
        matches!(&events[..], [
        MeshEvent::TroubleBegan(Trouble::ClockSkew { id: whose, by: found }),
        MeshEvent::ClockSkew { .. },
    ] if *whose == id(1) && *found == by),
        "{events:?}"
    );
    assert!(hand.broadcast(link, 1, late, "two").is_empty(), "told already");
    let actions = hand.broadcast(link, 1, SECOND, "three");
    assert_eq!(said(&actions, link), ["clock=0"]);
    assert!(matches!(&reports(actions)[..], [MeshEvent::TroubleEnded(_)]));
    hand.pass(60_000);
    let actions = hand.broadcast(link, 1, SECOND + 500, "four");
    assert_eq!(said(&actions, link), ["clock=440"]);
    assert_eq!((hand.refused(Refusal::TooOld), hand.refused(Refusal::TooFarAhead)), (2, 1));
}

#[test]
fn a_broadcast_that_a_peer_only_passed_on_says_nothing_about_its_clock() {
    let mut hand = Hand::new();
    let link = capable(&mut hand, 1);
    assert!(hand.broadcast(link, 2, SECOND - 120, "old").is_empty());
}

#[test]
fn who_does_not_know_of_clocks_is_not_told_but_our_user_is() {
    let mut hand = Hand::new();
    for link in [hand.py2p(1), hand.rs2p(2)] {
        let n = if link == LinkId(1) { 1 } else { 2 };
        let actions = hand.broadcast(link, n, SECOND - 120, "late");
        assert!(says(&actions, link).is_empty());
        let events = reports(actions);
        assert!(events.iter().any(|event| matches!(event, MeshEvent::ClockSkew { .. })));
    }
}

#[test]
fn a_node_that_is_told_that_its_clock_is_off_tells_its_user() {
    let mut hand = Hand::new();
    let link = hand.rs2p(1);
    let tell = |hand: &mut Hand, word: &str| {
        let hello = Hello::new([word]).payload();
        reports(hand.hear(link, envelope(id(1), Flag::Whisper, SECOND, hello)))
    };
    let events = tell(&mut hand, "clock=-120");
    assert!(
        matches!(
            events[..],
            [MeshEvent::TroubleBegan(Trouble::ClockSkew { .. }), MeshEvent::ClockSkew { .. },]
        ),
        "{events:?}"
    );
    assert!(tell(&mut hand, "clock=-121").is_empty(), "once a minute");
    for nonsense in ["clock=", "clock=x", "clock=99999999999999999999"] {
        assert!(tell(&mut hand, nonsense).is_empty());
    }
    assert!(matches!(tell(&mut hand, "clock=0")[..], [MeshEvent::TroubleEnded(_)]));
    // A peer that leaves cannot say that it is over.
    hand.now = at(61_000);
    assert_eq!(tell(&mut hand, "clock=70").len(), 2);
    let events = reports(hand.tell(Event::Lost { link, cause: Cause::PeerClosed }));
    assert!(events.iter().any(|event| matches!(event, MeshEvent::TroubleEnded(_))), "{events:?}");
}
