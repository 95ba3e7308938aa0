//! What the programs of the nodes do: send and receive. How they connect is in `connecting`.

use super::ledger::Audience;
use super::routes::Wish;
use super::schedule::ProcessId;
use super::world::World;
use crate::error::{Error, Result};
use crate::id::{MessageId, NodeId};
use crate::mesh_socket::drafting::draft;
use crate::message::Message;
use crate::node::Dated;
use crate::options::{Flag, SendOptions};
use crate::packets::Packets;
use crate::wire::Draft;

impl World {
    /// Sends packets from a node to the whole mesh, as `MeshSocket::send` does. Where `send` would
    /// block, the message waits in the world, and later messages of this node wait behind it.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(0, ["this is", "a test"])?;
    /// world.run_for(Duration::from_secs(5));
    /// assert!(world.recv(4).is_some_and(|msg| msg.payload() == ["this is", "a test"]));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] if the node is down, and those of `MeshSocket::send` that do not take
    /// waiting.
    pub fn send(&mut self, node: usize, packets: impl Packets) -> Result<()> {
        self.send_with(node, SendOptions::new(), packets)
    }

    /// Sends packets from a node to its direct peers.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// World::new(42).nodes(5).whisper(0, "for the neighbours")?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`World::send`].
    pub fn whisper(&mut self, node: usize, packets: impl Packets) -> Result<()> {
        self.send_with(node, SendOptions::whisper(), packets)
    }

    /// Sends packets from a node with a flag and a kind.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send_with(0, rs2p::SendOptions::new().kind("prices"), ("tea", "3.50"))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`World::send`], and [`Error::ReservedKind`] or [`Error::ReservedFlag`].
    pub fn send_with(
        &mut self,
        node: usize,
        options: SendOptions,
        packets: impl Packets,
    ) -> Result<()> {
        let pid = self.machines[node].process.ok_or(Error::Closed)?;
        let second = self.clock(pid).second();
        let draft = draft(&options, packets, second, self.config.max_frame)?;
        self.stand_in_line(pid, draft, None);
        Ok(())
    }

    /// Sends packets from a node to another one that it need not know, as `MeshSocket::send_to`
    /// does: the mesh is asked for the way.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// let id = world.id(4).expect("node 4 runs");
    /// world.send_to(0, &id, "for you alone")?;
    /// world.run_for(Duration::from_secs(5));
    /// assert!(world.recv(4).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `MeshSocket::send_to`.
    pub fn send_to(&mut self, node: usize, to: &NodeId, packets: impl Packets) -> Result<()> {
        self.whisper_to(node, to, None, packets)
    }

    /// Answers a message that a node has received, as `Message::reply` does.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(0, "hello")?;
    /// world.run_for(Duration::from_secs(5));
    /// let msg = world.recv(4).expect("it arrived");
    /// world.reply(4, &msg, "hello yourself")?;
    /// world.run_for(Duration::from_secs(5));
    /// assert!(world.recv(0).is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of `MeshSocket::send_to`.
    pub fn reply(&mut self, node: usize, message: &Message, packets: impl Packets) -> Result<()> {
        self.whisper_to(node, &message.sender(), Some(message.id()), packets)
    }

    fn whisper_to(
        &mut self,
        node: usize,
        to: &NodeId,
        about: Option<MessageId>,
        packets: impl Packets,
    ) -> Result<()> {
        let pid = self.machines[node].process.ok_or(Error::Closed)?;
        let second = self.clock(pid).second();
        let draft = draft(&SendOptions::whisper(), packets, second, self.config.max_frame)?;
        if self.is_stopped(node) || !self.processes[pid].line.is_empty() {
            self.stand_in_line(pid, draft, Some((*to, about)));
            return Ok(());
        }
        if self.route(pid, &draft, *to, about) { Ok(()) } else { Err(Error::TooManyRequests) }
    }

    /// Queues this for the program, which sends it once it runs and has sent what it wanted to send
    /// before.
    fn stand_in_line(
        &mut self,
        pid: ProcessId,
        draft: Draft,
        to: Option<(NodeId, Option<MessageId>)>,
    ) {
        let since = self.shared.schedule.now();
        let (to, about) = to.map_or((None, None), |(to, about)| (Some(to), about));
        self.processes[pid].line.push_back(Wish { draft, to, about, since });
        self.send_line(pid);
    }

    /// Returns the next message that waits at a node, if there is one. A program that is stopped
    /// takes none.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// assert!(World::new(42).nodes(5).recv(0).is_none());
    /// ```
    pub fn recv(&mut self, node: usize) -> Option<Message> {
        let pid = self.machines[node].process.filter(|_| !self.is_stopped(node))?;
        let message = self.processes[pid].application.take();
        self.took(pid);
        message
    }

    /// Sends what the program waits to send, as far as there is room.
    pub(super) fn send_line(&mut self, pid: ProcessId) {
        if self.is_stopped(self.processes[pid].machine) {
            return;
        }
        let patience = self.config.send_timeout;
        while let Some(first) = self.processes[pid].line.front() {
            let is_over = self.shared.schedule.now() > first.since + patience;
            if !is_over && first.to.is_none() && !self.may_send(pid, first.draft.main) {
                return;
            }
            let Some(Wish { draft, to, about, .. }) = self.processes[pid].line.pop_front() else {
                return;
            };
            let is_sent = match to {
                _ if is_over => false,
                Some(to) => self.route(pid, &draft, to, about),
                None => self.publish(pid, draft),
            };
            self.shared.ledger.given_up += u64::from(!is_sent);
        }
    }

    /// Returns whether a program's `send` goes on. If only time helps, it tries again.
    fn may_send(&mut self, pid: ProcessId, flag: Flag) -> bool {
        let now = self.clock(pid);
        let pause = self.processes[pid].node.send_pause(now).filter(|_| flag.is_relayed());
        if let Some(pause) = pause {
            self.wake_program(pid, pause);
        }
        pause.is_none() && self.has_room(pid)
    }

    fn has_room(&self, pid: ProcessId) -> bool {
        let process = &self.processes[pid];
        let mut links = process.node.peers().filter_map(|(_, id, _)| process.links.get(&id));
        links.all(|link| link.mailbox.outgoing.takes_own())
    }

    /// Sends a message now. Returns false if an identical one was sent too often.
    fn publish(&mut self, pid: ProcessId, mut draft: Draft) -> bool {
        let now = self.shared.schedule.now();
        draft.time = self.clock(pid).second();
        let is_broadcast = draft.main.is_relayed();
        let audience = if is_broadcast { Audience::Mesh } else { Audience::Peers };
        let number = self.shared.ledger.sent(pid, now, draft.time, audience);
        if !is_broadcast {
            let frame = draft.encode(&self.processes[pid].id, &draft.id());
            self.owe(number, pid);
            self.act_writing(pid, number, |node, _| node.whisper(&frame));
            return true;
        }
        let me = self.processes[pid].id;
        let mut message = draft.with_parts(|parts| Dated::new(parts, me));
        let rows = self.rows(pid);
        let sent = self.act_writing(pid, number, |node, now| node.publish(now, &mut message));
        if sent.is_err() {
            // It was never sent.
            self.shared.ledger.sendings.pop();
            return false;
        }
        let is_large = self.config.lazy_from.is_some_and(|least| message.len() >= least);
        self.shared.ledger.numbers.insert(message.id(), number);
        let sending = &mut self.shared.ledger.sendings[number];
        sending.date = message.time();
        (sending.id, sending.is_large) = (Some(message.id()), is_large);
        self.shared.ledger.owe(number, rows);
        true
    }
}
