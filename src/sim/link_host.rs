//! What surrounds a link's machine in a world: the modelled network, the node, the daemon's
//! channel, and the accounts of what became of every frame.

use std::io::{self, IoSlice, Read};
use std::time::Duration;

use bytes::Bytes;

use super::ledger::{CopyLoss, Tag};
use super::network::{Shared, Sockets};
use super::process::Inbound;
use super::schedule::ProcessId;
use super::tcp::Socket;
use super::world::World;
use crate::config::Config;
use crate::link::channel_capacity;
use crate::link::host::Host;
use crate::link::mailbox::Mailbox;
use crate::link::outgoing::Freed;
use crate::link::reading::{Batch, Head};
use crate::link::release::release;
use crate::link::transport::Transport;
use crate::link::writing::{Writing, Wrote};
use crate::node::event::Item;
use crate::node::{Event, LinkId};

pub(super) struct LinkHost<'a> {
    pub world: &'a mut World,
    pub pid: ProcessId,
    pub id: LinkId,
}

/// One end of a modelled connection, as its process uses it.
pub(super) struct Line<'a> {
    sockets: &'a mut Sockets,
    shared: &'a mut Shared,
    socket: Socket,
}

impl Read for Line<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        let Some(conn) = self.sockets.conn_mut(self.socket) else { return Ok(0) };
        let read = conn.tap(self.socket.end).read(room);
        self.sockets.has_read(self.shared, self.socket);
        read
    }
}

impl Transport<Tag> for Line<'_> {
    fn write_frames(&mut self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        self.sockets.writable(self.socket)?;
        let mut written = 0;
        for frame in frames {
            let room = self.sockets.room(self.socket).min(frame.len());
            if room > 0 {
                let bytes = Bytes::copy_from_slice(&frame[..room]);
                self.sockets.write(self.shared, self.socket, bytes);
                written += room;
            }
            if room < frame.len() {
                break;
            }
        }
        if written == 0 {
            self.sockets.await_room(self.socket);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(written)
    }

    fn finish_writing(&mut self) {
        self.sockets.shut(self.shared, self.socket);
    }

    fn wrote_frame(&mut self, tag: Tag) {
        self.sockets.wrote_frame(self.socket, tag);
    }
}

impl Host<LinkId, Tag> for LinkHost<'_> {
    type Stream<'a> = Line<'a>;
    type Mailbox<'a> = &'a mut Mailbox<LinkId, Tag>;

    fn link(&self) -> LinkId {
        self.id
    }

    fn config(&self) -> &Config {
        &self.world.config
    }

    fn now(&self) -> Duration {
        self.world.shared.schedule.now()
    }

    fn mailbox<R>(&mut self, ask: impl FnOnce(&mut Mailbox<LinkId, Tag>) -> R) -> R {
        let World { processes, config, .. } = &mut *self.world;
        let process = &mut processes[self.pid];
        // A link is there as long as its thread is: this is for nobody.
        let Some(link) = process.links.get_mut(&self.id) else {
            return ask(&mut Mailbox::new(config));
        };
        let answer = ask(&mut link.mailbox);
        process.marks.undigested.note(link.mailbox.undigested());
        answer
    }

    fn port<R>(
        &mut self,
        ask: impl FnOnce(&mut Line<'_>, &mut Writing<Tag>, &mut Mailbox<LinkId, Tag>) -> R,
    ) -> Option<R> {
        let World { sockets, shared, processes, .. } = &mut *self.world;
        let link = processes[self.pid].links.get_mut(&self.id)?;
        let mut line = Line { sockets, shared, socket: link.socket? };
        Some(ask(&mut line, &mut link.writing, &mut link.mailbox))
    }

    fn close_port(&mut self) {
        let World { sockets, shared, processes, .. } = &mut *self.world;
        let link = processes[self.pid].links.get_mut(&self.id);
        if let Some(socket) = link.and_then(|link| link.socket.take()) {
            sockets.close(shared, socket, CopyLoss::Discarded);
        }
    }

    fn moved_above_bound(&self, link: &LinkId) -> Option<u64> {
        self.world.processes[self.pid].links.get(link)?.mailbox.outgoing.moved_above_bound()
    }

    fn wake_freed(&mut self, freed: Freed<LinkId>) {
        self.world.wake_freed(self.pid, freed);
    }

    fn count_read(&mut self, bytes: usize) {
        self.world.processes[self.pid].bytes_in += bytes as u64;
    }

    fn count_written(&mut self, bytes: u64) {
        self.world.processes[self.pid].bytes_out += bytes;
    }

    fn count_unsent(&mut self, frames: impl Iterator<Item = Tag>) {
        frames.for_each(|tag| self.world.lose(self.pid, self.id, tag, CopyLoss::Unsent));
    }

    fn next_tag(&mut self) -> Tag {
        let link = self.world.processes[self.pid].links.get(&self.id);
        let socket = link.and_then(|link| link.socket)?;
        let tags = &mut self.world.sockets.conn_mut(socket)?.pipes[1 - socket.end].tags;
        let tag = tags.pop_front().flatten();
        release(tags);
        tag
    }

    fn room(&self, frame: u64) -> u64 {
        self.world.processes[self.pid].application.room_for(frame)
    }

    fn tell(&mut self, event: Event) {
        self.world.tell(self.pid, event);
    }

    fn tell_item(&mut self, tag: Tag, item: Item) {
        self.world.shared.ledger.arrived(tag);
        let before = tag.map(|_| self.world.processes[self.pid].node.counters().clone());
        self.world.tell(self.pid, Event::read(self.id, item));
        let why = before.and_then(|before| self.world.turned_down(self.pid, &before));
        self.world.account(self.pid, (self.from(), self.id), tag, why, false);
    }

    fn note_resent(&mut self) {
        self.world.shared.ledger.put(None);
    }

    fn drop_duplicates(&mut self, heads: &mut Vec<Head<Tag>>) {
        let (id, from) = (self.id, self.from());
        let known = self.world.act(self.pid, |node, now| {
            heads.iter().map(|(_, head)| node.is_known(now, id, head)).collect::<Vec<_>>()
        });
        let mut known = known.into_iter();
        heads.retain(|(tag, _)| {
            let is_known = known.next().unwrap_or(false);
            if is_known {
                self.world.shared.ledger.arrived(*tag);
                self.world.account(self.pid, (from, self.id), *tag, None, false);
            }
            !is_known
        });
    }

    fn offer(&mut self, batch: Batch<Tag>) -> Result<(), Batch<Tag>> {
        if !self.has_room() {
            return Err(batch);
        }
        let from = self.from();
        self.world.hand_in(self.pid, Inbound::Batch { link: self.id, from, batch });
        Ok(())
    }

    fn offer_end(&mut self) -> bool {
        let has_room = self.has_room();
        if has_room {
            self.world.hand_in(self.pid, Inbound::Finished(self.id));
        }
        has_room
    }
}

impl LinkHost<'_> {
    /// Whether the daemon's channel takes one more. If not, the daemon wakes this link when it does.
    fn has_room(&mut self) -> bool {
        let daemon = &mut self.world.processes[self.pid].daemon;
        let has_room = daemon.inbox.len() < channel_capacity(&self.world.config);
        daemon.has_held |= !has_room;
        has_room
    }

    fn from(&self) -> ProcessId {
        self.world.peer(self.pid, self.id).unwrap_or(self.pid)
    }
}

impl World {
    /// A thread that has just queued a message writes it, unless the link's own thread is at it: that
    /// is for the seed to say.
    pub(super) fn write_now(&mut self, pid: ProcessId, id: LinkId) {
        let is_busy = self.shared.rng.below(4) == 0;
        let mut host = LinkHost { world: self, pid, id };
        let flush = match is_busy {
            true => None,
            false => {
                host.port(|line, writing, mut mailbox| writing.flush_plain(line, &mut mailbox))
            }
        };
        let Some(Some(flush)) = flush else { return self.wake(pid, id) };
        let is_complete = flush.is_complete();
        let Wrote { bytes, freed, .. } = flush;
        host.count_written(bytes);
        host.wake_freed(freed);
        if !is_complete {
            self.wake(pid, id);
        }
    }
}
