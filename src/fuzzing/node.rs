//! Histories of a whole node: several links, any order of events, clocks that jump.

use std::collections::{BTreeSet, HashSet};
use std::net::SocketAddr;
use std::time::Duration;

use arbitrary::{Result, Unstructured};
use bytes::BytesMut;

use super::messages;
use crate::cause::Cause;
use crate::config::Config;
use crate::id::{MessageId, NodeId};
use crate::node::event::PaceChange;
use crate::node::{Action, Dated, Event, Identity, LinkId, Node, Now};
use crate::options::Flag;
use crate::packet::Packet;
use crate::protocol::Protocol;
use crate::wire::{
    Draft, Envelope, Handshake, Header, Hello, HostPort, LastSender, Letter, Malformed, Method,
    Parts, Total,
};

/// Events of one history.
const MOST: usize = 400;
const SECOND: u64 = 1_800_000_000;
/// Ids that peers and senders have; 0 is the node's own.
const IDS: u8 = 6;
const MAX_LINKS: usize = 4;
const MAX_STRANGERS: usize = 3;

pub(super) fn run(data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let mut history = History::new(&mut input)?;
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        super::count_event();
        history.happen(&mut input)?;
        history.carry_out();
        history.check();
    }
    history.node.close();
    history.carry_out();
    Ok(())
}

struct History {
    node: Node,
    now: Now,
    /// Every link that ever was.
    links: Vec<LinkId>,
    /// Those that were not lost.
    alive: BTreeSet<LinkId>,
    delivered: HashSet<MessageId>,
}

impl History {
    fn new(input: &mut Unstructured<'_>) -> Result<Self> {
        let config = Config {
            max_links: MAX_LINKS,
            max_handshaking: MAX_STRANGERS,
            seen_ids: input.int_in_range(8..=256)?,
            lazy_from: if input.arbitrary()? { Some(input.int_in_range(0..=64)?) } else { None },
            ..Config::default()
        };
        let me = Identity { id: id(0), protocol: Protocol::default(), addr: host(0) };
        let now = Now { mono: Duration::from_secs(1), wall: Duration::from_secs(SECOND) };
        let node = Node::new(me, config, 1);
        let (links, alive) = (Vec::new(), BTreeSet::new());
        Ok(History { node, now, links, alive, delivered: HashSet::new() })
    }

    fn happen(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        match input.int_in_range(0..=19)? {
            0 => self.admit(),
            1 => self.open(input)?,
            2 | 3 => self.shake(input)?,
            4 => self.hello(input)?,
            5..=8 => self.broadcast(input)?,
            9 => self.say(input)?,
            10 => self.end(input)?,
            11 => self.wait(input)?,
            12 => self.jump(input)?,
            13 => self.publish(input)?,
            _ => self.ask(input)?,
        }
        Ok(())
    }

    fn admit(&mut self) {
        if let Ok(link) = self.node.admit(self.now) {
            self.begin(link);
            self.handle(Event::Opened { link });
        }
    }

    fn open(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let link = self.link(input)?;
        self.handle(Event::Opened { link });
        Ok(())
    }

    fn shake(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (link, n) = (self.link(input)?, any_id(input)?);
        let handshake = Handshake {
            id: id(n),
            protocol: Protocol::default().id().into(),
            addr: if input.ratio(7, 8)? { Some(host(n)) } else { None },
            methods: vec![Method::Zlib],
        };
        self.hear(link, n, Flag::Whisper, SECOND, handshake.payload());
        Ok(())
    }

    fn hello(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (link, n) = (self.link(input)?, any_id(input)?);
        let hello = Hello::new(["links", "replies", "pace"]).and_lazy(Some(16));
        self.hear(link, n, Flag::Whisper, SECOND, hello.payload());
        Ok(())
    }

    fn broadcast(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (link, n) = (self.link(input)?, any_id(input)?);
        let time = (self.now.second() - 80) + input.int_in_range(0..=160)?;
        let text = vec![b'x'; input.int_in_range(0..=32)?];
        let main = if input.arbitrary()? { Flag::Broadcast } else { Flag::Waterfall };
        self.hear(link, n, main, time, vec![b"\0".into(), text.into()]);
        Ok(())
    }

    fn say(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let (link, n) = (self.link(input)?, any_id(input)?);
        let Draft { main, packets, time } = messages::draft(input)?;
        let time = if input.arbitrary()? { self.now.second() } else { time };
        self.hear(link, n, main, time, packets);
        Ok(())
    }

    fn end(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let link = self.link(input)?;
        let event = match input.int_in_range(0..=3)? {
            0 => Event::Malformed { link, why: Malformed::WrongId },
            1 => Event::HungUp { link },
            2 => Event::Lost { link, cause: Cause::Closed },
            _ => Event::Finished { link },
        };
        if matches!(event, Event::Lost { .. }) && !self.alive.remove(&link) {
            return Ok(());
        }
        self.handle(event);
        Ok(())
    }

    fn wait(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let by = Duration::from_millis(input.arbitrary::<u16>()?.into());
        self.now = Now { mono: self.now.mono + by, wall: self.now.wall + by };
        self.handle(Event::Tick);
        Ok(())
    }

    /// The clock of the machine is set.
    fn jump(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let by = Duration::from_secs(input.arbitrary::<u16>()?.into());
        if input.arbitrary()? {
            self.now.wall += by;
        } else {
            self.now.wall -= by;
            // What was swept at the later time may be delivered again.
            self.delivered.clear();
        }
        self.handle(Event::Tick);
        Ok(())
    }

    fn publish(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let packets = [Packet::from(b"\0"), Packet::from(vec![b'y'; input.int_in_range(0..=32)?])];
        let draft =
            Draft { main: Flag::Broadcast, packets: packets.into(), time: self.now.second() };
        let mut dated = draft.with_parts(|parts: Parts<'_>| Dated::new(parts, id(0)));
        if self.node.publish(self.now, &mut dated).is_ok() {
            assert!(self.delivered.insert(dated.id()), "two messages of one id are sent");
        }
        Ok(())
    }

    /// What a user or a link asks for.
    fn ask(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        let n = any_id(input)?;
        match input.int_in_range(0..=4)? {
            0 => drop(self.node.connect(self.now, vec![host(n)])),
            1 => drop(self.node.disconnect(self.now, &id(n))),
            2 => {
                let draft = messages::draft(input)?;
                let draft = Draft { main: Flag::Whisper, ..draft };
                self.node.send_to(self.now, id(n), Letter::plain(&draft, &id(0)));
            }
            3 => {
                let (link, missed) = (self.link(input)?, Total::default());
                let change = match input.int_in_range(0..=2)? {
                    0 => PaceChange::LeftBehind,
                    1 => PaceChange::Misses { missed },
                    _ => PaceChange::CaughtUp { missed },
                };
                self.handle(Event::PaceChanged { link, change });
            }
            _ => {
                let (link, addr) = (self.link(input)?, host(n));
                self.handle(Event::Unreached { link, addr, cause: Cause::Refused });
            }
        }
        Ok(())
    }

    /// A link that there is or was, or one that never was.
    fn link(&self, input: &mut Unstructured<'_>) -> Result<LinkId> {
        if self.links.is_empty() || input.ratio(1, 32)? {
            return Ok(LinkId(u64::MAX));
        }
        // The latest ones, mostly.
        let back = input.int_in_range(0..=self.links.len().min(8) - 1)?;
        Ok(self.links[self.links.len() - 1 - back])
    }

    fn hear(&mut self, link: LinkId, n: u8, main: Flag, time: u64, packets: Vec<Packet>) {
        let draft = Draft { main, packets, time };
        let frame = draft.encode(&id(n), &draft.id());
        let bytes = BytesMut::from(&frame.bytes(None)[..]);
        let header = Header::parse_after(&mut LastSender::default(), bytes, &[], 1 << 20);
        if self.node.is_known(self.now, link, &header) {
            return;
        }
        let envelope: Envelope = header.and_then(Header::verify).expect("a message of ours");
        self.handle(Event::Received { link, envelope: Box::new(envelope) });
    }

    fn handle(&mut self, event: Event) {
        self.node.handle(self.now, event);
    }

    fn begin(&mut self, link: LinkId) {
        self.links.push(link);
        self.alive.insert(link);
    }

    fn carry_out(&mut self) {
        while let Some(action) = self.node.poll_action() {
            match action {
                Action::Dial { link, .. } => self.begin(link),
                Action::Send { link, .. } | Action::Establish { link, .. } => {
                    assert!(self.links.contains(&link), "{link:?} is none of ours");
                }
                Action::Close { link, cause } => {
                    assert!(self.links.contains(&link), "{link:?} is none of ours");
                    if self.alive.remove(&link) {
                        self.handle(Event::Lost { link, cause });
                        self.handle(Event::Finished { link });
                    }
                }
                Action::Deliver { envelope, .. } if envelope.main.is_relayed() => {
                    assert!(self.delivered.insert(envelope.id), "{envelope:?} is delivered twice");
                }
                _ => {}
            }
        }
    }

    fn check(&self) {
        let stats = self.node.stats();
        let accounted = stats.delivered
            + stats.relayed_only
            + stats.control
            + stats.duplicates
            + stats.refused();
        assert_eq!(stats.received, accounted, "every message is counted once: {stats}");
        assert!(self.node.peers().count() <= MAX_LINKS, "{stats}");
        assert!(self.node.strangers() <= MAX_STRANGERS, "{stats}");
        let deadline = self.node.next_deadline();
        assert!(deadline.is_none_or(|at| at + Duration::from_secs(3600) > self.now.mono));
    }
}

fn any_id(input: &mut Unstructured<'_>) -> Result<u8> {
    input.int_in_range(0..=IDS)
}

fn id(n: u8) -> NodeId {
    NodeId::from_digest(&[n + 100; 48])
}

fn host(n: u8) -> HostPort {
    let addr = SocketAddr::from(([127, 0, 0, 1], 10_000 + u16::from(n)));
    addr.into()
}
