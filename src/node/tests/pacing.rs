//! Peers that nobody waits for.

use super::*;
use crate::node::event::PaceChange;

/// A stranger keeps senders waiting for two seconds; the room that it gets from then on.
fn spends_all(hand: &mut Hand, link: LinkId) -> usize {
    hand.pass(2_000);
    let change = PaceChange::KeptWaiting { by: Duration::from_secs(2), is_trusted: false };
    let actions = hand.tell(Event::PaceChanged { link, change });
    room(&actions, link).expect("nobody waits for it")
}

fn room(actions: &[Action], of: LinkId) -> Option<usize> {
    actions.iter().find_map(|action| match action {
        Action::StopWaiting { link, room } if *link == of => Some(*room),
        _ => None,
    })
}

#[test]
fn peers_that_nobody_waits_for_share_a_part_of_the_memory() {
    let config = Config { max_links: 200, ..Config::default() };
    let part = config.memory / 4;
    let mut hand = Hand::with(config);
    let first = hand.rs2p(1);
    let mut rooms = vec![spends_all(&mut hand, first)];
    for n in 2..60 {
        let link = hand.node.admit(hand.now).expect("room");
        hand.tell(Event::Opened { link });
        let hello = Hello::new(["links"]).payload();
        hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
        rooms.extend(room(&hand.shake(link, n), link));
    }
    assert_eq!((rooms.len(), rooms[0]), (59, part / 4), "newcomers are not waited for either");
    assert!(rooms.is_sorted_by(|a, b| a >= b) && rooms[58] == 256 * 1024);
    assert!(rooms.iter().sum::<usize>() <= part + 59 * 256 * 1024);
}

#[test]
fn the_room_of_a_peer_that_has_left_or_is_waited_for_again_is_free() {
    let mut hand = Hand::new();
    let (left, slow, other) = (hand.rs2p(1), hand.rs2p(2), hand.rs2p(3));
    let most = spends_all(&mut hand, left);
    assert!(spends_all(&mut hand, slow) < most);
    hand.tell(Event::Lost { link: left, cause: Cause::PeerClosed });
    hand.tell(Event::Finished { link: left });
    // It may have caught up because nothing was sent: then nobody waits for it yet.
    let change = PaceChange::CaughtUp { missed: crate::wire::Total::default() };
    hand.tell(Event::PaceChanged { link: slow, change });
    assert!(spends_all(&mut hand, other) < most);
    for link in [slow, other] {
        hand.tell(Event::PaceChanged { link, change: PaceChange::Proven });
    }
    assert_eq!(spends_all(&mut hand, other), most);
}

#[test]
fn a_peer_that_is_left_behind_has_room_of_the_same_part() {
    let mut hand = Hand::new();
    let (one, other) = (hand.rs2p(1), hand.rs2p(2));
    let behind = |hand: &mut Hand, link| {
        room(&hand.tell(Event::PaceChanged { link, change: PaceChange::LeftBehind }), link)
    };
    let first = behind(&mut hand, one).expect("room");
    assert!(behind(&mut hand, other).expect("room") < first);
    assert_eq!(behind(&mut hand, one), None, "it has room already");
}
