//! The network between the machines: what is on its way, what gets through, what breaks.

use std::collections::BTreeSet;
use std::io;
use std::ops::RangeInclusive;
use std::time::Duration;

use bytes::Bytes;

use super::ledger::{CopyLoss, Ledger, Tag};
use super::schedule::{Happening, Schedule};
use super::tcp::{Broken, Conn, End, EndState, Segment, Socket};
use crate::link::release::release;
use crate::node::rng::Rng;

/// TCP sends again after this time, then after twice as long, and so on.
const FIRST_RETRY: Duration = Duration::from_millis(200);

/// How the modelled network behaves.
///
/// ```
/// use rs2p::sim::{Network, World};
/// use std::time::Duration;
///
/// let slow = Network { delay: Duration::from_millis(80)..=Duration::from_millis(300), ..Network::default() };
/// let world = World::new(1).network(slow).nodes(3);
/// # let _ = world;
/// ```
#[derive(Clone, Debug)]
pub struct Network {
    /// One way, drawn for each connection. Default: 1 to 50 ms.
    pub delay: RangeInclusive<Duration>,
    /// How much later a segment may arrive than that. Default: 5 ms.
    pub jitter: Duration,
    /// Bytes a second, of each connection and direction. Default: 10 MB.
    pub rate: u64,
    /// Bytes written and not yet read that a direction holds: the buffers of both systems.
    /// Default: 256 KiB.
    pub buffer: usize,
    /// How long TCP goes on sending what nobody acknowledges. Default: 12 s, as rs2p asks of the
    /// system for links between rs2p nodes.
    pub patience: Duration,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            delay: Duration::from_millis(1)..=Duration::from_millis(50),
            jitter: Duration::from_millis(5),
            rate: 10_000_000,
            buffer: 256 * 1024,
            patience: Duration::from_secs(12),
        }
    }
}

/// What all parts of a world share.
#[derive(Debug)]
pub(super) struct Shared {
    pub schedule: Schedule,
    pub rng: Rng,
    pub ledger: Ledger,
}

/// The connections of a world, and the network that carries them.
#[derive(Debug)]
pub(super) struct Sockets {
    pub network: Network,
    /// Idle time before a keep-alive asks.
    pub keepalive: Duration,
    /// What the nodes ask of their systems: the buffers of one end of a connection.
    pub buffers: Option<usize>,
    pub(super) conns: Vec<Option<Box<Conn>>>,
    /// Machines that are cut off from the others, with the number of each cut.
    partitions: Vec<(u64, BTreeSet<usize>)>,
}

impl Sockets {
    pub fn new(keepalive: Duration) -> Self {
        let (network, conns, partitions) = (Network::default(), Vec::new(), Vec::new());
        Sockets { network, keepalive, buffers: None, conns, partitions }
    }

    pub fn conn(&self, socket: Socket) -> Option<&Conn> {
        self.conns[socket.conn].as_deref()
    }

    pub fn conn_mut(&mut self, socket: Socket) -> Option<&mut Conn> {
        self.conns[socket.conn].as_deref_mut()
    }

    pub fn end(&self, socket: Socket) -> Option<&End> {
        Some(&self.conn(socket)?.ends[socket.end])
    }

    pub fn end_mut(&mut self, socket: Socket) -> Option<&mut End> {
        Some(&mut self.conn_mut(socket)?.ends[socket.end])
    }

    /// Returns all connections, by one end.
    pub fn conns(&self) -> impl Iterator<Item = (Socket, &Conn)> {
        let conns = self.conns.iter().enumerate();
        conns.filter_map(|(conn, at)| Some((Socket { conn, end: 0 }, at.as_deref()?)))
    }

    /// Returns a new connection: the dialler's end of it.
    pub fn connect(&mut self, shared: &mut Shared, dialler: End, acceptor: End) -> Socket {
        let delay = self.draw_delay(shared);
        self.conns.push(Some(Box::new(Conn::new(shared.schedule.now(), dialler, acceptor, delay))));
        Socket { conn: self.conns.len() - 1, end: 0 }
    }

    pub fn draw_delay(&self, shared: &mut Shared) -> Duration {
        let (least, most) = (*self.network.delay.start(), *self.network.delay.end());
        least + Self::up_to(shared, most.saturating_sub(least))
    }

    pub(super) fn up_to(shared: &mut Shared, most: Duration) -> Duration {
        Duration::from_micros(shared.rng.below(most.as_micros() as u64 + 1))
    }

    // Partitions.

    pub fn part(&mut self, number: u64, machines: BTreeSet<usize>) {
        self.partitions.push((number, machines));
    }

    pub fn heal(&mut self, number: u64) {
        self.partitions.retain(|(partition, _)| *partition != number);
    }

    /// Returns whether packets between these machines are lost.
    pub fn is_parted(&self, a: usize, b: usize) -> bool {
        self.partitions.iter().any(|(_, side)| side.contains(&a) != side.contains(&b))
    }

    pub(super) fn is_blocked(&self, socket: Socket) -> bool {
        let Some(conn) = self.conn(socket) else { return true };
        conn.is_cut || self.is_parted(conn.ends[0].machine, conn.ends[1].machine)
    }

    // Writing.

    /// Returns whether this end can be written to at all.
    pub fn writable(&self, socket: Socket) -> io::Result<()> {
        let Some(conn) = self.conn(socket) else { return Err(io::ErrorKind::NotConnected.into()) };
        match conn.ends[socket.end].error {
            Some(broken) => Err(broken.kind().into()),
            None if conn.pipes[socket.end].is_shut => Err(io::ErrorKind::BrokenPipe.into()),
            None => Ok(()),
        }
    }

    /// Returns how many bytes can be written here and now.
    pub fn room(&self, socket: Socket) -> usize {
        let unread = self.conn(socket).map_or(0, |conn| conn.pipes[socket.end].unread);
        self.buffer().saturating_sub(unread)
    }

    /// Returns what one direction holds. The two ends have a buffer each.
    fn buffer(&self) -> usize {
        self.buffers.map_or(self.network.buffer, |bytes| self.network.buffer.min(2 * bytes))
    }

    pub fn write(&mut self, shared: &mut Shared, socket: Socket, bytes: Bytes) {
        let pace = Duration::from_secs_f64(bytes.len() as f64 / self.network.rate.max(1) as f64);
        let Some(conn) = self.conn_mut(socket) else { return };
        let pipe = &mut conn.pipes[socket.end];
        pipe.unread += bytes.len();
        pipe.free_at = pipe.free_at.max(shared.schedule.now()) + pace;
        self.send(shared, socket, Segment::Data(bytes));
    }

    /// Notes that a frame was written to its end.
    pub fn wrote_frame(&mut self, socket: Socket, tag: Tag) {
        if let Some(conn) = self.conn_mut(socket) {
            conn.pipes[socket.end].tags.push_back(tag);
        }
    }

    /// Notes that nothing more will be written.
    pub fn shut(&mut self, shared: &mut Shared, socket: Socket) {
        let Some(conn) = self.conn_mut(socket) else { return };
        if !std::mem::replace(&mut conn.pipes[socket.end].is_shut, true) {
            self.send(shared, socket, Segment::Fin);
        }
    }

    fn send(&mut self, shared: &mut Shared, socket: Socket, segment: Segment) {
        let late = Self::up_to(shared, self.network.jitter);
        let Some(conn) = self.conn_mut(socket) else { return };
        let pipe = &mut conn.pipes[socket.end];
        let leaves = pipe.free_at.max(shared.schedule.now());
        pipe.last_at = pipe.last_at.max(leaves + conn.delay + late);
        pipe.flying.push_back((pipe.last_at, segment));
        if !std::mem::replace(&mut pipe.is_planned, true) {
            shared.schedule.at(pipe.last_at, Happening::Arrive { socket });
        }
    }

    // Arriving.

    /// Delivers what this end sent and what is due at the other end. Returns whether that end must
    /// be woken.
    pub fn arrive(&mut self, shared: &mut Shared, socket: Socket) -> bool {
        let (now, is_blocked) = (shared.schedule.now(), self.is_blocked(socket));
        let Some(conn) = self.conn_mut(socket) else { return false };
        let other = &conn.ends[1 - socket.end];
        conn.pipes[socket.end].is_planned = false;
        if is_blocked || other.state == EndState::Silent {
            self.try_again(shared, socket);
            self.tidy(shared, socket);
            return false;
        }
        if other.state == EndState::Closed {
            self.turn_away(shared, socket);
            return false;
        }
        if other.error.is_some() {
            // What arrived before can still be read, and frames of it may have been.
            conn.pipes[socket.end].flying.clear();
            self.send_reset(shared, socket);
            return false;
        }
        let pipe = &mut conn.pipes[socket.end];
        pipe.stuck = None;
        while pipe.flying.front().is_some_and(|(at, _)| *at <= now) {
            let Some((_, segment)) = pipe.flying.pop_front() else { break };
            match segment {
                Segment::Data(bytes) => pipe.arrived.push_back(bytes),
                Segment::Fin => pipe.has_ended = true,
            }
        }
        release(&mut pipe.flying);
        if let Some((at, _)) = pipe.flying.front() {
            pipe.is_planned = true;
            shared.schedule.at(*at, Happening::Arrive { socket });
        }
        true
    }

    /// Plans that TCP sends again, with growing pauses, until its patience is over.
    fn try_again(&mut self, shared: &mut Shared, socket: Socket) {
        let (now, patience) = (shared.schedule.now(), self.network.patience);
        let Some(conn) = self.conn_mut(socket) else { return };
        if conn.ends[socket.end].state == EndState::Silent {
            return conn.pipes[socket.end].flying.clear();
        }
        let pipe = &mut conn.pipes[socket.end];
        let (since, pause) = pipe.stuck.unwrap_or((now, FIRST_RETRY));
        if now >= since + patience {
            return match conn.ends[socket.end].state {
                EndState::Open => self.break_end(shared, socket, Broken::TimedOut),
                // What a closed end had left to say is given up, and the other one does not know.
                EndState::Closed | EndState::Silent => {
                    self.lose(shared, socket, CopyLoss::InFlight);
                    self.watch(shared, socket.other());
                }
            };
        }
        pipe.stuck = Some((since, pause * 2));
        pipe.is_planned = true;
        let next = (now + pause).min(since + patience);
        shared.schedule.at(next, Happening::Arrive { socket });
    }

    /// Drops what this end sent, because the other end is closed, and resets it.
    pub(super) fn turn_away(&mut self, shared: &mut Shared, socket: Socket) {
        self.lose(shared, socket, CopyLoss::InFlight);
        self.send_reset(shared, socket);
        self.tidy(shared, socket);
    }

    /// Tells this end, if it is open, that the other one knows no such connection.
    fn send_reset(&mut self, shared: &mut Shared, socket: Socket) {
        if let Some(conn) = self.conn(socket)
            && conn.ends[socket.end].state == EndState::Open
        {
            shared.schedule.after(conn.delay, Happening::Reset { socket });
        }
    }

    /// This end's writer waits for room.
    pub fn await_room(&mut self, socket: Socket) {
        if let Some(conn) = self.conn_mut(socket) {
            conn.pipes[socket.end].is_awaited = true;
        }
    }

    /// This end has read: a writer that waits may go on.
    pub fn has_read(&mut self, shared: &mut Shared, socket: Socket) {
        let half = self.buffer() / 2;
        let Some(conn) = self.conn_mut(socket) else { return };
        let (pipe, delay) = (&mut conn.pipes[1 - socket.end], conn.delay);
        if pipe.is_awaited && pipe.unread <= half {
            pipe.is_awaited = false;
            shared.schedule.after(delay, Happening::Room { socket: socket.other() });
        }
    }
}
