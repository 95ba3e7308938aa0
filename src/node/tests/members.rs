//! Presence: what is listed, what is answered, and what others cannot make a node say.

use super::*;
use crate::presence::Presence;
use crate::wire::members::{MAX_ROWS, Members, Row};

/// A node with presence that is linked to node 1.
fn present() -> (Hand, LinkId) {
    let presence = Some(Presence::new().name("a name"));
    let mut hand = Hand::with(Config { presence, ..Config::default() });
    let link = member_peer(&mut hand, 1);
    (hand, link)
}

/// An rs2p peer that has a list of members.
fn member_peer(hand: &mut Hand, n: u8) -> LinkId {
    let link = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link });
    let hello = Hello::new(["links", "members"]).payload();
    hand.hear(link, envelope(id(n), Flag::Whisper, hand.now.second(), hello));
    hand.shake(link, n);
    link
}

/// A word that arrives on a link: as a broadcast of this sender, or as a whisper of the peer.
fn word(hand: &mut Hand, link: LinkId, sender: NodeId, word: &Members) -> Vec<Action> {
    let main = if word.is_for_all() { Flag::Broadcast } else { Flag::Whisper };
    hand.hear(link, envelope(sender, main, hand.now.second(), word.payload()))
}

fn here(version: u64) -> Members {
    Members::Here { version, name: "a member".into(), role: String::new() }
}

/// What the node says about members on a link.
fn said(actions: &[Action], on: LinkId) -> Vec<Members> {
    let draft = |action: &Action| match action {
        Action::Send { link, parcel: Parcel::Control(draft) | Parcel::Answer(draft) }
            if *link == on =>
        {
            Members::read(&draft.packets).ok()
        }
        _ => None,
    };
    actions.iter().filter_map(draft).collect()
}

fn announced(actions: &[Action], on: LinkId) -> Vec<u64> {
    let version =
        |word| if let Members::Here { version, .. } = word { Some(version) } else { None };
    said(actions, on).into_iter().filter_map(version).collect()
}

fn listed(hand: &Hand) -> Vec<(NodeId, bool)> {
    hand.node.members().into_iter().map(|member| (member.id, member.has_presence)).collect()
}

fn many(count: u16) -> impl Iterator<Item = NodeId> {
    (0..count).map(|n| {
        let mut digest = [7; 48];
        digest[..2].copy_from_slice(&n.to_be_bytes());
        NodeId::from_digest(&digest)
    })
}

#[test]
fn a_member_that_left_is_not_listed_though_its_address_is_remembered() {
    let (mut hand, link) = present();
    let entry = PeerEntry { addr: Some(host(10_005)), id: id(5) };
    let peers = peers::payload(&[entry]);
    hand.hear(link, envelope(id(1), Flag::Whisper, SECOND, peers));
    assert_eq!(listed(&hand), [(id(1), false), (id(5), false)], "told by a peer");
    word(&mut hand, link, id(5), &here(7));
    assert_eq!(listed(&hand), [(id(5), true), (id(1), false)], "has announced itself");
    word(&mut hand, link, id(5), &Members::Gone { version: 7 });
    assert_eq!(listed(&hand), [(id(1), false)]);
    hand.pass(1_000);
    word(&mut hand, link, id(5), &here(8));
    assert_eq!(listed(&hand), [(id(5), true), (id(1), false)], "it is back");
}

#[test]
fn a_node_that_is_taken_to_be_lost_answers_and_an_old_doubt_is_not_answered() {
    let (mut hand, link) = present();
    hand.pass(60_000);
    // The next one is due long after this one.
    let version = (0..1000).find_map(|_| announced(&hand.pass(100), link).last().copied());
    let version = version.expect("announced again and again");
    let me = id(100);
    let doubt = |hand: &mut Hand, version| {
        let actions = word(hand, link, id(1), &Members::Lost(vec![(me, version)]));
        announced(&actions, link)
    };
    assert_eq!(doubt(&mut hand, version - 1), Vec::<u64>::new(), "it has announced itself since");
    hand.pass(1_000);
    assert_eq!(doubt(&mut hand, version), [version + 1], "at once");
    // A second doubt, of a node that did not hear the answer, is answered a little later.
    hand.pass(100);
    assert_eq!(doubt(&mut hand, version + 1), Vec::<u64>::new());
    assert_eq!(announced(&hand.pass(500), link), [version + 2]);
}

#[test]
fn a_forged_doubt_is_outdone_and_does_not_use_up_the_versions() {
    let (mut hand, link) = present();
    let [.., version] = announced(&hand.pass(60_000), link)[..] else { panic!("announced") };
    let doubt = |hand: &mut Hand, version| {
        hand.pass(1_000);
        let actions = word(hand, link, id(1), &Members::Lost(vec![(id(100), version)]));
        announced(&actions, link)
    };
    assert_eq!(doubt(&mut hand, version + 1_000), [version + 1_001]);
    // A member that keeps a higher version than this is not outdone: it is silent until it is forgotten.
    assert_eq!(doubt(&mut hand, u64::MAX), [version + 1_002]);
}

#[test]
fn the_list_is_told_page_by_page() {
    let (mut hand, link) = present();
    // Equal messages of one second are one message.
    for (id, version) in many(150).zip(1..) {
        word(&mut hand, link, id, &here(version));
    }
    let (mut after, mut pages, mut told) = (None, Vec::new(), Vec::new());
    loop {
        let actions = word(&mut hand, link, id(1), &Members::Tell { after });
        let [Members::Rows(rows)] = &said(&actions, link)[..] else { panic!("a page") };
        pages.push(rows.len());
        told.extend(rows.iter().map(|row| row.id));
        if rows.len() < MAX_ROWS {
            break;
        }
        after = rows.last().map(|row| row.id);
        hand.pass(1_000);
    }
    assert_eq!(pages, [64, 64, 23]);
    let expected: Vec<NodeId> = [id(100)].into_iter().chain(many(150)).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_peer_that_asks_without_end_gets_as_many_pages_as_its_bound() {
    let (mut hand, link) = present();
    let before = hand.node.stats().unanswered;
    let mut pages = 0;
    // Whispers of one second are told apart by the member that they go on after.
    for after in many(1_000) {
        let actions = word(&mut hand, link, id(1), &Members::Tell { after: Some(after) });
        pages += said(&actions, link).len();
    }
    assert_eq!((pages, hand.node.stats().unanswered - before), (256, 744));
}

#[test]
fn the_rest_of_a_list_is_asked_for_and_a_peer_cannot_lead_the_node_in_circles() {
    let (mut hand, link) = present();
    let page = |ids: Vec<NodeId>| {
        let row = |id| Row {
            id,
            version: 1,
            age: Duration::ZERO,
            name: String::new(),
            role: String::new(),
        };
        Members::Rows(ids.into_iter().map(row).collect())
    };
    let first: Vec<NodeId> = many(64).collect();
    let asked = |actions: &[Action]| said(actions, link);
    let actions = word(&mut hand, link, id(1), &page(first.clone()));
    assert_eq!(asked(&actions), [Members::Tell { after: first.last().copied() }]);
    hand.pass(1_000);
    let actions = word(&mut hand, link, id(1), &page(first.clone()));
    assert_eq!(asked(&actions), [], "the same page again");
    hand.pass(1_000);
    let actions = word(&mut hand, link, id(1), &page(many(70).skip(64).collect()));
    assert_eq!(asked(&actions), [], "the last page is not full");
    assert_eq!(listed(&hand).len(), 71);
}
