//! Two links to a py2p node, which is played here by its words.

use std::time::Duration;

use bytes::BytesMut;

use super::*;
use crate::config::Config;
use crate::node::{Event, Identity, Parcel};
use crate::packet::Packet;
use crate::protocol::Protocol;
use crate::wire::{Draft, Handshake, Header, HostPort};

const HANDSHAKE: &[u8] = b"\x03";
const PEERS: &[u8] = b"\x07";
const REQUEST: &[u8] = b"\x08";

fn id(first: u8) -> NodeId {
    let mut digest = [1; 48];
    digest[0] = first;
    NodeId::from_digest(&digest)
}

fn addr(port: u16) -> HostPort {
    HostPort { host: "127.0.0.1".into(), port }
}

/// A node in the middle of all ids, and a py2p that talks to it.
struct Bench {
    node: Node,
    now: Duration,
    py: NodeId,
    said: Vec<(LinkId, Packet)>,
    closed: Vec<LinkId>,
    outcomes: Vec<Result<NodeId, Cause>>,
}

impl Bench {
    fn new(py: NodeId, config: Config) -> Self {
        let me = Identity { id: id(0x80), protocol: Protocol::default(), addr: addr(4444) };
        Bench {
            node: Node::new(me, config, 1),
            now: Duration::from_secs(1),
            py,
            said: Vec::new(),
            closed: Vec::new(),
            outcomes: Vec::new(),
        }
    }

    fn now(&self) -> Now {
        Now { mono: self.now, wall: Duration::from_secs(1_800_000_000) + self.now }
    }

    fn happen(&mut self, event: Event) {
        self.node.handle(self.now(), event);
        self.drain();
    }

    fn drain(&mut self) -> Option<LinkId> {
        let mut dialled = None;
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Send { link, parcel: Parcel::Control(draft) } => {
                    self.said.push((link, draft.packets[0].clone()));
                }
                Action::Close { link, .. } => self.closed.push(link),
                Action::Dial { link, .. } => dialled = Some(link),
                Action::Connected { outcome, .. } => {
                    self.outcomes.push(outcome.map_err(|failure| failure.cause))
                }
                _ => {}
            }
        }
        dialled
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.happen(Event::Tick);
    }

    /// The py2p dials; it introduces itself at once.
    fn it_dials(&mut self) -> LinkId {
        let link = self.node.admit(self.now()).expect("room");
        self.open(link);
        link
    }

    /// Our user connects; the py2p introduces itself at once.
    fn we_dial(&mut self) -> LinkId {
        self.node.connect(self.now(), vec![addr(5555)]).expect("room");
        let link = self.drain().expect("a dial");
        self.open(link);
        link
    }

    fn open(&mut self, link: LinkId) {
        self.happen(Event::Opened { link });
        let handshake = Handshake {
            id: self.py,
            protocol: Protocol::default().id().into(),
            addr: Some(addr(5555)),
            methods: vec![],
        };
        self.hear(link, handshake.payload());
    }

    /// The py2p whispers.
    fn hear(&mut self, link: LinkId, packets: Vec<Packet>) {
        let draft = Draft { main: Flag::Whisper, packets, time: self.now().second() };
        let frame = draft.encode(&self.py, &draft.id());
        let frame = BytesMut::from(&frame.bytes(None)[..]);
        let header = Header::parse(frame, &[], 1 << 20).expect("a frame of ours");
        let envelope = Box::new(header.verify().expect("its id is right"));
        self.happen(Event::Received { link, envelope });
    }

    fn it_lists_peers(&mut self, link: LinkId) {
        self.hear(link, peers::payload(&[]));
    }

    fn has_said(&self, link: LinkId, kind: &[u8]) -> bool {
        self.said.iter().any(|(to, said)| *to == link && **said == *kind)
    }

    fn row(&self) -> Option<LinkId> {
        self.node.link_of(&self.py)
    }
}

fn lower() -> Bench {
    Bench::new(id(1), Config::default())
}

fn higher() -> Bench {
    Bench::new(id(0xff), Config::default())
}

#[test]
fn a_second_link_is_not_answered_and_goes_when_the_first_one_lives() {
    for mut bench in [lower(), higher()] {
        let first = bench.it_dials();
        assert!(bench.has_said(first, HANDSHAKE));
        for second in [bench.it_dials(), bench.it_dials()] {
            assert!(
                !bench.closed.contains(&second),
                "not before it is known whether the first lives"
            );
        }
        assert!(bench.has_said(first, REQUEST), "which is asked");
        bench.it_lists_peers(first);
        assert_eq!(bench.closed.len(), 2);
        assert_eq!((bench.row(), bench.node.links()), (Some(first), 1));
        assert!(!bench.closed.iter().any(|&link| bench.has_said(link, HANDSHAKE)));
    }
}

#[test]
fn a_second_link_takes_over_when_the_first_one_is_lost() {
    let mut bench = lower();
    let first = bench.it_dials();
    let second = bench.it_dials();
    bench.happen(Event::HungUp { link: first });
    assert_eq!(bench.row(), Some(second));
    assert!(bench.has_said(second, HANDSHAKE) && bench.has_said(second, PEERS));
    assert_eq!(bench.node.stats().left, 0, "it was never gone");
}

#[test]
fn a_second_link_takes_over_from_a_first_one_that_is_silent() {
    let mut bench = lower();
    let first = bench.it_dials();
    let second = bench.it_dials();
    bench.pass(Config::default().handshake_timeout);
    assert_eq!((bench.row(), &bench.closed[..]), (Some(second), &[first][..]));
    assert!(bench.has_said(second, HANDSHAKE));
}

#[test]
fn a_py2p_with_a_higher_id_is_answered_on_its_own_dial() {
    let mut bench = higher();
    let ours = bench.we_dial();
    assert_eq!(bench.row(), None);
    let its = bench.it_dials();
    assert!(bench.has_said(its, HANDSHAKE) && !bench.has_said(ours, HANDSHAKE));
    bench.it_lists_peers(its);
    assert_eq!((bench.row(), &bench.closed[..]), (Some(its), &[ours][..]));
    assert!(matches!(bench.outcomes[..], [Ok(py)] if py == bench.py), "the user has his link");
}

#[test]
fn a_py2p_with_a_higher_id_that_does_not_dial_is_answered_after_a_moment() {
    let mut bench = higher();
    let ours = bench.we_dial();
    assert!(!bench.has_said(ours, HANDSHAKE));
    bench.pass(CROSSED_DIAL);
    assert!(bench.has_said(ours, HANDSHAKE));
    assert_eq!(bench.row(), Some(ours));
}

#[test]
fn a_py2p_with_a_lower_id_is_answered_on_the_first_link() {
    let mut bench = lower();
    let ours = bench.we_dial();
    assert!(bench.has_said(ours, HANDSHAKE));
    assert_eq!(bench.row(), Some(ours));
}

#[test]
fn who_waits_for_a_link_that_a_conflict_cost_gets_a_second_dial_and_no_third() {
    let mut bench = lower();
    let first = bench.we_dial();
    bench.node.handle(bench.now(), Event::HungUp { link: first });
    let second = bench.drain().expect("a second dial");
    bench.open(second);
    assert!(bench.outcomes.is_empty(), "{:?}", bench.outcomes);
    bench.node.handle(bench.now(), Event::HungUp { link: second });
    assert_eq!(bench.drain(), None);
    assert!(matches!(bench.outcomes[..], [Err(Cause::PeerClosed)]), "{:?}", bench.outcomes);
}

#[test]
fn who_waits_for_a_link_waits_on_for_the_one_that_takes_over() {
    let mut bench = lower();
    let ours = bench.we_dial();
    let its = bench.it_dials();
    bench.happen(Event::HungUp { link: ours });
    assert!(bench.outcomes.is_empty(), "{:?}", bench.outcomes);
    bench.it_lists_peers(its);
    assert!(matches!(bench.outcomes[..], [Ok(_)]), "{:?}", bench.outcomes);
}

#[test]
fn who_finds_no_room_is_told_who_we_are_and_closed() {
    let mut bench = Bench::new(id(1), Config { max_links: 1, ..Config::default() });
    bench.it_dials();
    bench.py = id(2);
    let surplus = bench.it_dials();
    assert!(bench.has_said(surplus, HANDSHAKE), "or it would never forget us");
    assert_eq!(bench.closed, [surplus]);
    assert_eq!(bench.node.peers().count(), 1);
}
