//! A link's machine with a connection in memory, for tests and fuzzing.
#![allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::collections::VecDeque;
use std::io::{self, IoSlice, Read};
use std::time::Duration;

use super::host::Host;
use super::machine::Machine;
use super::mailbox::Mailbox;
use super::outgoing::Freed;
use super::reading::{Batch, Head};
use super::transport::Transport;
use super::writing::Writing;
use crate::config::Config;
use crate::id::NodeId;
use crate::node::event::Item;
use crate::node::{Event, LinkId, LinkSettings};

/// A connection in memory. What it reads is a list of results; then it would block.
#[derive(Default)]
pub(crate) struct Mock {
    pub input: VecDeque<io::Result<Vec<u8>>>,
    pub output: Vec<u8>,
    /// Bytes that it takes before it would block, and what it says instead.
    pub room: usize,
    pub broken: Option<io::ErrorKind>,
    pub is_finished: bool,
    /// How long the system was told to wait.
    pub patience: Option<Duration>,
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
pub(crate) struct Hand {
    pub config: Config,
    pub now: Duration,
    pub mailbox: Mailbox<u8, ()>,
    pub port: Option<(Mock, Writing<()>)>,
    pub told: Vec<Event>,
    /// What the daemon's channel took, and whether it takes more.
    pub batches: Vec<Batch<()>>,
    pub has_room: bool,
    pub has_ended: bool,
    pub unsent: usize,
    pub woken: Vec<u8>,
    /// How often the node was asked for duplicates, and how many it finds each time.
    pub looks: usize,
    pub duplicates: usize,
    /// How much has left the queue of each other link; none is above its bound but those here.
    pub full: VecDeque<(u8, u64)>,
}

impl Hand {
    pub fn new(config: Config) -> (Self, Machine<u8, ()>) {
        let machine = Machine::new(&config);
        let mock = Mock { room: usize::MAX, ..Mock::default() };
        let hand = Hand {
            mailbox: Mailbox::new(&config),
            now: Duration::from_secs(100),
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
    pub fn established(config: Config) -> (Self, Machine<u8, ()>) {
        let (mut hand, machine) = Hand::new(config);
        let (receive, send) = (Vec::new(), None);
        let settings = LinkSettings {
            peer: me(),
            is_rs2p: true,
            tells_pace: false,
            is_held: false,
            receive,
            send,
        };
        hand.mailbox.set(settings);
        (hand, machine)
    }

    #[cfg(test)]
    pub fn stream(&mut self) -> &mut Mock {
        &mut self.port.as_mut().expect("the connection is open").0
    }

    #[cfg(test)]
    pub fn reads(&mut self, bytes: Vec<u8>) {
        self.stream().input.push_back(Ok(bytes));
    }

    /// The connection gives this next, if it is not closed.
    #[cfg(feature = "fuzzing")]
    pub fn arrives(&mut self, read: io::Result<Vec<u8>>) {
        self.port.iter_mut().for_each(|(stream, _)| {
            stream.input.push_back(read.as_ref().cloned().map_err(|error| error.kind().into()))
        });
    }

    /// The connection takes so many bytes, if it is not closed.
    #[cfg(feature = "fuzzing")]
    pub fn takes(&mut self, bytes: usize) {
        self.port.iter_mut().for_each(|(stream, _)| stream.room = bytes);
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

pub(crate) fn me() -> NodeId {
    NodeId::from_digest(&[1; 48])
}
