//! Dialling: names to addresses, addresses to a connected stream, never longer than the deadline.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use mio::net::TcpStream;
use socket2::{SockRef, TcpKeepalive};

use super::core::Core;
use super::link_thread::{End, LinkThread};
use crate::events::Cause;
use crate::node::Target;
use crate::node::reach::may_dial;

/// See [`give_up_after`].
pub(crate) const UNACKNOWLEDGED: Duration = Duration::from_secs(2);

impl LinkThread {
    /// Connects to the first address that answers.
    pub(super) fn dial(&mut self, target: Target) -> Result<TcpStream, End> {
        let addrs = match target {
            Target::Resolved(addrs) => addrs,
            Target::Told(host, scope) => {
                let addrs = match host.to_socket_addr() {
                    Some(addr) => vec![addr],
                    None => self.resolve(host.host.clone(), host.port)?,
                };
                let own_port = self.core.local_addr.port();
                addrs.into_iter().filter(|&addr| may_dial(own_port, scope, addr)).collect()
            }
        };
        self.core.look_outward();
        let mut last = End::Lost(Cause::Refused);
        // One address that swallows everything must not use up the time of the others.
        let share =
            self.core.config.handshake_timeout / u32::try_from(addrs.len()).unwrap_or(1).max(1);
        for addr in addrs {
            match self.connect(addr, share) {
                Err(End::Lost(cause)) => last = End::Lost(cause),
                other => return other,
            }
        }
        Err(last)
    }

    fn connect(&mut self, addr: SocketAddr, share: Duration) -> Result<TcpStream, End> {
        let by = self.core.clock.mono() + share;
        let mut stream = TcpStream::connect(addr).map_err(|error| End::Lost(error.into()))?;
        self.register(&mut stream)?;
        loop {
            self.wait(Some(by))?;
            if self.core.clock.mono() >= by {
                return Err(End::Lost(Cause::TimedOut));
            }
            if let Some(error) = stream.take_error().map_err(|error| End::Lost(error.into()))? {
                return Err(End::Lost(error.into()));
            }
            match stream.peer_addr() {
                Ok(peer) if stream.local_addr().is_ok_and(|local| local == peer) => {
                    // TCP's simultaneous open: dialling one's own free port connects to oneself.
                    return Err(End::Lost(Cause::Refused));
                }
                Ok(_) => return Ok(stream),
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
                Err(error) => return Err(End::Lost(error.into())),
            }
        }
    }

    /// Looks a name up. That cannot be interrupted, so a thread of its own does it, and is left
    /// to itself if the link is closed meanwhile.
    fn resolve(&mut self, host: String, port: u16) -> Result<Vec<SocketAddr>, End> {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let link = Arc::clone(&self.link);
        let look_up = move || {
            let found = (host.as_str(), port).to_socket_addrs().map(Iterator::collect);
            // Nobody waits any more if the link was closed.
            let _ = sender.send(found);
            link.wake();
        };
        let name = "rs2p-resolve".to_string();
        std::thread::Builder::new()
            .name(name)
            .spawn(look_up)
            .map_err(|error| End::Lost(error.into()))?;
        loop {
            self.wait(None)?;
            if let Ok(found) = receiver.try_recv() {
                return found.map_err(|error| End::Lost(Cause::Unresolved(Arc::new(error))));
            }
        }
    }
}

/// What every stream is set up with: no delay for small frames, the system's own probes for
/// peers that vanished without a word, and buffers in proportion to our own.
pub(crate) fn prepare(stream: &TcpStream, core: &Core) {
    let idle = core.config.keepalive;
    let probes = TcpKeepalive::new().with_time(idle).with_interval(idle / 3);
    // All of it only improves things: a system that refuses them still has a working stream.
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_keepalive(&probes);
    #[cfg(target_vendor = "apple")]
    let _ = socket.set_nosigpipe(true);
    // While data is on its way there are no probes: without this a host that vanished would be
    // believed in for a quarter of an hour.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = socket.set_tcp_user_timeout(Some(core.config.stall.max(core.config.stall_py2p)));
    if let Some(bytes) = core.config.system_buffers() {
        let _ = socket.set_send_buffer_size(bytes);
        let _ = socket.set_recv_buffer_size(bytes);
    }
}

/// Has the system end the connection when the peer acknowledges nothing for this long, and a
/// little longer, so that a queue that stalls is noticed first. Where it cannot be told, it has a
/// patience of its own.
pub(crate) fn give_up_after(stream: &TcpStream, patience: Duration) {
    let patience = patience.saturating_add(UNACKNOWLEDGED);
    // A system that refuses it still has a working stream.
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let _ = SockRef::from(stream).set_tcp_user_timeout(Some(patience));
    #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
    let _ = (stream, patience);
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_system_gives_up_a_peer_that_acknowledges_nothing() -> io::Result<()> {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0))?;
        let stream = TcpStream::connect(listener.local_addr()?)?;
        give_up_after(&stream, Duration::from_secs(10));
        let patience = SockRef::from(&stream).tcp_user_timeout()?;
        assert_eq!(patience, Some(Duration::from_secs(12)));
        Ok(())
    }
}
