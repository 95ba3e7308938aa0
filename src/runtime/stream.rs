//! One stream, plain or TLS, never blocking.

use std::io::{self, IoSlice, Read};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;

use super::dial;
use super::tls::{TlsKit, TlsLink};
use crate::cause::Cause;
use crate::link::transport::Transport;

/// What a link reads from and writes to.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsLink>),
}

impl Stream {
    /// A stream over this connection, encrypted if there is a kit.
    pub fn new(tcp: TcpStream, kit: Option<&TlsKit>, is_dialler: bool) -> Self {
        match kit {
            None => Stream::Plain(tcp),
            Some(kit) => Stream::Tls(kit.link(tcp, is_dialler)),
        }
    }

    /// Takes the handshake of the encryption as far as it goes without waiting; true when done.
    pub fn handshake(&mut self) -> Result<bool, Cause> {
        match self {
            Stream::Plain(_) => Ok(true),
            Stream::Tls(tls) => tls.handshake(),
        }
    }

    /// What a proof can be bound to, so that it holds for this peer only: `None` in plaintext.
    pub fn end_point(&self) -> Result<Option<Vec<u8>>, Cause> {
        match self {
            Stream::Plain(_) => Ok(None),
            Stream::Tls(tls) => tls.end_point().map(Some),
        }
    }

    /// The connection below all encryption.
    pub fn tcp(&self) -> &TcpStream {
        match self {
            Stream::Plain(tcp) => tcp,
            Stream::Tls(tls) => tls.tcp(),
        }
    }
}

impl Transport<()> for Stream {
    fn write_frames(&mut self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => write_without_signal(tcp, frames),
            Stream::Tls(tls) => tls.write_frames(frames),
        }
    }

    fn finish_writing(&mut self) {
        // The peer may be gone already; there is nobody left to tell.
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    fn send_rest(&mut self) -> io::Result<bool> {
        match self {
            Stream::Plain(_) => Ok(true),
            Stream::Tls(tls) => tls.send(),
        }
    }

    fn unsent(&self) -> usize {
        match self {
            Stream::Plain(_) => 0,
            Stream::Tls(tls) => tls.unsent(),
        }
    }

    fn forget_unsent(&mut self) {
        if let Stream::Tls(tls) = self {
            tls.forget();
        }
    }

    fn give_up_after(&mut self, patience: Option<Duration>) {
        dial::give_up_after(self.tcp(), patience);
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.read(buf),
            Stream::Tls(tls) => tls.read(buf),
        }
    }
}

/// Writes like `writev`, which would raise SIGPIPE where the peer is gone and the program has left
/// that signal at its default: a C host, or a tool that wants to end with `head`.
#[cfg(unix)]
fn write_without_signal(tcp: &TcpStream, frames: &[IoSlice<'_>]) -> io::Result<usize> {
    // Apple has no such flag; there the option of the socket does the same, see `dial::prepare`.
    #[cfg(target_vendor = "apple")]
    const FLAGS: libc::c_int = 0;
    #[cfg(not(target_vendor = "apple"))]
    const FLAGS: libc::c_int = libc::MSG_NOSIGNAL;
    socket2::SockRef::from(tcp).send_vectored_with_flags(frames, FLAGS)
}

#[cfg(not(unix))]
fn write_without_signal(mut tcp: &TcpStream, frames: &[IoSlice<'_>]) -> io::Result<usize> {
    io::Write::write_vectored(&mut tcp, frames)
}
