//! Tells the node which addresses it has: those of a link's two ends, and those that it announces; and
//! whether other nodes can dial them.

use mio::net::TcpStream;

use super::core::Core;
use crate::events::MeshEvent;
use crate::node::dialable::Way;
use crate::outward::{Change, Interfaces};
use crate::trouble::Trouble;
use crate::wire::HostPort;

impl Core {
    /// Returns the best address as of now; a loopback address if there is none.
    pub fn out_addr(&self) -> HostPort {
        self.outward.best(&self.interfaces()).unwrap_or_else(|| self.outward.loopback())
    }

    /// Returns the two ends of a link, and what is announced on it; `None` if it has ended already.
    pub(super) fn way(&self, tcp: &TcpStream) -> Option<Way> {
        let (local, remote) = (tcp.local_addr().ok()?, tcp.peer_addr().ok()?);
        let way = self.outward.way(local, remote, || self.interfaces());
        if way.announce.is_none() {
            self.note_outward(None);
        }
        self.look_outward();
        Some(way)
    }

    /// Looks whether others can still dial this node, and reports what has changed.
    pub(super) fn look_outward(&self) {
        if self.outward.varies() {
            self.note_outward(self.outward.best(&self.interfaces()).as_ref());
        }
    }

    /// Reports how the outward address has changed.
    pub(super) fn note_outward(&self, best: Option<&HostPort>) {
        match self.outward.note(best) {
            Some(Change::Found(addr)) => {
                self.trouble_over(&Trouble::NotReachable);
                self.report(MeshEvent::OutAddr { addr: addr.to_string() });
            }
            Some(Change::Lost) => self.trouble(Trouble::NotReachable),
            None => {}
        }
    }

    fn interfaces(&self) -> Interfaces {
        if self.outward.varies() { Interfaces::read() } else { Interfaces::default() }
    }
}
