//! Who gets a link when few are left, and what is told of who does not.

use super::*;

/// An rs2p node connects from this address and says hello. Returns whether it is taken.
fn comes(hand: &mut Hand, n: u8, from: [u8; 4]) -> bool {
    let link = hand.node.admit(hand.now).expect("room");
    hand.node.came_from(link, SocketAddr::from((from, 5000)));
    hand.tell(Event::Opened { link });
    let hello = Hello::new(["links"]).payload();
    let actions = hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
    if closed(&actions).is_some() {
        return false;
    }
    hand.shake(link, n);
    true
}

#[test]
fn names_that_fill_all_links_leave_some_to_the_nodes_own_dials() {
    let mut hand = Hand::with(Config { max_links: 32, ..Config::default() });
    let taken = (1..=40).filter(|&n| comes(&mut hand, n, [127, 0, 0, 1])).count();
    assert_eq!(taken, 28);
    for n in 0..4 {
        let link = hand.connect(11_000 + u16::from(n));
        hand.answers(link, 50 + n);
    }
    assert_eq!(hand.node.peers().count(), 32);
    assert!(hand.node.connect(hand.now, vec![host(12_000)]).is_err(), "all are taken");
}

#[test]
fn while_few_links_are_left_one_network_gets_no_larger_part() {
    let mut hand = Hand::with(Config { max_links: 32, ..Config::default() });
    let greedy = (1..=40).filter(|&n| comes(&mut hand, n, [10, 0, 0, n])).count();
    assert_eq!(greedy, 24);
    assert!(comes(&mut hand, 50, [10, 0, 1, 1]), "another network has a place");
    assert!(!comes(&mut hand, 51, [10, 0, 0, 99]));
}

#[test]
fn second_links_take_places_too() {
    let mut hand = Hand::with(Config { max_links: 3, ..Config::default() });
    for n in 1..=2 {
        hand.py2p(n);
    }
    for _ in 0..4 {
        let link = hand.node.admit(hand.now).expect("room");
        hand.tell(Event::Opened { link });
        hand.shake(link, 1);
        assert!(hand.node.links() <= 3, "{}", hand.node.links());
    }
}

#[test]
fn it_is_told_where_a_peer_was_linked_from() {
    let mut hand = Hand::new();
    let link = hand.node.admit(hand.now).expect("room");
    hand.node.came_from(link, SocketAddr::from(([10, 0, 0, 7], 5000)));
    hand.tell(Event::Opened { link });
    hand.shake(link, 1);
    let told = hand.tell(Event::Lost { link, cause: Cause::PeerClosed });
    let is_told = |action: &Action| matches!(action, Action::Report(MeshEvent::Left { remote, .. }) if remote == "10.0.0.7:5000");
    assert!(told.iter().any(is_told), "{told:?}");
}

#[test]
fn the_text_of_a_stranger_is_escaped_and_cut() {
    let mut hand = Hand::new();
    let link = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link });
    let protocol = format!("\x1b[2J\nroot login ok{}", "x".repeat(500));
    let handshake = Handshake { id: id(1), protocol, addr: None, methods: vec![] };
    let actions = hand.hear(link, envelope(id(1), Flag::Whisper, SECOND, handshake.payload()));
    let (_, cause) = closed(&actions).expect("another mesh");
    let text = format!("{cause} {cause:?}");
    assert!(!text.contains(char::is_control), "{text:?}");
    assert!(text.contains("root login") && text.len() < 1000, "{text}");
}
