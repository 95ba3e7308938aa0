//! Links are exchanged for better ones, and nothing is lost by it.

use super::replies::routed;
use super::*;
use crate::wire::Exchange;

/// A node that dials one peer by itself, and a peer that dialled it, passes samples on and tells of others.
fn informed() -> (Hand, LinkId) {
    let mut hand = Hand::with(Config { max_outgoing: 1, ..Config::default() });
    let informer = comes(&mut hand, 1, &["links", "exchange"]).expect("room");
    (hand, informer)
}

/// An rs2p node dials us, and says this.
fn comes(hand: &mut Hand, n: u8, words: &[&str]) -> Result<LinkId, Vec<Action>> {
    let link = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link });
    let hello = Hello::new(words.iter().copied()).payload();
    let actions = hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
    if closed(&actions).is_some() {
        return Err(actions);
    }
    hand.shake(link, n);
    told(hand, link, n, &[]);
    Ok(link)
}

/// The node that we dialled answers, and acknowledges our handshake.
fn answers(hand: &mut Hand, link: LinkId, n: u8, words: &[&str]) -> Vec<Action> {
    hand.tell(Event::Opened { link });
    let hello = Hello::new(words.iter().copied()).payload();
    hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
    hand.shake(link, n);
    told(hand, link, n, &[])
}

fn entries(nodes: &[u8]) -> Vec<PeerEntry> {
    let entry = |&n| PeerEntry { addr: Some(host(10_000 + u16::from(n))), id: id(n) };
    nodes.iter().map(entry).collect()
}

/// A peers list comes.
fn told(hand: &mut Hand, link: LinkId, from: u8, nodes: &[u8]) -> Vec<Action> {
    let list = peers::payload(&entries(nodes));
    hand.hear(link, envelope(id(from), Flag::Whisper, SECOND, list))
}

fn sampled(hand: &mut Hand, link: LinkId, from: u8, hops: u64, nodes: &[u8]) -> Vec<Action> {
    word(hand, link, from, &Exchange::Sample { hops, entries: entries(nodes) })
}

fn word(hand: &mut Hand, link: LinkId, from: u8, word: &Exchange) -> Vec<Action> {
    hand.hear(link, envelope(id(from), Flag::Whisper, SECOND, word.payload()))
}

/// The nodes of these numbers, in the order in which this one would rather dial them.
fn by_rank(hand: &Hand, nodes: std::ops::Range<u8>) -> Vec<u8> {
    let mut nodes: Vec<u8> = nodes.collect();
    nodes.sort_by_key(|&n| hand.node.exchanges.rank(&id(n)));
    nodes
}

/// The links on which the node says that it wants to part, or agrees to it.
fn asks(actions: &[Action]) -> Vec<LinkId> {
    words(actions).filter(|(_, word)| *word == Exchange::Part).map(|(link, _)| link).collect()
}

/// The links that the node parts from.
fn parts(actions: &[Action]) -> Vec<LinkId> {
    let part = |action: &Action| match action {
        Action::Part { link } => Some(*link),
        _ => None,
    };
    actions.iter().filter_map(part).collect()
}

/// The samples that are put on links.
fn samples(actions: &[Action]) -> Vec<(LinkId, u64)> {
    let sample = |(link, word)| match word {
        Exchange::Sample { hops, .. } => Some((link, hops)),
        Exchange::Part => None,
    };
    words(actions).filter_map(sample).collect()
}

fn words(actions: &[Action]) -> impl Iterator<Item = (LinkId, Exchange)> {
    actions.iter().filter_map(|action| {
        let Action::Send { link, parcel: Parcel::Control(draft) } = action else { return None };
        match envelope(id(100), Flag::Whisper, SECOND, draft.packets.clone()).body {
            Body::Exchange(word) => Some((*link, word)),
            _ => None,
        }
    })
}

#[test]
fn a_link_is_exchanged_for_one_to_a_node_of_a_much_lower_rank() {
    let (mut hand, informer) = informed();
    let ranks = by_rank(&hand, 10..60);
    let (best, worst) = (ranks[0], ranks[49]);
    let first = dials(&told(&mut hand, informer, 1, &[worst]))[0];
    let actions = answers(&mut hand, first, worst, &["links", "exchange"]);
    assert!(asks(&actions).is_empty(), "it is the only one");
    assert!(dials(&told(&mut hand, informer, 1, &ranks[33..49])).is_empty(), "they are no better");
    hand.pass(3000);
    let second = dials(&sampled(&mut hand, informer, 1, 1, &[best]))[0];
    assert_eq!(hand.node.peers().count(), 2, "the old one stays until the new one is there");
    let actions = answers(&mut hand, second, best, &["links", "exchange"]);
    assert_eq!((asks(&actions), parts(&actions)), (vec![first], vec![]), "the peer has to agree");
    let relayed = relayed_to(&hand.broadcast(informer, 7, SECOND, "x"));
    assert_eq!(relayed.len(), 2, "until then it is a peer");
    assert_eq!(parts(&word(&mut hand, first, worst, &Exchange::Part)), [first]);
    assert!(
        hand.node.link_of(&id(best)) == Some(second) && hand.node.link_of(&id(worst)).is_none()
    );
    hand.pass(3000);
    assert!(
        dials(&sampled(&mut hand, informer, 1, 1, &[worst])).is_empty(),
        "it was better to part"
    );
    assert_eq!(hand.node.stats().exchanged, 1);
}

#[test]
fn a_link_that_the_user_asked_for_or_to_a_node_without_the_word_is_never_exchanged() {
    for (is_asked, words) in [(true, &["links", "exchange"][..]), (false, &["links"])] {
        let (mut hand, informer) = informed();
        let ranks = by_rank(&hand, 10..60);
        let (best, worst) = (ranks[0], ranks[49]);
        let first = match is_asked {
            true => hand.connect(10_000 + u16::from(worst)),
            false => dials(&told(&mut hand, informer, 1, &[worst]))[0],
        };
        answers(&mut hand, first, worst, words);
        told(&mut hand, informer, 1, &ranks[33..49]);
        hand.pass(3000);
        assert!(dials(&sampled(&mut hand, informer, 1, 1, &[best])).is_empty(), "{words:?}");
        assert_eq!(hand.node.link_of(&id(worst)), Some(first));
    }
}

#[test]
fn who_is_parted_from_is_heard_to_the_end_and_not_dialled_again() {
    let mut hand = Hand::with(Config { max_outgoing: 0, ..Config::default() });
    let (a, b) = (hand.py2p(1), comes(&mut hand, 2, &["links", "exchange"]).expect("room"));
    hand.pass(1100);
    let actions = word(&mut hand, b, 2, &Exchange::Part);
    assert_eq!((asks(&actions), parts(&actions)), (vec![b], vec![b]));
    let left = |action: &Action| {
        matches!(action, Action::Report(MeshEvent::Left { cause: Cause::Exchanged, .. }))
    };
    assert!(actions.iter().any(left));
    let late = hand.broadcast(b, 7, SECOND, "on its way when we parted");
    assert_eq!((relayed_to(&late), delivered(&late).len()), (vec![a], 1));
    assert!(relayed_to(&hand.broadcast(a, 7, SECOND, "later")).is_empty(), "nothing more is sent");
    assert!(
        closed(&hand.tell(Event::HungUp { link: b })).is_none(),
        "what is queued is written first"
    );
    hand.tell(Event::Lost { link: b, cause: Cause::Duplicate });
    hand.tell(Event::Finished { link: b });
    assert_eq!((dials(&hand.pass(60_000)).len(), hand.node.links()), (0, 1));
}

#[test]
fn who_has_enough_links_takes_those_who_need_one() {
    let mut hand = Hand::new();
    let words = ["links", "exchange", "extra"];
    for n in 1..=12 {
        assert!(comes(&mut hand, n, &words).is_ok(), "{n}");
    }
    let turned_away = comes(&mut hand, 13, &words).expect_err("it has enough");
    assert!(matches!(closed(&turned_away), Some((_, Cause::TooManyLinks))));
    let (link, _) = closed(&turned_away).expect("closed");
    assert!(says(&turned_away, link).contains(&Kind::PEERS), "it is told who else there is");
    assert!(comes(&mut hand, 14, &words[..2]).is_ok() && comes(&mut hand, 15, &["links"]).is_ok());
}

#[test]
fn who_is_full_parts_from_a_peer_that_has_others_for_one_that_may_have_none() {
    let mut hand = Hand::with(Config { max_links: 4, max_outgoing: 0, ..Config::default() });
    for n in 1..=4 {
        let words: &[&str] =
            if n == 2 { &["links", "exchange", "extra"] } else { &["links", "exchange"] };
        assert!(comes(&mut hand, n, words).is_ok(), "{n}");
    }
    let actions = comes(&mut hand, 5, &["links", "exchange"]).expect_err("it is full");
    let link = hand.node.link_of(&id(2)).expect("a peer");
    assert_eq!(asks(&actions), [link], "the peer that said so");
    assert!(
        asks(&comes(&mut hand, 6, &["links"]).expect_err("full")).is_empty(),
        "not at once again"
    );
    assert_eq!(parts(&word(&mut hand, link, 2, &Exchange::Part)), [link]);
    hand.tell(Event::Lost { link, cause: Cause::Duplicate });
    hand.tell(Event::Finished { link });
    assert!(comes(&mut hand, 5, &["links", "exchange"]).is_ok(), "there is room now");
}

#[test]
fn a_sample_goes_on_for_as_many_hops_as_are_left_and_not_back() {
    let (mut hand, informer) = informed();
    let other = comes(&mut hand, 2, &["links", "exchange"]).expect("room");
    hand.py2p(3);
    assert_eq!(samples(&sampled(&mut hand, informer, 1, 7, &[50])), [(other, 6)]);
    assert!(samples(&sampled(&mut hand, informer, 1, 1, &[50])).is_empty());
    let [(_, hops)] = samples(&sampled(&mut hand, informer, 1, u64::MAX, &[50]))[..] else {
        panic!("one is passed on");
    };
    assert!(hops < 32, "{hops}");
    assert!(samples(&sampled(&mut hand, informer, 1, 7, &[2])).is_empty(), "it knows itself");
}

#[test]
fn a_peer_that_floods_samples_is_passed_on_at_a_bounded_rate() {
    let (mut hand, informer) = informed();
    comes(&mut hand, 2, &["links", "exchange"]).expect("room");
    let passed = |hand: &mut Hand| -> usize {
        (0..1000).map(|_| samples(&sampled(hand, informer, 1, 7, &[50])).len()).sum()
    };
    let first = passed(&mut hand);
    assert!((1..100).contains(&first), "{first}");
    hand.pass(1000);
    assert!((1..10).contains(&passed(&mut hand)));
}

#[test]
fn nobody_parts_from_its_last_peer_or_from_one_that_its_user_wants() {
    let mut hand = Hand::with(Config { max_outgoing: 0, ..Config::default() });
    let a = comes(&mut hand, 1, &["links", "exchange"]).expect("room");
    assert!(parts(&word(&mut hand, a, 1, &Exchange::Part)).is_empty());
    let b = hand.py2p(2);
    hand.pass(1100);
    assert_eq!(parts(&word(&mut hand, a, 1, &Exchange::Part)), [a]);
    assert_eq!(hand.node.link_of(&id(2)), Some(b));
    // The user asked for this one, which is linked by its own dial now.
    let wanted = hand.connect(10_003);
    answers(&mut hand, wanted, 3, &["links", "exchange"]);
    hand.tell(Event::Lost { link: wanted, cause: Cause::PeerClosed });
    hand.tell(Event::Finished { link: wanted });
    let again = comes(&mut hand, 3, &["links", "exchange", "extra"]).expect("room");
    assert!(parts(&word(&mut hand, again, 3, &Exchange::Part)).is_empty());
}

#[test]
fn a_link_over_which_answers_may_go_back_is_kept_for_them() {
    let mut hand = Hand::with(Config { max_outgoing: 0, ..Config::default() });
    let a = comes(&mut hand, 1, &["links", "exchange"]).expect("room");
    hand.py2p(2);
    hand.broadcast(a, 7, SECOND, "a question");
    assert!(parts(&word(&mut hand, a, 1, &Exchange::Part)).is_empty());
    hand.pass(31_000);
    assert_eq!(parts(&word(&mut hand, a, 1, &Exchange::Part)), [a]);
}

#[test]
fn a_link_over_which_a_receipt_is_to_come_is_kept_for_it() {
    let mut hand = Hand::with(Config { max_outgoing: 0, ..Config::default() });
    let words = ["links", "exchange", "replies"];
    let a = comes(&mut hand, 1, &words).expect("room");
    let b = comes(&mut hand, 2, &words).expect("room");
    hand.py2p(3);
    hand.pass(1100);
    assert_eq!(relayed_to(&hand.hear(a, routed(7, 2, None))), [b]);
    for (link, n) in [(a, 1), (b, 2)] {
        assert!(parts(&word(&mut hand, link, n, &Exchange::Part)).is_empty(), "{n}");
    }
    hand.pass(31_000);
    assert_eq!(parts(&word(&mut hand, b, 2, &Exchange::Part)), [b]);
}

#[test]
fn in_a_small_mesh_links_stay_as_they_are() {
    let (mut hand, informer) = informed();
    let ranks = by_rank(&hand, 10..60);
    let first = dials(&told(&mut hand, informer, 1, &[ranks[49]]))[0];
    answers(&mut hand, first, ranks[49], &["links", "exchange"]);
    hand.pass(3000);
    assert!(dials(&told(&mut hand, informer, 1, &ranks[..13])).is_empty(), "15 others");
    assert_eq!(dials(&told(&mut hand, informer, 1, &ranks[13..14])).len(), 1, "16 others");
}

#[test]
fn who_has_asked_one_of_two_peers_to_part_keeps_the_other_one() {
    let mut hand = Hand::with(Config { max_outgoing: 0, max_links: 4, ..Config::default() });
    let words = ["links", "exchange", "extra"];
    let a = comes(&mut hand, 1, &words).expect("room");
    let b = comes(&mut hand, 2, &words).expect("room");
    let asked = comes_to_a_full_node(&mut hand);
    let other = if asked == a { (b, 2) } else { (a, 1) };
    assert!(parts(&word(&mut hand, other.0, other.1, &Exchange::Part)).is_empty());
    hand.pass(11_000);
    assert_eq!(parts(&word(&mut hand, other.0, other.1, &Exchange::Part)), [other.0], "it stayed");
}

/// Fills all places by dials of the user, and lets one more node come. Returns who is asked to part.
fn comes_to_a_full_node(hand: &mut Hand) -> LinkId {
    hand.connect(10_030);
    hand.connect(10_031);
    let actions = comes(hand, 5, &["links", "exchange"]).expect_err("it is full");
    asks(&actions)[0]
}

#[test]
fn links_of_others_do_not_keep_a_node_from_dialling() {
    let mut hand = Hand::new();
    for n in 1..=20 {
        assert!(comes(&mut hand, n, &["links", "exchange"]).is_ok(), "{n}");
    }
    let link = hand.node.link_of(&id(1)).expect("a peer");
    let dialled = dials(&told(&mut hand, link, 1, &[40, 41, 42, 43, 44, 45]));
    assert_eq!(dialled.len(), 2, "half of what it would dial");
}
