//! A machine with a connection in memory: each way out of reading, writing and closing.

mod closing;
mod pace;
mod reading;
mod writing;

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read};
use std::time::Duration;

use super::flow::Load;
use super::host::Host;
use super::machine::{Machine, Next};
use super::mailbox::{Mailbox, Order};
use super::outgoing::Freed;
use super::reading::{Batch, Head};
use super::transport::Transport;
use super::writing::Writing;
use crate::cause::Cause;
use crate::config::Config;
use crate::id::NodeId;
use crate::node::event::Item;
use crate::node::{Event, LinkId, LinkSettings, Parcel};
use crate::options::Flag;
use crate::packet::Packet;
use crate::wire::Draft;

const S: fn(u64) -> Duration = Duration::from_secs;

/// A connection in memory. What it reads is a list of results; then it would block.
#[derive(Default)]
struct Mock {
    input: VecDeque<io::Result<Vec<u8>>>,
    output: Vec<u8>,
    /// Bytes that it takes before it would block, and what it says instead.
    room: usize,
    broken: Option<io::ErrorKind>,
    is_finished: bool,
    /// How long the system was told to wait.
    patience: Option<Duration>,
}

impl Read for Mock {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let mut bytes = self.input.pop_front().unwrap_or(Err(io::ErrorKind::WouldBlock.into()))?;
        let rest = bytes.split_off(bytes.len().min(room.len()));
        room[..bytes.len()].copy_from_slice(&bytes);
        if !rest.is_empty() {
            self.input.push_front(Ok(rest));
        }
        Ok(bytes.len())
    }
}

impl Transport<()> for Mock {
    fn write_frames(&mut self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        let bytes: Vec<u8> = frames.iter().flat_map(|frame| frame.iter().copied()).collect();
        let taken = bytes.len().min(self.room);
        if let Some(kind) = self.broken.or((taken == 0).then_some(io::ErrorKind::WouldBlock)) {
            return Err(kind.into());
        }
        self.room -= taken;
        self.output.extend(&bytes[..taken]);
        Ok(taken)
    }

    fn finish_writing(&mut self) {
        self.is_finished = true;
    }

    fn give_up_after(&mut self, patience: Option<Duration>) {
        self.patience = patience;
    }
}

/// What surrounds the machine under test.
struct Hand {
    config: Config,
    now: Duration,
    mailbox: Mailbox<u8, ()>,
    port: Option<(Mock, Writing<()>)>,
    told: Vec<Event>,
    /// What the daemon's channel took, and whether it takes more.
    batches: Vec<Batch<()>>,
    has_room: bool,
    has_ended: bool,
    unsent: usize,
    woken: Vec<u8>,
    /// How often the node was asked for duplicates, and how many it finds each time.
    looks: usize,
    duplicates: usize,
    /// How much has left the queue of each other link; none is above its bound but those here.
    full: VecDeque<(u8, u64)>,
}

impl Hand {
    fn new(config: Config) -> (Self, Machine<u8, ()>) {
        let machine = Machine::new(&config);
        let mock = Mock { room: usize::MAX, ..Mock::default() };
        let hand = Hand {
            mailbox: Mailbox::new(&config),
            now: S(100),
            port: Some((mock, Writing::new(me()))),
            told: Vec::new(),
            batches: Vec::new(),
            has_room: true,
            has_ended: false,
            unsent: 0,
            woken: Vec::new(),
            looks: 0,
            duplicates: 0,
            full: VecDeque::new(),
            config,
        };
        (hand, machine)
    }

    /// A link that has shaken hands.
    fn established(config: Config) -> (Self, Machine<u8, ()>) {
        let (mut hand, machine) = Hand::new(config);
        let (receive, send) = (Vec::new(), None);
        let settings = LinkSettings { peer: me(), is_rs2p: true, tells_pace: false, receive, send };
        hand.mailbox.set(settings);
        (hand, machine)
    }

    fn stream(&mut self) -> &mut Mock {
        &mut self.port.as_mut().expect("the connection is open").0
    }

    fn reads(&mut self, bytes: Vec<u8>) {
        self.stream().input.push_back(Ok(bytes));
    }

    fn read_messages(&self) -> usize {
        self.batches.iter().map(|batch| batch.items.len()).sum()
    }

    fn lost(&self) -> usize {
        self.told.iter().filter(|event| matches!(event, Event::Lost { .. })).count()
    }
}

impl Host<u8, ()> for Hand {
    type Stream<'a> = Mock;
    type Mailbox<'a> = &'a mut Mailbox<u8, ()>;

    fn link(&self) -> LinkId {
        LinkId(1)
    }

    fn config(&self) -> &Config {
        &self.config
    }

    fn now(&self) -> Duration {
        self.now
    }

    fn mailbox<R>(&mut self, ask: impl FnOnce(&mut Mailbox<u8, ()>) -> R) -> R {
        ask(&mut self.mailbox)
    }

    fn port<R>(
        &mut self,
        ask: impl FnOnce(&mut Mock, &mut Writing<()>, &mut Mailbox<u8, ()>) -> R,
    ) -> Option<R> {
        let (mock, writing) = self.port.as_mut()?;
        Some(ask(mock, writing, &mut self.mailbox))
    }

    fn close_port(&mut self) {
        self.port = None;
    }

    fn moved_above_bound(&self, link: &u8) -> Option<u64> {
        self.full.iter().find(|(full, _)| full == link).map(|(_, moved)| *moved)
    }

    fn wake_freed(&mut self, freed: Freed<u8>) {
        self.woken.extend(freed.throttled);
    }

    fn count_read(&mut self, _: usize) {}

    fn count_written(&mut self, _: u64) {}

    fn count_unsent(&mut self, frames: impl Iterator<Item = ()>) {
        self.unsent += frames.count();
    }

    fn next_tag(&mut self) {}

    fn room(&self, _: u64) -> u64 {
        4321
    }

    fn tell(&mut self, event: Event) {
        self.told.push(event);
    }

    fn tell_item(&mut self, (): (), item: Item) {
        self.told.push(Event::read(self.link(), item));
    }

    fn drop_duplicates(&mut self, heads: &mut Vec<Head<()>>) {
        self.looks += 1;
        heads.truncate(heads.len() - self.duplicates);
    }

    fn offer(&mut self, batch: Batch<()>) -> Result<(), Batch<()>> {
        if !self.has_room {
            return Err(batch);
        }
        self.batches.push(batch);
        Ok(())
    }

    fn offer_end(&mut self) -> bool {
        self.has_ended = self.has_room;
        self.has_room
    }
}

fn load(bytes: usize) -> Load {
    Load { bytes, ..Load::default() }
}

fn me() -> NodeId {
    NodeId::from_digest(&[1; 48])
}

/// A message for the peer alone, of about this many bytes.
fn message(size: usize) -> Draft {
    let packets = vec![Packet::from("kind"), Packet::from(vec![7; size])];
    Draft { main: Flag::Whisper, packets, time: 1 }
}

fn own(size: usize) -> Parcel {
    let draft = message(size);
    Parcel::Own(draft.encode(&me(), &draft.id()))
}

/// The same as it comes over the wire.
fn bytes(size: usize) -> Vec<u8> {
    let draft = message(size);
    draft.encode(&me(), &draft.id()).bytes(None).to_vec()
}

fn close(hand: &mut Hand, cause: Cause) {
    let _ = hand.mailbox.outgoing.refuse_more();
    hand.mailbox.order(Order::Close(cause));
}

fn at(next: Result<Next, Cause>) -> Option<Duration> {
    match next {
        Ok(Next::At(at)) => Some(at),
        _ => None,
    }
}
