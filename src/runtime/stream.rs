//! One stream, plain or TLS, never blocking. Nobody else says "TLS".

use std::io::{self, IoSlice, Read, Write};
use std::net::Shutdown;

use mio::net::TcpStream;

/// What a link reads from and writes to.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
}

impl Stream {
    /// Takes the handshake of the encryption as far as it goes without waiting; true when done.
    pub fn handshake(&mut self) -> io::Result<bool> {
        match self {
            Stream::Plain(_) => Ok(true),
        }
    }

    /// Writes frames from the front, as many as the system takes; how many bytes of them went
    /// out of sight. After `WouldBlock` the next call must begin with the same bytes.
    pub fn write_frames(&mut self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.write_vectored(frames),
        }
    }

    /// Says that nothing more will be written.
    pub fn finish_writing(&mut self) {
        // The peer may be gone already; there is nobody left to tell.
        let _ = self.tcp().shutdown(Shutdown::Write);
    }

    pub fn tcp(&mut self) -> &mut TcpStream {
        match self {
            Stream::Plain(tcp) => tcp,
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Plain(tcp) => tcp.read(buf),
        }
    }
}
