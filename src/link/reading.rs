//! The reading half of a link: bytes to verified messages, in turns.

use std::io;
use std::time::Duration;

use super::close_timing::CloseTiming;
use super::flow::Load;
use super::host::Host;
use super::input::Input;
use super::machine::Machine;
use crate::cause::Cause;
use crate::config::Config;
use crate::node::Event;
use crate::node::event::Item;
use crate::wire::{Buffer, FrameReader, Header, LastSender, Malformed, Total};

/// Bytes read in one turn; then it is the writer's.
pub(crate) const READ_TURN: usize = 256 * 1024;
/// Messages handed to the daemon together: it holds the node's lock for so many at a time.
pub(super) const BATCH_LEN: usize = 64;
/// The same in bytes that they pin; a single message may be larger.
const BATCH_BYTES: usize = 64 * 1024;

/// A frame of which the head was read.
pub(crate) type Head<T> = (T, Result<Header, Malformed>);

/// Messages of one link for the daemon, in their order.
#[derive(Debug)]
pub(crate) struct Batch<T> {
    pub items: Vec<(T, Item)>,
    /// The credit that they took.
    pub load: Load,
}

/// What was read, and what stands in the way of more.
#[derive(Debug)]
pub(crate) struct Reading<T> {
    pub(super) reader: FrameReader,
    /// A compressed frame that is to be unpacked.
    pub(super) packed: Option<Buffer>,
    /// Bytes of an unfinished frame that the host was told of.
    pub(super) held_bytes: usize,
    /// Whether the host counts a body that was unpacked.
    pub(super) has_unpacked: bool,
    /// Memory for a large frame cannot be had: when to ask again.
    pub(super) starved: Option<Duration>,
    last_sender: LastSender,
    /// There may be more to read: the connection says so once.
    pub(super) is_readable: bool,
    /// Frames that were read wait for credit.
    pub(super) is_backlogged: bool,
    pub(super) is_at_end: bool,
    /// A batch that the daemon's channel had no room for, or that is kept back until it is decided whether
    /// the link speaks for its peer.
    pub(super) held: Option<Batch<T>>,
    pub(super) unfinished_since: Option<Duration>,
    /// Full batches that need no check for duplicates.
    pub(super) unchecked: u32,
}

impl<T> Reading<T> {
    pub fn new(config: &Config) -> Self {
        Reading {
            reader: FrameReader::new(config.first_frame_limit()),
            packed: None,
            held_bytes: 0,
            has_unpacked: false,
            starved: None,
            last_sender: LastSender::default(),
            is_readable: true,
            is_backlogged: false,
            is_at_end: false,
            held: None,
            unfinished_since: None,
            unchecked: 0,
        }
    }

    /// Returns the bytes of frames that are not complete or not unpacked, once so many were read on.
    pub(super) fn holds(&self, budget: usize) -> usize {
        let packed = self.packed.as_ref().map_or(0, |packed| packed.len());
        self.reader.held(budget).saturating_add(packed)
    }

    pub fn input(&self) -> Input {
        Input {
            is_readable: self.is_readable,
            is_backlogged: self.is_backlogged,
            is_held: self.held.is_some(),
            is_starved: self.starved.is_some(),
            is_at_end: self.is_at_end,
        }
    }

    /// When the rest of an unfinished frame is due.
    pub fn unfinished_until(&self, config: &Config) -> Option<Duration> {
        self.unfinished_since.map(|since| since.saturating_add(config.frame_timeout))
    }

    fn note_unfinished(&mut self, had_frame: bool, now: Duration) {
        if !self.reader.is_mid_frame() {
            self.unfinished_since = None;
        } else if had_frame || self.unfinished_since.is_none() {
            self.unfinished_since = Some(now);
        }
    }
}

impl<L: PartialEq, T: Copy + Default> Machine<L, T> {
    /// Takes one turn of reading, as far as there is credit.
    pub(super) fn read(&mut self, host: &mut impl Host<L, T>) -> Result<(), Cause> {
        if let Some(batch) = self.reading.held.take() {
            self.offer(host, batch);
        }
        if CloseTiming::discards(self.closing.as_ref()) {
            return self.discard(host);
        }
        self.reading.starved = None;
        if !self.can_read(host) {
            self.pause_deadlines(host.now());
            return Ok(());
        }
        let mut left = READ_TURN;
        while left > 0 && self.can_read(host) {
            if !self.reading.is_backlogged {
                left = left.saturating_sub(self.fill(host, left)?);
            }
            if !self.decode(host)? {
                break;
            }
        }
        if self.reading.starved.is_some() {
            self.pause_deadlines(host.now());
        }
        if self.reading.is_at_end && !self.reading.is_backlogged && self.closing.is_none() {
            host.tell(Event::HungUp { link: host.link() });
        }
        Ok(())
    }

    /// Whether there is something to read, and nothing in its way.
    pub(super) fn can_read(&self, host: &mut impl Host<L, T>) -> bool {
        let has_credit = || host.mailbox(|mailbox| mailbox.may_read());
        self.reading.input().may_read(self.closing.as_ref(), has_credit)
    }

    /// Moves the peer's deadlines while it is we who do not read.
    fn pause_deadlines(&mut self, now: Duration) {
        if self.reading.input().has_more() {
            self.reading.unfinished_since = self.reading.unfinished_since.map(|_| now);
            self.closing.iter_mut().for_each(|closing| closing.pause(now));
        }
    }

    /// Reads once; returns how many bytes.
    fn fill(&mut self, host: &mut impl Host<L, T>, most: usize) -> Result<usize, Cause> {
        if !self.hold(host, self.reading.holds(most)) {
            return Ok(0);
        }
        let reader = &mut self.reading.reader;
        let read = host.port(|stream, _, _| reader.read_from(stream, most));
        match read.unwrap_or(Ok(0)) {
            Ok(0) => {
                self.reading.is_at_end = true;
                self.reading.is_readable = false;
                Ok(0)
            }
            Ok(bytes) => {
                host.count_read(bytes);
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.reading.is_readable = false;
                Ok(0)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the complete frames out of what was read, while there is credit for them. Returns whether the
    /// link goes on.
    fn decode(&mut self, host: &mut impl Host<L, T>) -> Result<bool, Cause> {
        let (mut load, mut heads, mut had_frame) = (Load::default(), Vec::new(), false);
        self.reading.is_backlogged = false;
        let end = loop {
            let was_kept = self.reading.packed.is_some();
            let frame = match self.next_frame(host.config()) {
                Ok(Some(frame)) => frame,
                Ok(None) => break Ok(true),
                // What came before it is handed in all the same.
                Err(cause) => break Err(cause),
            };
            let len = frame.len();
            let Some(frame) = self.unpacked(host, frame, was_kept) else { break Ok(true) };
            had_frame = true;
            let (tag, head) = (host.next_tag(), self.parse(frame));
            let wire = match &head {
                Ok(head) if head.is_pacing() => Total::default(),
                _ => Total { bytes: len as u64, frames: 1 },
            };
            if self.settings.is_none() {
                host.mailbox(|mailbox| mailbox.read(wire));
                if self.greet(host, tag, head) {
                    continue;
                }
                return Ok(false);
            }
            // What it pins, not what came over the wire: a compressed frame may be small.
            load.add(Load { bytes: head.as_ref().map_or(len, Header::pinned), wire });
            if heads.is_empty() {
                heads.reserve(BATCH_LEN);
            }
            heads.push((tag, head));
            if heads.len() >= BATCH_LEN || load.bytes >= BATCH_BYTES {
                self.hand_in(host, std::mem::take(&mut heads), std::mem::take(&mut load));
                if self.reading.held.is_some() || !host.mailbox(|mailbox| mailbox.may_read()) {
                    self.reading.is_backlogged = true;
                    break Ok(true);
                }
            }
        };
        if !heads.is_empty() {
            self.hand_in(host, heads, load);
        }
        if self.reading.held_bytes > 0 || self.reading.has_unpacked {
            self.hold(host, self.reading.holds(0));
        }
        self.reading.note_unfinished(had_frame, host.now());
        end
    }

    fn next_frame(&mut self, config: &Config) -> Result<Option<Buffer>, Cause> {
        if let Some(packed) = self.reading.packed.take() {
            return Ok(Some(packed));
        }
        if self.settings.is_some() {
            self.reading.reader.allow(config.max_frame);
        }
        let next = self.reading.reader.next();
        next.map_err(|refused| Cause::TooLarge { len: refused.len, max: refused.max })
    }

    fn parse(&mut self, frame: Result<Buffer, Malformed>) -> Result<Header, Malformed> {
        Header::read(&mut self.reading.last_sender, frame?)
    }

    /// Tells the node directly, as before the handshake is done there is nothing for the daemon.
    /// Whether the link goes on.
    fn greet(
        &mut self,
        host: &mut impl Host<L, T>,
        tag: T,
        head: Result<Header, Malformed>,
    ) -> bool {
        host.tell_item(tag, head.and_then(Header::verify).map(Box::new));
        let has_orders = self.look_at_settings(host);
        !has_orders || self.settings.is_some()
    }

    /// Takes over what the node has agreed on with the peer; whether there are orders as well.
    pub(super) fn look_at_settings(&mut self, host: &mut impl Host<L, T>) -> bool {
        let (settings, has_orders) =
            host.mailbox(|mailbox| (mailbox.settings().cloned(), mailbox.has_orders()));
        self.settings = settings;
        has_orders
    }
}
