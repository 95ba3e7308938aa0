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

fn refused(actions: &[Action]) -> Option<(Refusal, u64)> {
    actions.iter().find_map(|action| match action {
        Action::Report(MeshEvent::Refused { reason, refused, .. }) => Some((*reason, *refused)),
        _ => None,
    })
}

#[test]
fn a_peer_that_sends_what_nobody_sends_is_named_once_a_minute() {
    let mut hand = Hand::new();
    let link = hand.rs2p(1);
    let foreign = |n| envelope(id(9), Flag::Whisper, SECOND, vec![format!("{n}").into()]);
    let told = |hand: &mut Hand, count| {
        let all: Vec<Action> = (0..count).flat_map(|n| hand.hear(link, foreign(n))).collect();
        refused(&all)
    };
    assert_eq!(told(&mut hand, 31), None, "a few may happen");
    assert_eq!(told(&mut hand, 1), Some((Refusal::ForeignWhisper, 32)));
    assert_eq!(told(&mut hand, 100), None, "not again so soon");
    hand.pass(60_000);
    assert_eq!(told(&mut hand, 1), Some((Refusal::ForeignWhisper, 101)));
}

#[test]
fn a_peer_whose_messages_are_refused_for_their_dates_is_not_said_to_be_at_fault() {
    let mut hand = Hand::new();
    let link = hand.rs2p(1);
    for n in 0..100 {
        let old = envelope(id(9), Flag::Broadcast, SECOND - 61, vec![format!("{n}").into()]);
        assert_eq!(refused(&hand.hear(link, old)), None);
    }
    assert_eq!(hand.node.stats().refused_for(Refusal::TooOld), 100);
}

#[test]
fn a_frame_is_not_sent_again_without_end() {
    let mut hand = Hand::new();
    let link = hand.rs2p(1);
    let ask = || envelope(id(1), Flag::Renegotiate, SECOND, Method::resend_payload());
    let actions: Vec<Action> = (0..1000).flat_map(|_| hand.hear(link, ask())).collect();
    let again = actions.iter().filter(|action| matches!(action, Action::Resend { .. })).count();
    assert_eq!(again, 256);
    assert_eq!(refused(&actions), Some((Refusal::TooOften, 32)));
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
