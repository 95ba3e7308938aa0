//! Making connections: a dial's packets, the backlog, the accept thread.

use std::time::Duration;

use super::link::Link;
use super::process::{address, machine_at};
use super::schedule::{Happening, ProcessId};
use super::tcp::{End, EndState, Socket};
use super::world::World;
use crate::cause::Cause;
use crate::node::dialable::{Scope, Way, may_dial};
use crate::node::{Event, LinkId, Target};
use crate::wire::HostPort;

/// A dial that gets no answer is repeated after this time, then after twice as long, and so on.
const KNOCK_AGAIN: Duration = Duration::from_secs(1);

impl World {
    pub(super) fn dial(&mut self, pid: ProcessId, id: LinkId, target: Target) {
        let link = Link::dialling(&self.config, self.processes[pid].id);
        self.processes[pid].links.insert(id, Box::new(link));
        let own_port = address(self.processes[pid].machine).port();
        let addr = match target {
            Target::Asked(hosts) => hosts.first().and_then(HostPort::to_socket_addr),
            Target::Told(host, scope) => {
                host.to_socket_addr().filter(|&addr| may_dial(own_port, scope, addr))
            }
        };
        let to = addr.and_then(machine_at).filter(|&to| to < self.machines.len());
        let delay = self.sockets.draw_delay(&mut self.shared);
        let what = match to {
            Some(to) => Happening::Knock { process: pid, link: id, to, attempt: 0 },
            None => Happening::Answer { process: pid, link: id, socket: None },
        };
        self.shared.schedule.after(delay, what);
    }

    /// A dial's first packet is due at the other machine.
    pub(super) fn knock(&mut self, pid: ProcessId, id: LinkId, to: usize, attempt: u32) {
        if !self.processes[pid].links.contains_key(&id) {
            return;
        }
        let from = self.processes[pid].machine;
        if self.machines[to].is_off || self.sockets.is_parted(from, to) {
            let again = KNOCK_AGAIN * 2_u32.saturating_pow(attempt);
            let knock = Happening::Knock { process: pid, link: id, to, attempt: attempt + 1 };
            return self.shared.schedule.after(again, knock);
        }
        let socket = self.machines[to].process.map(|acceptor| {
            let end = |machine, process, link| End {
                machine,
                process,
                link,
                state: EndState::Open,
                error: None,
            };
            let (dialler, acceptor) = (end(from, pid, Some(id)), end(to, acceptor, None));
            let socket = self.sockets.connect(&mut self.shared, dialler, acceptor);
            self.shared
                .schedule
                .after(Duration::ZERO, Happening::Accept { socket: socket.other() });
            socket
        });
        let delay = match socket.and_then(|socket| self.sockets.conn(socket)) {
            Some(conn) => conn.delay,
            None => self.sockets.draw_delay(&mut self.shared),
        };
        self.shared.schedule.after(delay, Happening::Answer { process: pid, link: id, socket });
    }

    pub(super) fn answer(&mut self, pid: ProcessId, id: LinkId, socket: Option<Socket>) {
        let is_wanted = self.processes[pid].is_alive && self.processes[pid].links.contains_key(&id);
        match socket {
            Some(socket) if is_wanted => {
                let peer = self.sockets.end(socket.other()).map(|end| end.process);
                if let Some(link) = self.processes[pid].links.get_mut(&id) {
                    link.open(&self.config, socket, peer);
                }
                self.place(pid, id, socket);
                self.tell(pid, Event::Opened { link: id });
                self.wake(pid, id);
            }
            Some(socket) => {
                self.sockets.close(&mut self.shared, socket, super::ledger::CopyLoss::Discarded);
            }
            None if is_wanted => self.finish(pid, id, Cause::Refused),
            None => {}
        }
    }

    /// Tells a node where the two ends of its link are.
    fn place(&mut self, pid: ProcessId, link: LinkId, socket: Socket) {
        let Some(other) = self.sockets.end(socket.other()) else { return };
        let (local, remote) = (address(self.processes[pid].machine), address(other.machine));
        let scope = Scope::of(local.ip(), remote.ip());
        let way = Way { remote, scope, announce: Some(HostPort::from(local)), also: None };
        self.tell(pid, Event::Placed { link, way });
    }

    /// The accept thread admits whoever waits.
    pub(super) fn accept(&mut self, socket: Socket) {
        let Some(end) = self.sockets.end(socket).filter(|end| end.state == EndState::Open) else {
            return;
        };
        let pid = end.process;
        match self.admit(pid) {
            Ok(id) => {
                let mut link = Link::dialling(&self.config, self.processes[pid].id);
                let peer = self.sockets.end(socket.other()).map(|end| end.process);
                link.open(&self.config, socket, peer);
                self.processes[pid].links.insert(id, Box::new(link));
                if let Some(end) = self.sockets.end_mut(socket) {
                    end.link = Some(id);
                }
                self.place(pid, id, socket);
                self.tell(pid, Event::Opened { link: id });
                self.wake(pid, id);
            }
            Err(_) => {
                self.sockets.close(&mut self.shared, socket, super::ledger::CopyLoss::Discarded)
            }
        }
    }

    /// Links on their way out have threads as well, though the node knows them no more.
    fn admit(&mut self, pid: ProcessId) -> Result<LinkId, Cause> {
        if self.processes[pid].links.len() >= 2 * self.config.max_links {
            self.act(pid, |node, _| node.turned_away(&Cause::TooManyLinks));
            return Err(Cause::TooManyLinks);
        }
        self.act(pid, |node, now| node.admit(now))
    }
}
