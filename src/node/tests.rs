//! The node by itself: no socket, no clock, a few lines a promise.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::BytesMut;

use super::event::Neighbour;
use super::*;
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::id::MessageId;
use crate::options::Kind;
use crate::protocol::{Encryption, Protocol};
use crate::stats::Refusal;
use crate::wire::{
    Body, Envelope, Handshake, Header, Hello, Letter, Malformed, Method, PeerEntry, peers,
};

mod addresses;
mod clocks;
mod exchange;
mod hostile;
mod lazy;
mod members;
mod pacing;
mod places;
mod replies;

const SECOND: u64 = 1_800_000_000;

fn at(ms: u64) -> Now {
    let mono = Duration::from_millis(ms);
    Now { mono, wall: Duration::from_secs(SECOND) + mono }
}

fn id(n: u8) -> NodeId {
    NodeId::from_digest(&[n; 48])
}

fn host(port: u16) -> HostPort {
    HostPort { host: "127.0.0.1".into(), port }
}

fn packets<const N: usize>(packets: [&[u8]; N]) -> Vec<Packet> {
    packets.into_iter().map(Packet::from).collect()
}

/// A message as it arrives.
fn envelope(sender: NodeId, main: Flag, time: u64, packets: Vec<Packet>) -> Box<Envelope> {
    let draft = Draft { main, packets, time };
    let frame = draft.encode(&sender, &draft.id());
    let header = Header::parse(BytesMut::from(&frame.bytes(None)[..]), &[], 1 << 20);
    Box::new(header.and_then(Header::verify).expect("a message"))
}

/// A node with id 100 at port 100, and a hand on it.
struct Hand {
    node: Node,
    now: Now,
}

impl Hand {
    fn new() -> Self {
        Hand::with(Config::default())
    }

    fn with(config: Config) -> Self {
        let me = Identity { id: id(100), protocol: Protocol::default(), addr: host(10_100) };
        Hand { node: Node::new(me, config, 1), now: at(0) }
    }

    fn tell(&mut self, event: Event) -> Vec<Action> {
        self.node.handle(self.now, event);
        self.actions()
    }

    fn actions(&mut self) -> Vec<Action> {
        std::iter::from_fn(|| self.node.poll_action()).collect()
    }

    fn hear(&mut self, link: LinkId, envelope: Box<Envelope>) -> Vec<Action> {
        self.tell(Event::Received { link, envelope })
    }

    /// A py2p node of this id dials us and shakes hands.
    fn py2p(&mut self, n: u8) -> LinkId {
        let link = self.node.admit(self.now).expect("room");
        self.tell(Event::Opened { link });
        let actions = self.shake(link, n);
        assert!(says(&actions, link).contains(&Kind::HANDSHAKE), "answered");
        link
    }

    /// The same for an rs2p node.
    fn rs2p(&mut self, n: u8) -> LinkId {
        let link = self.node.admit(self.now).expect("room");
        self.tell(Event::Opened { link });
        let hello = Hello::new(["links"]).payload();
        let actions = self.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
        assert_eq!(says(&actions, link), [Kind::HANDSHAKE], "greeted at once");
        self.shake(link, n);
        link
    }

    /// The same for one that passes replies on.
    fn capable(&mut self, n: u8) -> LinkId {
        let link = self.node.admit(self.now).expect("room");
        self.tell(Event::Opened { link });
        let hello = Hello::new(["links", "replies"]).payload();
        self.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
        self.shake(link, n);
        link
    }

    /// Our user connects to this port.
    fn connect(&mut self, port: u16) -> LinkId {
        let addr = SocketAddr::from(([127, 0, 0, 1], port));
        self.node.connect(self.now, vec![addr.into()]).expect("room");
        dials(&self.actions())[0]
    }

    /// The rs2p node of this id answers where we dialled.
    fn answers(&mut self, link: LinkId, n: u8) -> Vec<Action> {
        self.tell(Event::Opened { link });
        let hello = Hello::new(["links"]).payload();
        self.hear(link, envelope(id(n), Flag::Whisper, SECOND, hello));
        self.shake(link, n)
    }

    fn shake(&mut self, link: LinkId, n: u8) -> Vec<Action> {
        let handshake = Handshake {
            id: id(n),
            protocol: Protocol::default().id().into(),
            addr: Some(host(10_000 + u16::from(n))),
            methods: vec![Method::Zlib],
        };
        self.hear(link, envelope(id(n), Flag::Whisper, SECOND, handshake.payload()))
    }

    fn broadcast(&mut self, link: LinkId, sender: u8, time: u64, text: &str) -> Vec<Action> {
        let packets = packets([&[0], text.as_bytes()]);
        self.hear(link, envelope(id(sender), Flag::Broadcast, time, packets))
    }

    fn refused(&self, reason: Refusal) -> u64 {
        self.node.stats().refused_for(reason)
    }

    /// Lets time pass, timer by timer.
    fn pass(&mut self, ms: u64) -> Vec<Action> {
        let end = self.now.mono + Duration::from_millis(ms);
        let mut actions = Vec::new();
        while let Some(next) = self.node.next_deadline().filter(|next| *next <= end) {
            self.now = at(u64::try_from(next.as_millis()).expect("soon") + 1);
            actions.extend(self.tell(Event::Tick));
        }
        self.now = at(u64::try_from(end.as_millis()).expect("soon"));
        actions
    }
}

/// The kinds of control messages put on a link.
fn says(actions: &[Action], on: LinkId) -> Vec<Kind> {
    let control = |action: &Action| match action {
        Action::Send { link, parcel: Parcel::Control(draft) | Parcel::Answer(draft) }
            if *link == on =>
        {
            draft.packets.first().map(Kind::from)
        }
        _ => None,
    };
    actions.iter().filter_map(control).collect()
}

/// The links that are to be dialled.
fn dials(actions: &[Action]) -> Vec<LinkId> {
    let dial = |action: &Action| match action {
        Action::Dial { link, .. } => Some(*link),
        _ => None,
    };
    actions.iter().filter_map(dial).collect()
}

fn relayed_to(actions: &[Action]) -> Vec<LinkId> {
    let relays = |action: &Action| match action {
        Action::Send { link, parcel: Parcel::Relay(..) }
        | Action::Answer { link, parcel: Parcel::Relay(..), .. } => Some(*link),
        _ => None,
    };
    actions.iter().filter_map(relays).collect()
}

fn delivered(actions: &[Action]) -> Vec<Neighbour> {
    let deliveries = |action: &Action| match action {
        Action::Deliver { from, .. } => Some(Neighbour::clone(from)),
        _ => None,
    };
    actions.iter().filter_map(deliveries).collect()
}

fn closed(actions: &[Action]) -> Option<(LinkId, Cause)> {
    actions.iter().find_map(|action| match action {
        Action::Close { link, cause } => Some((*link, cause.clone())),
        _ => None,
    })
}

#[test]
fn a_broadcast_goes_to_all_but_whom_it_came_from_and_its_sender() {
    let mut hand = Hand::new();
    let (a, b, c) = (hand.rs2p(1), hand.py2p(2), hand.rs2p(3));
    let actions = hand.broadcast(a, 3, SECOND, "x");
    assert_eq!(relayed_to(&actions), [b], "not back to a, not to c who sent it");
    assert_eq!(delivered(&actions).len(), 1);
    let again = hand.broadcast(c, 3, SECOND, "x");
    assert!(relayed_to(&again).is_empty() && delivered(&again).is_empty());
    assert_eq!(hand.node.stats().duplicates, 1);
}

#[test]
fn what_is_too_old_too_new_or_our_own_goes_nowhere() {
    let mut hand = Hand::new();
    let a = hand.rs2p(1);
    hand.rs2p(2);
    for (sender, time, reason) in [
        (3, SECOND - 60, Refusal::TooOld),
        (3, 0, Refusal::TooOld),
        (3, SECOND + 301, Refusal::TooFarAhead),
        (3, u64::MAX, Refusal::TooFarAhead),
        (100, SECOND, Refusal::Echo),
    ] {
        let before = hand.refused(reason);
        let actions = hand.broadcast(a, sender, time, "x");
        assert!(relayed_to(&actions).is_empty() && delivered(&actions).is_empty(), "{reason}");
        assert_eq!(hand.refused(reason), before + 1);
    }
    for time in [SECOND - 59, SECOND + 300] {
        assert_eq!(delivered(&hand.broadcast(a, 3, time, "x")).len(), 1);
    }
}

#[test]
fn what_would_poison_py2p_is_refused_and_its_bearer_stays() {
    let mut hand = Hand::new();
    let a = hand.py2p(1);
    hand.py2p(2);
    for kind in [Kind::HANDSHAKE, Kind::PEERS, Kind::COMPRESSION, Kind::RESEND, Kind::new("rs2p")] {
        let packets = packets([kind.as_bytes(), b"junk"]);
        let actions = hand.hear(a, envelope(id(3), Flag::Broadcast, SECOND, packets));
        assert!(actions.is_empty(), "{kind:?}: {actions:?}");
    }
    assert_eq!((hand.refused(Refusal::NotForAll), hand.refused(Refusal::Invalid)), (4, 1));
    let actions = hand.hear(a, envelope(id(3), Flag::Broadcast, SECOND, packets([&[8]])));
    assert!(actions.is_empty());
    assert_eq!(hand.refused(Refusal::Invalid), 2);
    // The same as a whisper can only be the neighbour's own.
    let junk = packets([&[7], b"junk"]);
    let actions = hand.hear(a, envelope(id(1), Flag::Whisper, SECOND, junk));
    assert!(matches!(closed(&actions), Some((link, Cause::Malformed(_))) if link == a));
}

#[test]
fn a_whisper_bears_its_neighbours_name() {
    let mut hand = Hand::new();
    let a = hand.rs2p(1);
    let whisper = |sender| envelope(id(sender), Flag::Whisper, 0, packets([&[2], b"x"]));
    assert_eq!(delivered(&hand.hear(a, whisper(1))).len(), 1, "of whatever date");
    assert!(delivered(&hand.hear(a, whisper(2))).is_empty());
    assert_eq!(hand.refused(Refusal::ForeignWhisper), 1);
}

#[test]
fn an_unreadable_frame_is_asked_for_once_in_a_while() {
    let mut hand = Hand::new();
    let a = hand.py2p(1);
    let junk = || Event::Malformed { link: a, why: Malformed::Unparsable("junk") };
    let actions = hand.tell(junk());
    assert_eq!(says(&actions, a), [Kind::COMPRESSION, Kind::RESEND]);
    hand.pass(20_000);
    assert!(closed(&hand.tell(junk())).is_none(), "it had 20 s to mend itself");
    assert!(matches!(closed(&hand.tell(junk())), Some((link, _)) if link == a));
}

#[test]
fn what_an_honest_neighbour_may_pass_on_does_not_end_its_link() {
    let mut hand = Hand::new();
    let a = hand.py2p(1);
    for why in [Malformed::BadSender, Malformed::NoPayload, Malformed::TooManyPackets] {
        assert!(hand.tell(Event::Malformed { link: a, why }).is_empty());
    }
    let actions = hand.tell(Event::Malformed { link: a, why: Malformed::WrongId });
    assert!(closed(&actions).is_some());
}

#[test]
fn a_renegotiation_is_answered_with_what_we_can_do_if_it_is_news() {
    let mut hand = Hand::new();
    let a = hand.py2p(1);
    let ask = |methods: &[Method]| {
        envelope(id(1), Flag::Renegotiate, SECOND, Method::list_payload(methods))
    };
    let actions = hand.hear(a, ask(&[]));
    assert_eq!(says(&actions, a), [Kind::COMPRESSION]);
    let settings = actions.iter().find_map(|action| match action {
        Action::Renegotiate { settings, .. } => Some(settings),
        _ => None,
    });
    assert_eq!(settings.expect("new settings").send, None);
    assert!(hand.hear(a, ask(&[])).is_empty(), "no news");
    let resend = envelope(id(1), Flag::Renegotiate, SECOND, Method::resend_payload());
    assert!(matches!(hand.hear(a, resend)[..], [Action::Resend { link }] if link == a));
}

#[test]
fn a_flood_of_requests_for_peers_is_answered_now_and_then() {
    let mut hand = Hand::new();
    let a = hand.py2p(1);
    let mut told = 0;
    for ms in 0..1000 {
        hand.now = at(ms);
        let ask = envelope(id(1), Flag::Whisper, SECOND, peers::request_payload());
        told += says(&hand.hear(a, ask), a).len();
    }
    assert_eq!(told, 4);
}

#[test]
fn hints_are_dialled_while_links_are_few_and_addresses_make_sense() {
    let mut hand = Hand::new();
    let a = hand.py2p(1);
    let entry = |n: u8, addr: HostPort| PeerEntry { addr: Some(addr), id: id(n) };
    let mut list = vec![
        entry(2, host(22)),
        entry(3, host(0)),
        entry(4, HostPort { host: "0.0.0.0".into(), port: 4444 }),
        entry(5, HostPort { host: "169.254.169.254".into(), port: 4444 }),
        entry(100, host(4444)),
        entry(6, host(10_100)),
        entry(1, host(5555)),
    ];
    let tell = |list: &[PeerEntry]| envelope(id(1), Flag::Whisper, SECOND, peers::payload(list));
    assert_eq!(dials(&hand.hear(a, tell(&list))), [], "nothing that makes sense");
    list.extend((0..40).map(|n| entry(20 + n, host(20_000 + u16::from(n)))));
    assert_eq!(dials(&hand.hear(a, tell(&list))).len(), 4, "as many as are wanted");
}

#[test]
fn a_lost_peer_is_dialled_again_and_the_user_is_told() {
    let mut hand = Hand::new();
    let a = hand.rs2p(1);
    let actions = hand.tell(Event::Lost { link: a, cause: Cause::PeerClosed });
    let reports = |actions: &[Action]| {
        let is_report = |action: &&Action| matches!(action, Action::Report(_));
        actions.iter().filter(is_report).count()
    };
    assert_eq!(reports(&actions), 2, "left, and alone: {actions:?}");
    let actions = hand.pass(2000);
    let dial = actions.iter().find_map(|action| match action {
        Action::Dial { link, target, .. } => Some((*link, target.clone())),
        _ => None,
    });
    let (link, target) = dial.expect("a dial");
    assert_eq!(target, Target::Told(host(10_001), dialable::Scope::Host));
    hand.tell(Event::Opened { link });
    hand.hear(link, envelope(id(1), Flag::Whisper, SECOND, Hello::new([]).payload()));
    let actions = hand.shake(link, 1);
    let healed = |action: &Action| matches!(action, Action::Report(MeshEvent::Healed));
    assert!(actions.iter().any(healed), "{actions:?}");
}

#[test]
fn a_second_link_takes_the_place_of_one_that_the_peer_has_lost() {
    for peer in [1, 200] {
        let mut hand = Hand::new();
        let first = hand.rs2p(peer);
        hand.pass(60_000);
        // It knows nothing of the first one, so nobody chooses.
        let second = hand.rs2p(peer);
        assert_eq!(hand.node.link_of(&id(peer)), Some(first));
        let actions = hand.pass(11_000);
        let gives_way = |action: &Action| matches!(action, Action::Retire { link, heir } if *link == first && *heir == second);
        assert!(actions.iter().any(gives_way), "{actions:?}");
        assert_eq!(hand.node.link_of(&id(peer)), Some(second));
        assert_eq!(hand.node.stats().left, 0, "it was there all the time");
    }
}

#[test]
fn who_has_no_room_says_whom_else_to_ask() {
    let mut full = Hand::with(Config { max_links: 1, ..Config::default() });
    full.rs2p(1);
    let link = full.node.admit(full.now).expect("seen when it says who it is");
    full.tell(Event::Opened { link });
    let hello = || envelope(id(2), Flag::Whisper, SECOND, Hello::new(["links"]).payload());
    let actions = full.hear(link, hello());
    assert_eq!(says(&actions, link), [Kind::PEERS]);
    assert!(matches!(closed(&actions), Some((l, Cause::TooManyLinks)) if l == link));

    let mut newcomer = Hand::new();
    let link = newcomer.connect(10_002);
    newcomer.tell(Event::Opened { link });
    newcomer.hear(link, hello());
    let others = [PeerEntry { addr: Some(host(10_001)), id: id(1) }];
    let told = envelope(id(2), Flag::Whisper, SECOND, peers::payload(&others));
    let mut actions = newcomer.hear(link, told);
    actions.extend(newcomer.tell(Event::Lost { link, cause: Cause::PeerClosed }));
    assert_eq!(dials(&actions).len(), 1, "{actions:?}");
}

#[test]
fn messages_that_a_lost_link_had_read_still_count() {
    let mut hand = Hand::new();
    let (a, b) = (hand.rs2p(1), hand.rs2p(2));
    hand.tell(Event::Lost { link: a, cause: Cause::PeerClosed });
    let actions = hand.broadcast(a, 1, SECOND, "last words");
    assert_eq!((relayed_to(&actions), delivered(&actions).len()), (vec![b], 1));
    hand.tell(Event::Finished { link: a });
    hand.broadcast(a, 1, SECOND, "too late");
    assert_eq!(hand.refused(Refusal::Late), 1);
}

#[test]
fn a_second_is_taken_by_one_message_only() {
    let mut hand = Hand::new();
    let draft = Draft { main: Flag::Broadcast, packets: packets([&[0], b"x"]), time: SECOND };
    let mut times: Vec<u64> = Vec::new();
    let mut message = draft.with_parts(|parts| Dated::new(parts, id(100)));
    while hand.node.publish(hand.now, &mut message).is_ok() {
        times.push(message.time());
    }
    // Ahead, then back: as far as every node accepts it.
    assert_eq!((times[0], times[1], times[56]), (SECOND, SECOND + 1, SECOND - 1));
    times.sort_unstable();
    times.dedup();
    assert_eq!(times.len(), 86);
}

#[test]
fn a_reply_waits_for_a_route_and_gives_up_in_time() {
    let mut hand = Hand::new();
    let a = hand.rs2p(1);
    let draft = Draft { main: Flag::Whisper, packets: packets([&[2], b"x"]), time: SECOND };
    let letter = Letter::plain(&draft, &id(100));
    let Dispatch::Pending(ticket) = hand.node.send_to(hand.now, id(9), letter.clone()) else {
        panic!("not a peer")
    };
    assert_eq!(says(&hand.actions(), a), [Kind::REQUEST]);
    let actions = hand.pass(10_001);
    let settled = |action: &Action| matches!(action, Action::Settled { ticket: t, sent: false } if *t == ticket);
    assert!(actions.iter().any(settled));
    assert_eq!(hand.node.send_to(hand.now, id(1), letter), Dispatch::Sent);
}

#[test]
fn we_tell_where_a_peer_is_but_only_to_whom_asks_and_only_if_we_may() {
    for (may, answers) in [(true, vec![Kind::RESPONSE]), (false, vec![])] {
        let mut hand = Hand::with(Config { answer_requests: may, ..Config::default() });
        let (a, b) = (hand.rs2p(1), hand.rs2p(2));
        let ask = peers::route_request_payload(&Packet::from("request"), &id(2));
        let actions = hand.hear(a, envelope(id(7), Flag::Broadcast, SECOND, ask));
        assert_eq!(says(&actions, a), answers);
        assert!(says(&actions, b).is_empty());
        assert_eq!(relayed_to(&actions), [b], "the question goes on all the same");
    }
}

#[test]
fn another_mesh_and_our_own_self_are_turned_away() {
    let (other, ours) = (Protocol::new("mesh", Encryption::Ssl), Protocol::default());
    let another_mesh = "the peer belongs to another mesh: its encryption is SSL without a secret, \
                        ours is Plaintext";
    for (n, protocol, expected) in
        [(1, other.id(), another_mesh), (100, ours.id(), "the address is this socket's own")]
    {
        let mut hand = Hand::new();
        let link = hand.node.admit(hand.now).expect("room");
        hand.tell(Event::Opened { link });
        let theirs =
            Handshake { id: id(n), protocol: protocol.into(), addr: None, methods: Vec::new() };
        let actions = hand.hear(link, envelope(id(n), Flag::Whisper, SECOND, theirs.payload()));
        let (_, cause) = closed(&actions).expect("closed");
        assert!(cause.to_string().starts_with(expected), "{cause}");
        assert_eq!(hand.node.peers().count(), 0);
    }
}

#[test]
fn clocks_that_differ_are_warned_about() {
    let mut hand = Hand::new();
    let link = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link });
    let handshake = Handshake {
        id: id(1),
        protocol: Protocol::default().id().into(),
        addr: None,
        methods: Vec::new(),
    };
    let late = envelope(id(1), Flag::Whisper, SECOND - 31, handshake.payload());
    assert!(matches!(late.body, Body::Handshake(_)));
    let actions = hand.hear(link, late);
    let skew = actions.iter().find_map(|action| match action {
        Action::Report(MeshEvent::ClockSkew { by, .. }) => Some(*by),
        _ => None,
    });
    assert_eq!(skew, Some(Duration::from_secs(31)));
}

#[test]
fn a_stranger_that_does_not_go_on_gives_way_and_one_that_does_stays() {
    let mut hand = Hand::new();
    let links: Vec<LinkId> = (0..64).map(|_| hand.node.admit(hand.now).expect("room")).collect();
    assert!(!hand.node.may_admit(hand.now));
    assert!(matches!(hand.node.admit(hand.now), Err(Cause::Crowded)), "nobody is silent for long");
    hand.pass(400);
    hand.tell(Event::Opened { link: links[0] });
    hand.pass(100);
    assert!(hand.node.may_admit(hand.now));
    hand.node.admit(hand.now).expect("room");
    let actions = hand.actions();
    assert!(matches!(closed(&actions), Some((link, Cause::Evicted)) if link == links[1]));
    let actions = hand.pass(4500);
    let overdue = actions.iter().filter(|action| matches!(action, Action::Close { .. }));
    assert_eq!(overdue.count(), 63, "the others had five seconds");
}

#[test]
fn strangers_take_no_place_from_peers() {
    let mut hand = Hand::with(Config { max_links: 2, ..Config::default() });
    for _ in 0..10 {
        hand.node.admit(hand.now).expect("room");
    }
    hand.rs2p(1);
    hand.py2p(2);
    assert_eq!(hand.node.peers().count(), 2);
    let link = hand.node.admit(hand.now).expect("room");
    hand.tell(Event::Opened { link });
    let hello = Hello::new(["links"]).payload();
    let actions = hand.hear(link, envelope(id(3), Flag::Whisper, SECOND, hello));
    assert!(matches!(closed(&actions), Some((_, Cause::TooManyLinks))));
}

/// Lets each dial of a `connect` end with the next of these causes, the last one for ever. Returns
/// how many dials there were, and what the user is told.
fn dial_until_over(causes: &[Cause]) -> (usize, Result<NodeId, Cause>) {
    let mut hand = Hand::new();
    let addr = SocketAddr::from(([127, 0, 0, 1], 10_001));
    let Ok(Connecting::Dialling(connect)) = hand.node.connect(hand.now, vec![addr.into()]) else {
        panic!("a dial")
    };
    let outcome_in = |actions: &[Action]| {
        actions.iter().find_map(|action| match action {
            Action::Connected { connect: it, outcome } if *it == connect => Some(outcome.clone()),
            _ => None,
        })
    };
    let mut actions = hand.actions();
    for count in 1.. {
        let link = dials(&actions).pop().expect("a dial or an outcome");
        let cause = causes[(count - 1).min(causes.len() - 1)].clone();
        actions = hand.tell(Event::Lost { link, cause });
        while dials(&actions).is_empty() && outcome_in(&actions).is_none() {
            actions.extend(hand.pass(50));
        }
        if let Some(outcome) = outcome_in(&actions) {
            assert!(hand.now.mono <= Duration::from_secs(5));
            return (count, outcome.map_err(|failure| failure.cause));
        }
    }
    unreachable!("each dial ends")
}

#[test]
fn a_dial_that_ends_without_a_word_is_repeated_within_its_time() {
    let (dials, outcome) = dial_until_over(&[Cause::PeerClosed]);
    assert!(matches!(outcome, Err(Cause::PeerClosed)), "{outcome:?}");
    assert_eq!(dials, 5);
}

#[test]
fn a_repeated_dial_that_does_not_connect_tells_how_the_one_before_ended() {
    let (dials, outcome) = dial_until_over(&[Cause::PeerClosed, Cause::Refused]);
    assert!(matches!(outcome, Err(Cause::PeerClosed)), "{outcome:?}");
    assert_eq!(dials, 2);
}
