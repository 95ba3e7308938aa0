//! The reading half of a connection's thread: bytes to verified messages, in turns.

use std::io;
use std::sync::Arc;

use bytes::BytesMut;
use crossbeam_channel::TrySendError;

use super::daemon::{Batch, Inbound, Item};
use super::link_thread::{End, LinkThread, lost};
use crate::events::Cause;
use crate::link::input::Input;
use crate::link::leaving::Leaving;
use crate::node::{Event, LinkId};
use crate::wire::{Body, Header, Malformed, Method};

/// Bytes read in one turn; then it is the writer's.
pub(crate) const TURN: usize = 256 * 1024;
/// Messages handed to the daemon together: it holds the node's lock for so many at a time.
pub(crate) const BATCH: usize = 64;
/// The same in bytes that they pin; a single message may be larger.
pub(crate) const BATCH_BYTES: usize = 64 * 1024;

impl LinkThread {
    /// One turn of reading, as far as there is credit.
    pub(super) fn read(&mut self) -> Result<(), End> {
        self.retry_held();
        if Leaving::discards(self.leaving.as_ref()) {
            return self.discard();
        }
        if !self.can_read() {
            self.excuse();
            return Ok(());
        }
        let mut left = TURN;
        while left > 0 && self.can_read() {
            if !self.is_backlogged {
                left = left.saturating_sub(self.fill(left)?);
            }
            self.decode()?;
        }
        if self.is_at_end && !self.is_backlogged && self.leaving.is_none() {
            self.core.tell(Event::HungUp { link: self.link.id });
        }
        Ok(())
    }

    /// Whether there is something to read, and nothing in its way.
    pub(super) fn can_read(&self) -> bool {
        self.input().goes_on(self.leaving.as_ref(), || self.link.may_read())
    }

    pub(super) fn input(&self) -> Input {
        Input {
            is_readable: self.is_readable,
            is_backlogged: self.is_backlogged,
            is_held: self.held.is_some(),
            is_at_end: self.is_at_end,
        }
    }

    /// If it is we who pause, that is not the peer's fault.
    fn excuse(&mut self) {
        if self.input().waits() {
            let now = self.core.clock.mono();
            self.unfinished_since = self.unfinished_since.map(|_| now);
            self.leaving.iter_mut().for_each(|leaving| leaving.pause(now));
        }
    }

    /// Reads once; how many bytes.
    fn fill(&mut self, most: usize) -> Result<usize, End> {
        let mut writer = self.link.writer.lock();
        let Some(writer) = writer.as_mut() else { return Ok(0) };
        match self.reader.read_from(&mut writer.stream, most) {
            Ok(0) => {
                self.is_at_end = true;
                self.is_readable = false;
                Ok(0)
            }
            Ok(bytes) => {
                self.core.counters.read(bytes as u64);
                Ok(bytes)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.is_readable = false;
                Ok(0)
            }
            Err(error) => Err(lost(error)),
        }
    }

    /// Takes the complete frames out of what was read, while there is credit for them.
    fn decode(&mut self) -> Result<(), End> {
        let mut bytes = 0;
        let mut headers = Vec::new();
        let mut any = false;
        self.is_backlogged = false;
        let end = loop {
            let frame = match self.next_frame() {
                Ok(Some(frame)) => frame,
                Ok(None) => break Ok(()),
                // What came before it is handed in all the same.
                Err(end) => break Err(end),
            };
            any = true;
            let len = frame.len();
            let header = Header::parse(frame, &self.methods(), self.core.config.max_frame);
            if !self.link.is_established() {
                self.greet(header);
                if self.link.has_orders() && !self.link.is_established() {
                    return Ok(());
                }
                continue;
            }
            // What it pins, not what came over the wire: a compressed frame may be small.
            bytes += header.as_ref().map_or(len, Header::pinned);
            headers.push(header);
            if headers.len() >= BATCH || bytes >= BATCH_BYTES {
                self.hand_in(std::mem::take(&mut headers), std::mem::take(&mut bytes));
                if self.held.is_some() || !self.link.may_read() {
                    self.is_backlogged = true;
                    break Ok(());
                }
            }
        };
        if !headers.is_empty() {
            self.hand_in(headers, bytes);
        }
        self.note_unfinished(any);
        end
    }

    fn next_frame(&mut self) -> Result<Option<BytesMut>, End> {
        if self.link.is_established() {
            self.reader.allow(self.core.config.max_frame);
        }
        self.reader
            .next()
            .map_err(|refused| End::Lost(Cause::TooLarge { len: refused.len, max: refused.max }))
    }

    fn methods(&self) -> Vec<Method> {
        self.link.terms.lock().as_ref().map(|terms| terms.receive.clone()).unwrap_or_default()
    }

    /// Before the handshake is done, the node is told directly: it needs no daemon for that.
    fn greet(&mut self, header: Result<Header, Malformed>) {
        let item = header.and_then(Header::verify).map(Box::new);
        self.trace(&item);
        self.core.tell(event(self.link.id, item));
    }

    /// Drops duplicates, verifies the rest, and hands it to the daemon.
    fn hand_in(&mut self, headers: Vec<Result<Header, Malformed>>, bytes: usize) {
        let count = headers.len();
        let fresh = self.core.without_duplicates(self.link.id, headers);
        self.core.trace.duplicates(self.link.id, count - fresh.len());
        let verified =
            fresh.into_iter().map(|header| header.and_then(Header::verify).map(Box::new));
        let (control, items): (Vec<Item>, Vec<Item>) = verified.partition(is_control);
        for item in control {
            self.trace(&item);
            self.core.tell(event(self.link.id, item));
        }
        if items.is_empty() {
            return;
        }
        self.link.take_credit(bytes);
        let batch = Batch { link: Arc::clone(&self.link), items, bytes };
        match self.held {
            // Order: nothing overtakes what is held.
            Some(ref mut held) => held.append(batch),
            None => self.offer(batch),
        }
    }

    fn trace(&self, item: &Item) {
        if let Ok(envelope) = item {
            self.core.trace.control(self.link.id, envelope);
        }
    }

    fn offer(&mut self, batch: Batch) {
        match self.core.inbox.try_send(Inbound::Batch(batch)) {
            Ok(()) => {}
            Err(TrySendError::Full(Inbound::Batch(batch))) => {
                self.held = Some(batch);
                self.core.note_held();
            }
            // The daemon is gone: the socket is closing.
            Err(_) => {}
        }
    }

    pub(super) fn retry_held(&mut self) {
        if let Some(batch) = self.held.take() {
            self.offer(batch);
        }
    }

    fn note_unfinished(&mut self, any: bool) {
        if !self.reader.is_mid_frame() {
            self.unfinished_since = None;
        } else if any || self.unfinished_since.is_none() {
            self.unfinished_since = Some(self.core.clock.mono());
        }
    }
}

/// Whether the node can deal with it here and now: a message between neighbours, which neither
/// the handlers nor the queue ever see. So it never waits behind a slow handler. A routed reply is
/// none: it is delivered or relayed, with the backpressure that this needs.
pub(crate) fn is_control(item: &Item) -> bool {
    let Ok(envelope) = item else { return false };
    !envelope.main.is_relayed() && !matches!(envelope.body, Body::User | Body::RoutedReply(_))
}

pub(crate) fn event(link: LinkId, item: Item) -> Event {
    match item {
        Ok(envelope) => Event::Received { link, envelope },
        Err(why) => Event::Malformed { link, why },
    }
}
