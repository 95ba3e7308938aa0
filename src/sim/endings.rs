//! How connections end: closed, reset, given up, silenced, cut.

use std::time::Duration;

use super::ledger::CopyLoss;
use super::network::{Shared, Sockets};
use super::schedule::Happening;
use super::tcp::{Broken, Conn, EndState, Segment, Socket};

impl Sockets {
    /// This end gets an error, and its process learns of it.
    pub fn break_end(&mut self, shared: &mut Shared, socket: Socket, how: Broken) {
        let Some(conn) = self.conn_mut(socket) else { return };
        let end = &mut conn.ends[socket.end];
        if end.state == EndState::Open && end.error.is_none() {
            end.error = Some(how);
            // What is on its way, to it or from it, is gone. What has arrived can be read.
            for pipe in &mut conn.pipes {
                pipe.flying.clear();
                pipe.stuck = None;
            }
            shared.schedule.after(Duration::ZERO, Happening::Room { socket });
        }
    }

    /// Resets this end, unless the reset is lost as well.
    pub fn reset(&mut self, shared: &mut Shared, socket: Socket) {
        if self.is_blocked(socket) {
            self.watch(shared, socket);
        } else {
            self.break_end(shared, socket, Broken::Reset);
        }
    }

    /// Closes this end for its process. With input unread that resets the connection.
    pub fn close(&mut self, shared: &mut Shared, socket: Socket, why: CopyLoss) {
        let Some(conn) = self.conn_mut(socket) else { return };
        if conn.ends[socket.end].state != EndState::Open {
            return;
        }
        conn.ends[socket.end].state = EndState::Closed;
        let is_broken = conn.ends[socket.end].error.is_some();
        let input = &conn.pipes[1 - socket.end];
        let has_unread = !input.arrived.is_empty();
        let is_data = |(_, segment): &(Duration, Segment)| matches!(segment, Segment::Data(_));
        let gets_more = input.flying.iter().any(is_data);
        self.lose(shared, socket.other(), why);
        if is_broken {
            // Its system has forgotten the connection: no farewell.
            self.watch(shared, socket.other());
        } else if has_unread {
            if let Some(conn) = self.conn_mut(socket) {
                conn.pipes[socket.end].flying.clear();
            }
            self.turn_away(shared, socket.other());
        } else {
            self.shut(shared, socket);
            if gets_more {
                self.turn_away(shared, socket.other());
            }
        }
        self.tidy(shared, socket);
    }

    /// Silences this end, because its machine is off.
    pub fn silence(&mut self, shared: &mut Shared, socket: Socket) {
        self.lose(shared, socket.other(), CopyLoss::Crashed);
        if let Some(end) = self.end_mut(socket) {
            end.state = EndState::Silent;
        }
        self.watch(shared, socket.other());
    }

    /// Forgets the old connections of a machine that is on again.
    pub fn wake_machine(&mut self, shared: &mut Shared, machine: usize) {
        let conns = self.conns.iter_mut().flatten();
        for end in conns.flat_map(|conn| &mut conn.ends).filter(|end| end.machine == machine) {
            if end.state == EndState::Silent {
                end.state = EndState::Closed;
            }
        }
        for conn in 0..self.conns.len() {
            self.tidy(shared, Socket { conn, end: 0 });
        }
    }

    /// Breaks the connection without telling either end.
    pub fn cut(&mut self, shared: &mut Shared, socket: Socket) {
        if let Some(conn) = self.conn_mut(socket) {
            conn.is_cut = true;
        }
        self.watch(shared, socket);
        self.watch(shared, socket.other());
    }

    /// Has this end's keep-alive look, because something has gone wrong.
    pub fn watch(&mut self, shared: &mut Shared, socket: Socket) {
        if self.end(socket).is_some_and(|end| end.state == EndState::Open) {
            let since = shared.schedule.now();
            let idle = self.keepalive + Self::up_to(shared, self.keepalive / 3);
            shared.schedule.after(idle, Happening::Probe { socket, since });
        }
    }

    pub fn probe(&mut self, shared: &mut Shared, socket: Socket, since: Duration) {
        let (interval, is_blocked) = (self.keepalive / 3, self.is_blocked(socket));
        let Some(conn) = self.conn(socket) else { return };
        if conn.ends[socket.end].state != EndState::Open || conn.ends[socket.end].error.is_some() {
            return;
        }
        let other = conn.ends[1 - socket.end].state;
        if is_blocked || other == EndState::Silent {
            // As Linux has it: the user timeout counts for these probes as well.
            let patience = self.network.patience.max(self.keepalive + interval);
            if shared.schedule.now() >= since + patience {
                self.break_end(shared, socket, Broken::TimedOut);
            } else {
                shared.schedule.after(interval, Happening::Probe { socket, since });
            }
        } else if other == EndState::Closed && !conn.pipes[1 - socket.end].says_so() {
            self.break_end(shared, socket, Broken::Reset);
        }
    }

    /// Drops what is in this end's pipe.
    pub(super) fn lose(&mut self, shared: &mut Shared, socket: Socket, why: CopyLoss) {
        let Some(conn) = self.conn_mut(socket) else { return };
        let (from, to) = (conn.ends[socket.end].process, conn.ends[1 - socket.end].process);
        let pipe = &mut conn.pipes[socket.end];
        pipe.flying.clear();
        pipe.arrived.clear();
        pipe.unread = 0;
        pipe.stuck = None;
        for tag in pipe.tags.drain(..) {
            shared.ledger.lost(tag, from, to, why);
        }
    }

    /// Forgets a connection that is over, and counts what is still in it.
    pub(super) fn tidy(&mut self, shared: &mut Shared, socket: Socket) {
        if self.conn(socket).is_some_and(Conn::is_over) {
            self.lose(shared, socket, CopyLoss::InFlight);
            self.lose(shared, socket.other(), CopyLoss::InFlight);
            self.conns[socket.conn] = None;
        }
    }
}
