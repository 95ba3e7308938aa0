//! A connection of an attacker to X, plain or TLS. Says whatever bytes it is given.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::raw::message;

/// How long a dial or the first answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long one write may take before the link looks whether the attack is over.
const WRITE: Duration = Duration::from_millis(50);
/// Most bytes that are read at once and forgotten.
const DRAINED: usize = 4 << 20;

pub enum Stream {
    Plain(TcpStream),
    #[cfg(feature = "native-tls")]
    Tls(Box<native_tls::TlsStream<TcpStream>>),
}

pub struct Link {
    stream: Stream,
    pub id: String,
    is_over: Arc<AtomicBool>,
    /// Whether it reads nothing, even while it writes.
    pub is_deaf: bool,
}

/// Connects from one loopback address to another one. Refuses every other address.
pub fn dial(from: IpAddr, to: SocketAddr) -> io::Result<TcpStream> {
    if !from.is_loopback() || !to.ip().is_loopback() {
        let text = format!("refused to attack {to} from {from}: loopback only");
        return Err(io::Error::new(ErrorKind::PermissionDenied, text));
    }
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, None)?;
    socket.bind(&SocketAddr::new(from, 0).into())?;
    socket.connect_timeout(&to.into(), PATIENCE)?;
    let stream = TcpStream::from(socket);
    stream.set_write_timeout(Some(WRITE))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

impl Link {
    pub fn new(stream: Stream, id: String, is_over: Arc<AtomicBool>) -> Link {
        Link { stream, id, is_over, is_deaf: false }
    }

    pub fn tcp(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(stream) => stream,
            #[cfg(feature = "native-tls")]
            Stream::Tls(stream) => stream.get_ref(),
        }
    }

    fn io(&mut self) -> &mut dyn Duplex {
        match &mut self.stream {
            Stream::Plain(stream) => stream,
            #[cfg(feature = "native-tls")]
            Stream::Tls(stream) => &mut **stream,
        }
    }

    /// Says a message with everything right but, maybe, its meaning. Returns whether it went out.
    pub fn say(&mut self, main: u8, payload: &[&[u8]]) -> bool {
        let bytes = message(&self.id, main, payload);
        self.send(&bytes)
    }

    /// Writes until all is out, the link has ended, or the attack is over. Returns whether all is out.
    pub fn send(&mut self, mut bytes: &[u8]) -> bool {
        while !bytes.is_empty() {
            match self.io().write(bytes) {
                Ok(0) => return false,
                Ok(count) => bytes = bytes.get(count..).unwrap_or_default(),
                Err(error) if is_for_now(&error) && !self.is_over.load(Relaxed) => {}
                Err(_) => return false,
            }
            if !self.is_deaf {
                self.drain();
            }
        }
        true
    }

    /// Reads what is there, up to a limit, and forgets it. Returns how much it was.
    pub fn drain(&mut self) -> usize {
        self.sip(DRAINED)
    }

    /// Reads about so many bytes, if they are there, and forgets them.
    pub fn sip(&mut self, most: usize) -> usize {
        let mut taken = 0;
        let _ = self.tcp().set_nonblocking(true);
        let mut bytes = vec![0; most.min(64 << 10)];
        while taken < most {
            match self.io().read(&mut bytes) {
                Ok(0) | Err(_) => break,
                Ok(count) => taken += count,
            }
        }
        let _ = self.tcp().set_nonblocking(false);
        taken
    }

    /// Waits for the first bytes of X. Returns whether there were any.
    pub fn hears(&mut self) -> bool {
        let until = Instant::now() + PATIENCE;
        let mut bytes = [0; 4096];
        while Instant::now() < until {
            match self.io().read(&mut bytes) {
                Ok(count) => return count > 0,
                Err(error) if is_for_now(&error) => {}
                Err(_) => return false,
            }
        }
        false
    }

    /// Ends the connection with a reset.
    pub fn reset(self) {
        let _ = SockRef::from(self.tcp()).set_linger(Some(Duration::ZERO));
    }

    /// Gives the system a small buffer for what X sends.
    pub fn narrow(&self) {
        let _ = SockRef::from(self.tcp()).set_recv_buffer_size(4096);
    }
}

trait Duplex: Read + Write {}

impl<T: Read + Write> Duplex for T {}

fn is_for_now(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}
