//! What sits between TLS and TCP: a buffer for each direction.
//!
//! TLS makes a record of each write, and frames must not share one: so without the outgoing buffer
//! every frame would be a system call. It takes whatever TLS writes, so that TLS never has to write
//! the same bytes again; the link's thread asks for room before it writes. Without the incoming one OpenSSL would
//! make two system calls per record.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI16, Ordering};

use bytes::{Buf, BytesMut};
use mio::net::TcpStream;

/// What TLS may say by itself, beyond the room for frames. An honest peer makes it say nothing.
const OWN_WORDS: usize = 64 * 1024;
/// A little more than a record.
const INPUT: usize = 17 * 1024;

/// A TCP stream, and what a failed handshake leaves behind there.
#[derive(Debug)]
pub(super) struct Tcp {
    stream: TcpStream,
    /// The first byte of the peer; -1 before.
    first: AtomicI16,
    is_at_end: AtomicBool,
}

impl Tcp {
    pub fn new(stream: TcpStream) -> Self {
        Tcp { stream, first: AtomicI16::new(-1), is_at_end: AtomicBool::new(false) }
    }

    pub fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Returns the first byte that the peer ever sent.
    pub fn first_byte(&self) -> Option<u8> {
        u8::try_from(self.first.load(Ordering::Relaxed)).ok()
    }

    /// Returns whether the peer has stopped writing.
    pub fn is_at_end(&self) -> bool {
        self.is_at_end.load(Ordering::Relaxed)
    }

    fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let read = (&self.stream).read(buf)?;
        if read == 0 && !buf.is_empty() {
            self.is_at_end.store(true, Ordering::Relaxed);
        } else if read > 0 && self.first.load(Ordering::Relaxed) < 0 {
            self.first.store(buf[0].into(), Ordering::Relaxed);
        }
        Ok(read)
    }
}

/// The stream that TLS gets.
#[derive(Debug)]
pub(super) struct BelowTls {
    tcp: Arc<Tcp>,
    input: Vec<u8>,
    /// Of the input, what TLS has not read yet.
    start: usize,
    end: usize,
    output: BytesMut,
    /// Above this no more is encrypted before some of it is sent.
    room: usize,
    /// During the handshake everything is sent at once: its last word may be the last one.
    keeps_output: bool,
}

impl BelowTls {
    pub fn new(tcp: Arc<Tcp>, room: usize) -> Self {
        let (input, output) = (Vec::new(), BytesMut::new());
        BelowTls { tcp, input, start: 0, end: 0, output, room, keeps_output: false }
    }

    /// Keeps output from now on until [`BelowTls::send`].
    pub fn keep_output(&mut self) {
        self.keeps_output = true;
    }

    /// Returns whether more may be encrypted; sends some if it has to.
    pub fn has_room(&mut self) -> io::Result<bool> {
        if self.output.len() >= self.room {
            self.send()?;
        }
        Ok(self.output.len() < self.room)
    }

    /// Returns how many bytes wait to be sent.
    pub fn unsent(&self) -> usize {
        self.output.len()
    }

    /// Drops what waits: nothing can be sent any more.
    pub fn forget(&mut self) {
        self.output.clear();
    }

    /// Sends what waits, as far as the system takes it. Returns whether that was all.
    pub fn send(&mut self) -> io::Result<bool> {
        while !self.output.is_empty() {
            match (&self.tcp.stream).write(&self.output) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(sent) => self.output.advance(sent),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

impl Read for BelowTls {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            self.input.resize(INPUT, 0);
            self.start = 0;
            self.end = 0;
            self.end = self.tcp.read(&mut self.input)?;
        }
        let waiting = &self.input[self.start..self.end];
        let count = waiting.len().min(buf.len());
        buf[..count].copy_from_slice(&waiting[..count]);
        self.start += count;
        Ok(count)
    }
}

impl Write for BelowTls {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        if self.output.len() + buf.len() > self.room + OWN_WORDS {
            return Err(io::Error::other("the peer asks TLS for answers and takes none"));
        }
        self.output.extend_from_slice(buf);
        if !self.keeps_output {
            self.send()?;
        }
        Ok(buf.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
