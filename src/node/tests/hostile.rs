//! What strangers try with names, addresses and answers of their own making.

use super::*;

/// Somebody connects, says hello or not, and uses this name.
fn claim(hand: &mut Hand, n: u8, says_hello: bool) -> (LinkId, Vec<Action>) {
    let link = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link });
    if says_hello {
        let hello = Hello::new(["links"]).payload();
        hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
    }
    let actions = hand.shake(link, n);
    (link, actions)
}

#[test]
fn an_address_that_is_only_announced_does_not_stand_for_a_link_to_it() {
    let mut hand = Hand::new();
    hand.rs2p(1);
    let connecting = hand.node.connect(hand.now, vec![host(10_001)]);
    assert!(matches!(connecting, Ok(Connecting::Dialling(_))), "{connecting:?}");
}

#[test]
fn a_stranger_who_announces_an_address_does_not_keep_us_from_dialling_it() {
    let mut hand = Hand::new();
    let link = hand.connect(10_001);
    hand.answers(link, 1);
    hand.pass(60_000);
    hand.tell(Event::Lost { link, cause: Cause::PeerClosed });
    // Node 1 is gone, and 101 says that it lives there.
    let stranger = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link: stranger });
    let handshake = Handshake {
        id: id(101),
        protocol: Protocol::default().id().into(),
        addr: Some(host(10_001)),
        methods: vec![],
    };
    hand.hear(stranger, envelope(id(101), Flag::Whisper, SECOND, Hello::new([]).payload()));
    hand.hear(stranger, envelope(id(101), Flag::Whisper, SECOND, handshake.payload()));
    assert_eq!(dials(&hand.pass(2_000)).len(), 1, "it is dialled all the same");
}

#[test]
fn the_name_of_an_rs2p_peer_is_of_no_use_to_whoever_says_no_hello() {
    let mut hand = Hand::new();
    let first = hand.rs2p(1);
    hand.pass(60_000);
    let (link, actions) = claim(&mut hand, 1, false);
    assert!(matches!(closed(&actions), Some((l, Cause::Duplicate)) if l == link));
    hand.pass(60_000);
    assert_eq!(hand.node.link_of(&id(1)), Some(first));
}

#[test]
fn a_quiet_link_is_asked_before_a_second_one_takes_its_place() {
    // Of two nodes the higher one chooses; the other one waits for that.
    for peer in [1, 200] {
        for says_spare in [true, false] {
            let mut hand = Hand::new();
            let first = hand.rs2p(peer);
            hand.pass(60_000);
            let (second, mut actions) = claim(&mut hand, peer, true);
            if says_spare {
                let spare = Hello::new(["spare"]).payload();
                actions.extend(hand.hear(second, envelope(id(peer), Flag::Whisper, SECOND, spare)));
            }
            let question = Kind::from(&peers::request_payload()[0]);
            assert!(says(&actions, first).contains(&question), "{actions:?}");
            let answer = peers::payload(&[]);
            actions
                .extend(hand.hear(first, envelope(id(peer), Flag::Whisper, SECOND + 60, answer)));
            actions.extend(hand.pass(20_000));
            assert_eq!(hand.node.link_of(&id(peer)), Some(first), "it lives");
            let is_retired =
                |action: &Action| matches!(action, Action::Retire { link, .. } if *link == second);
            let may_choose = says_spare && peer == 1;
            assert_eq!(actions.iter().any(is_retired), may_choose, "{actions:?}");
        }
    }
}

#[test]
fn nobody_gets_more_than_four_links() {
    let mut hand = Hand::new();
    hand.rs2p(1);
    for _ in 0..3 {
        assert!(closed(&claim(&mut hand, 1, true).1).is_none());
    }
    let (link, actions) = claim(&mut hand, 1, true);
    assert!(matches!(closed(&actions), Some((l, Cause::Duplicate)) if l == link));
}

#[test]
fn an_answer_is_not_made_larger_by_the_question() {
    let mut hand = Hand::new();
    let (a, _) = (hand.rs2p(1), hand.rs2p(2));
    for (length, answers) in [(256, 1), (257, 0)] {
        let request = Packet::from(vec![7; length]);
        let ask = peers::route_request_payload(&request, &id(2));
        let actions = hand.hear(a, envelope(id(7), Flag::Broadcast, SECOND, ask));
        assert_eq!(says(&actions, a).len(), answers, "{length}");
    }
}

#[test]
fn a_reply_is_tried_at_a_few_addresses_only() {
    let mut hand = Hand::new();
    let a = hand.rs2p(1);
    let draft = Draft { main: Flag::Whisper, packets: packets([&[2], b"x"]), time: SECOND };
    hand.node.send_to(hand.now, id(9), Letter::plain(&draft, &id(100)));
    let request = hand.actions().into_iter().find_map(|action| match action {
        Action::Send { parcel: Parcel::Control(draft), .. } => draft.packets.get(1).cloned(),
        _ => None,
    });
    let request = request.expect("a request");
    let mut count = 0;
    for n in 0..20 {
        // Each address twice.
        let entry = PeerEntry { addr: Some(host(20_000 + n / 2)), id: id(9) };
        let answer = peers::route_response_payload(&request, &entry);
        let time = SECOND + u64::from(n);
        let actions = hand.hear(a, envelope(id(1), Flag::Whisper, time, answer));
        for link in dials(&actions) {
            count += 1;
            hand.tell(Event::Lost { link, cause: Cause::Refused });
        }
    }
    assert_eq!(count, 3);
}

#[test]
fn whoever_shakes_hands_and_hangs_up_is_dialled_less_and_less() {
    let mut hand = Hand::new();
    let mut next = vec![hand.connect(10_001)];
    let mut count = 0;
    for _ in 0..60 {
        for link in std::mem::take(&mut next) {
            count += 1;
            hand.answers(link, 1);
            hand.tell(Event::Lost { link, cause: Cause::PeerClosed });
            hand.tell(Event::Finished { link });
        }
        next = dials(&hand.pass(1_000));
    }
    assert!((15..=45).contains(&count), "{count} dials in a minute");
}

#[test]
fn one_link_too_many_still_tells_its_user_that_the_peer_is_there() {
    let mut hand = Hand::new();
    hand.rs2p(1);
    for _ in 0..3 {
        claim(&mut hand, 1, true);
    }
    let link = hand.connect(9999);
    let actions = hand.answers(link, 1);
    let is_there = |action: &Action| matches!(action, Action::Connected { outcome: Ok(peer), .. } if *peer == id(1));
    assert!(actions.iter().any(is_there), "{actions:?}");
}
