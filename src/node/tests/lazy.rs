//! Large messages between nodes that know announcements.

use super::*;
use crate::wire::{Lazy, Named};

fn config() -> Config {
    Config { lazy_from: Some(512), ..Config::default() }
}

/// Longer than the collecting of announcements, and than any wait for a message.
const SOON: u64 = 10;
const LATE: u64 = 3000;

/// A large broadcast of this node, as it arrives.
fn large(sender: u8, number: u64) -> Box<Envelope> {
    let text = format!("{number:>1000}");
    envelope(id(sender), Flag::Broadcast, SECOND, packets([&[0], text.as_bytes()]))
}

fn name(envelope: &Envelope) -> Named {
    Named { id: envelope.id, time: envelope.time }
}

impl Hand {
    /// A node of this id that knows announcements dials us.
    fn lazy(&mut self, n: u8) -> LinkId {
        let link = self.node.admit(self.now).expect("room");
        self.tell(Event::Opened { link });
        let hello = Hello::new(["links"]).and_lazy(Some(512)).payload();
        self.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
        self.shake(link, n);
        link
    }

    fn word(&mut self, link: LinkId, n: u8, word: &Lazy) -> Vec<Action> {
        self.hear(link, envelope(id(n), Flag::Whisper, SECOND, word.payload()))
    }

    /// Time passes.
    fn after(&mut self, ms: u64) -> Vec<Action> {
        self.now = at(self.now.mono.as_millis() as u64 + ms);
        self.tell(Event::Tick)
    }
}

/// The words about lazy push that are sent on a link.
fn words(actions: &[Action], on: LinkId) -> Vec<Lazy> {
    let word = |action: &Action| match action {
        Action::Send { link, parcel: Parcel::Control(draft) | Parcel::Announce(draft) }
            if *link == on =>
        {
            let sent = envelope(id(1), Flag::Whisper, SECOND, draft.packets.clone());
            match sent.body {
                Body::Lazy(word) => Some(word),
                _ => None,
            }
        }
        _ => None,
    };
    actions.iter().filter_map(word).collect()
}

/// A node with a link that sends everything and a lazy one.
fn eager_and_lazy() -> (Hand, LinkId, LinkId) {
    let mut hand = Hand::with(config());
    let (eager, lazy) = (hand.lazy(1), hand.lazy(2));
    hand.word(lazy, 2, &Lazy::Prune);
    (hand, eager, lazy)
}

#[test]
fn a_link_that_brings_duplicates_only_is_pruned_and_then_gets_ids() {
    let mut hand = Hand::with(config());
    let (first, late) = (hand.lazy(1), hand.lazy(2));
    let mut pruned = 0;
    for number in 0..20 {
        let actions = hand.hear(first, large(9, number));
        assert_eq!(relayed_to(&actions).contains(&late), pruned == 0);
        pruned += words(&hand.hear(late, large(9, number)), late).len();
    }
    assert_eq!((pruned, hand.node.stats().pruned), (1, 1));
    assert_eq!(hand.node.stats().eager_peers, 1);
    hand.after(SOON);
    let message = large(9, 100);
    hand.hear(first, message.clone());
    let actions = hand.after(SOON);
    assert_eq!(words(&actions, late), [Lazy::Have(vec![name(&message)])]);
}

#[test]
fn who_asks_gets_the_message_once_and_later_ones_at_once() {
    let (mut hand, eager, lazy) = eager_and_lazy();
    let message = large(9, 1);
    assert_eq!(relayed_to(&hand.hear(eager, message.clone())), []);
    let want = Lazy::Want(vec![name(&message)]);
    assert_eq!(relayed_to(&hand.word(lazy, 2, &want)), [lazy]);
    assert_eq!(relayed_to(&hand.word(lazy, 2, &want)), [], "once");
    assert_eq!(relayed_to(&hand.hear(eager, large(9, 2))), [lazy], "the link is eager again");
}

#[test]
fn who_asks_again_gets_the_message_that_had_no_room_the_first_time() {
    let (mut hand, eager, lazy) = eager_and_lazy();
    let message = large(9, 1);
    hand.hear(eager, message.clone());
    let want = Lazy::Want(vec![name(&message)]);
    let actions = hand.word(lazy, 2, &want);
    let Some(Action::Answer { id, parcel, .. }) = actions.first() else { panic!("{actions:?}") };
    hand.node.answered(lazy, id, parcel, false);
    assert_eq!(hand.node.stats().relay_frames, 0);
    assert_eq!(relayed_to(&hand.word(lazy, 2, &want)), [lazy]);
    hand.node.answered(lazy, id, parcel, true);
    assert_eq!(hand.node.stats().relay_frames, 1);
    assert_eq!(relayed_to(&hand.word(lazy, 2, &want)), [], "once");
}

#[test]
fn what_was_announced_and_does_not_come_is_asked_for() {
    let (mut hand, eager, lazy) = eager_and_lazy();
    let (comes, fails) = (large(9, 1), large(9, 2));
    hand.word(lazy, 2, &Lazy::Have(vec![name(&comes), name(&fails)]));
    hand.hear(eager, comes);
    let actions = hand.after(LATE);
    assert_eq!(words(&actions, lazy), [Lazy::Want(vec![name(&fails)])]);
    assert_eq!((hand.node.stats().asked, hand.node.stats().grafted), (1, 1));
    hand.hear(lazy, fails);
    assert_eq!(words(&hand.after(LATE), lazy), []);
}

#[test]
fn without_an_eager_link_what_is_announced_is_asked_for_at_once() {
    let (mut hand, eager, lazy) = eager_and_lazy();
    hand.word(eager, 1, &Lazy::Prune);
    let message = large(9, 1);
    hand.word(lazy, 2, &Lazy::Have(vec![name(&message)]));
    assert_eq!(words(&hand.after(0), lazy), [Lazy::Want(vec![name(&message)])]);
}

#[test]
fn a_message_of_this_node_is_sent_somewhere_at_once_even_if_all_links_are_lazy() {
    let (mut hand, eager, _) = eager_and_lazy();
    hand.word(eager, 1, &Lazy::Prune);
    let text = "x".repeat(1000);
    let packets = packets([&[0], text.as_bytes()]);
    let draft = Draft { main: Flag::Broadcast, packets, time: SECOND };
    let mut message = draft.with_parts(|parts| Dated::new(parts, id(100)));
    let peers = hand.node.publish(hand.now, &mut message);
    assert_eq!((peers, hand.node.stats().own_frames), (Ok(2), 2));
}

#[test]
fn a_peer_without_the_word_is_sent_everything_and_its_words_change_nothing() {
    let mut hand = Hand::with(config());
    let (lazy, plain) = (hand.lazy(1), hand.rs2p(2));
    hand.word(plain, 2, &Lazy::Prune);
    for number in 0..20 {
        let actions = hand.hear(lazy, large(9, number));
        assert_eq!(relayed_to(&actions), [plain]);
        assert_eq!(words(&hand.hear(plain, large(9, number)), plain), []);
    }
    hand.word(plain, 2, &Lazy::Have(vec![name(&large(9, 100))]));
    assert_eq!(words(&hand.after(LATE), plain), []);
}

#[test]
fn small_messages_go_everywhere_and_prune_nothing() {
    let (mut hand, eager, lazy) = eager_and_lazy();
    for number in 0..20 {
        let text = format!("small {number}");
        assert_eq!(relayed_to(&hand.broadcast(eager, 9, SECOND, &text)), [lazy]);
        hand.broadcast(lazy, 9, SECOND, &text);
    }
    let stats = hand.node.stats();
    assert_eq!((stats.duplicates, stats.pruned, stats.announced), (20, 0, 0));
}

#[test]
fn the_two_ends_of_a_link_agree_on_what_is_large() {
    let config = Config { lazy_from: Some(100), ..config() };
    let mut hand = Hand::with(config);
    let (eager, lazy) = (hand.lazy(1), hand.lazy(2));
    hand.word(lazy, 2, &Lazy::Prune);
    let text = "x".repeat(200);
    assert_eq!(relayed_to(&hand.broadcast(eager, 9, SECOND, &text)), [lazy], "512 is theirs");
}

#[test]
fn a_broadcast_word_is_refused_and_not_relayed() {
    let mut hand = Hand::with(config());
    let (one, _) = (hand.lazy(1), hand.lazy(2));
    let word = envelope(id(9), Flag::Broadcast, SECOND, Lazy::Prune.payload());
    assert_eq!(relayed_to(&hand.hear(one, word)), []);
    assert_eq!(hand.node.stats().refused_for(Refusal::NotForAll), 1);
}
