//! The promise about two nodes and the links between them.

use std::collections::BTreeSet;
use std::time::Duration;

use super::tcp::{Conn, End, EndState};
use super::world::World;

/// Two nodes that have two links have chosen one, and drained the other one, after this time.
const SETTLES: Duration = Duration::from_secs(6);

impl World {
    /// Links that are being made, or that give way to another one, have some seconds for it.
    pub(super) fn exactly_one_usable_link_joins_a_pair(&self) -> Result<(), String> {
        let mut pairs = BTreeSet::new();
        let is_up = |conn: &Conn| self.is_settled(conn) && !self.is_being_left(conn);
        for (socket, conn) in self.sockets.conns().filter(|(_, conn)| is_up(conn)) {
            let [a, b] = [conn.ends[0].process, conn.ends[1].process];
            if !conn.is_whole() {
                let why = conn.why_not_whole();
                return Err(format!("processes {a} and {b} have a link that is {why}"));
            }
            for (from, to, socket) in [(a, b, socket), (b, a, socket.other())] {
                if self.row(from, to) != Some(socket) {
                    return Err(format!(
                        "processes {from} and {to} have a link that is no row of {from}'s"
                    ));
                }
            }
            if !pairs.insert((a.min(b), a.max(b))) {
                return Err(format!("processes {a} and {b} are linked twice"));
            }
        }
        for (pid, process) in self.processes.iter().enumerate().filter(|(_, at)| at.is_alive) {
            for (id, link, _) in process.node.peers() {
                let socket = process.links.get(&link).and_then(|link| link.socket);
                let Some(conn) = socket.and_then(|socket| self.sockets.conn(socket)) else {
                    return Err(format!("process {pid} has a row for {id}, and no link at all"));
                };
                if self.is_old(conn) && !self.is_settled(conn) {
                    return Err(format!("process {pid} has a row for {id}, which is not there"));
                }
            }
        }
        Ok(())
    }

    /// Returns whether both processes hold it, and have had the time to agree on it.
    fn is_settled(&self, conn: &Conn) -> bool {
        let is_open = |end: &End| end.state == EndState::Open;
        conn.ends.iter().all(is_open) && self.is_old(conn)
    }

    /// Returns whether one of its processes is about to leave it, and has time left for that.
    fn is_being_left(&self, conn: &Conn) -> bool {
        conn.ends.iter().any(|end| {
            let link = end.link.and_then(|link| self.processes[end.process].links.get(&link));
            link.is_some_and(|link| link.is_leaving(self.now()))
        })
    }

    fn is_old(&self, conn: &Conn) -> bool {
        conn.since + SETTLES < self.now()
    }
}
