//! One link's TLS stream: handshake, then records. Never blocks.

use std::error::Error;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use mio::net::TcpStream;
use native_tls::{HandshakeError, MidHandshakeTlsStream, TlsAcceptor, TlsStream};

use super::below_tls::{BelowTls, Tcp};
use super::tls::Verifier;
use crate::cause::Cause;
use crate::protocol::Encryption;

/// Bytes of a frame that go into one record at most: what a record can hold.
const RECORD: usize = 16 * 1024;
/// How records of TLS begin: what they are.
const RECORD_KINDS: std::ops::RangeInclusive<u8> = 0x14..=0x17;
/// A fatal alert, "protocol version". OpenSSL says nothing to whom it takes for no TLS client; with
/// this a plaintext node learns what it has dialled.
const NOT_PLAINTEXT: [u8; 7] = [0x15, 3, 3, 0, 2, 2, 70];
/// Not looked at: names are neither sent nor compared.
const NO_NAME: &str = "rs2p";

/// What a link reads from and writes to where the mesh is encrypted.
pub(crate) struct TlsLink {
    tcp: Arc<Tcp>,
    side: Side,
    state: State,
    room: usize,
}

/// Which end of the handshake is ours.
pub(super) enum Side {
    Dialler(Arc<Verifier>),
    Acceptor(TlsAcceptor),
}

#[derive(Debug)]
enum State {
    New,
    Handshaking(MidHandshakeTlsStream<BelowTls>),
    Up(TlsStream<BelowTls>),
    Failed,
}

impl TlsLink {
    pub(super) fn new(tcp: TcpStream, side: Side, room: usize) -> Self {
        TlsLink { tcp: Arc::new(Tcp::new(tcp)), side, state: State::New, room }
    }

    /// Takes the handshake as far as it goes without waiting. Returns true when done.
    pub fn handshake(&mut self) -> Result<bool, Cause> {
        let step = match (std::mem::replace(&mut self.state, State::Failed), &self.side) {
            (State::Up(stream), _) => Ok(stream),
            (State::Handshaking(halfway), _) => halfway.handshake(),
            (_, Side::Dialler(verifier)) => verifier.connector.connect(NO_NAME, self.below()),
            (_, Side::Acceptor(acceptor)) => acceptor.accept(self.below()),
        };
        match step {
            Ok(stream) => self.up(stream).map(|()| true),
            Err(HandshakeError::WouldBlock(mut halfway)) => {
                halfway.get_mut().send().map_err(Cause::from)?;
                self.state = State::Handshaking(halfway);
                Ok(false)
            }
            Err(HandshakeError::Failure(error)) => Err(self.explain(error)),
        }
    }

    /// `tls_server_end_point` of RFC 5929.
    pub fn end_point(&self) -> Result<Vec<u8>, Cause> {
        let State::Up(stream) = &self.state else { return Err(Cause::Closed) };
        let end_point = stream.tls_server_end_point().map_err(failed)?;
        end_point.ok_or_else(|| {
            failed(io::Error::other(
                "proofs cannot be bound to this certificate: take RSA or ECDSA",
            ))
        })
    }

    /// Encrypts frames from the front, as long as there is room, and sends them. Returns how many
    /// bytes of them were taken. No two frames share a record, because py2p would not read the
    /// second one.
    pub fn write_frames(&mut self, frames: &[IoSlice<'_>]) -> io::Result<usize> {
        let stream = self.stream()?;
        let mut taken = 0;
        let encrypted = frames.iter().try_for_each(|frame| encrypt(stream, frame, &mut taken));
        let sent = stream.get_mut().send();
        match encrypted {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            Err(error) if taken == 0 => sent.and(Err(error)),
            _ => sent.map(|_| taken),
        }
    }

    /// Sends what was encrypted and not sent. Returns whether that was all.
    pub fn send(&mut self) -> io::Result<bool> {
        self.stream()?.get_mut().send()
    }

    /// Returns how many bytes were encrypted and not sent.
    pub fn unsent(&self) -> usize {
        let State::Up(stream) = &self.state else { return 0 };
        stream.get_ref().unsent()
    }

    /// Gives those up.
    pub fn forget(&mut self) {
        if let State::Up(stream) = &mut self.state {
            stream.get_mut().forget();
        }
    }

    pub fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let stream = self.stream()?;
        let read = stream.read(buf);
        // What TLS had to answer, if anything. If that fails, the writer will see it as well.
        let _ = stream.get_mut().send();
        match read {
            // Few say goodbye before they close: py2p does not. Frames know their length, so
            // nothing can be cut short unnoticed.
            Err(error) if error.kind() != ErrorKind::WouldBlock && self.tcp.is_at_end() => Ok(0),
            read => read,
        }
    }

    pub fn tcp(&self) -> &TcpStream {
        self.tcp.stream()
    }

    fn stream(&mut self) -> io::Result<&mut TlsStream<BelowTls>> {
        match &mut self.state {
            State::Up(stream) => Ok(stream),
            _ => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn below(&self) -> BelowTls {
        BelowTls::new(Arc::clone(&self.tcp), self.room)
    }

    fn up(&mut self, mut stream: TlsStream<BelowTls>) -> Result<(), Cause> {
        if let Side::Dialler(verifier) = &self.side {
            verifier.check_pins(&stream)?;
        }
        stream.get_mut().send().map_err(Cause::from)?;
        stream.get_mut().keep_output();
        self.state = State::Up(stream);
        Ok(())
    }

    /// Returns what a failed handshake means, as far as the library tells.
    fn explain(&self, error: native_tls::Error) -> Cause {
        if self.tcp.first_byte().is_none() && self.tcp.is_at_end() {
            return Cause::PeerClosed;
        }
        if self.tcp.first_byte().is_some_and(|byte| !RECORD_KINDS.contains(&byte)) {
            if let Side::Acceptor(_) = self.side {
                // The peer may be gone already; there is nobody left to tell.
                let _ = self.tcp().write(&NOT_PLAINTEXT);
            }
            return Cause::WrongEncryption { theirs: Encryption::Plaintext };
        }
        if let (Side::Acceptor(_), None) = (&self.side, self.tcp.first_byte()) {
            // It never said a word: a health check, for instance.
            return Cause::PeerClosed;
        }
        let words = error.to_string().to_lowercase();
        let is_about_trust = words.contains("certificate") || words.contains("trust");
        match &self.side {
            Side::Dialler(verifier) if verifier.has_roots && is_about_trust => {
                Cause::Untrusted(Arc::new(error))
            }
            _ => failed(error),
        }
    }
}

impl fmt::Debug for TlsLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsLink").field("tcp", &self.tcp).finish_non_exhaustive()
    }
}

/// Encrypts one frame, record by record, and adds what was taken.
fn encrypt(stream: &mut TlsStream<BelowTls>, frame: &[u8], taken: &mut usize) -> io::Result<()> {
    let mut rest = frame;
    while !rest.is_empty() {
        if !stream.get_mut().has_room()? {
            return Err(ErrorKind::WouldBlock.into());
        }
        // After `WouldBlock`, which here means that TLS has to read first, the next call begins
        // with the same bytes: the frame, and where it stands, stay with the writer.
        match stream.write(&rest[..rest.len().min(RECORD)]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => {
                rest = &rest[written..];
                *taken += written;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

pub(super) fn failed(error: impl Error + Send + Sync + 'static) -> Cause {
    Cause::Tls(Arc::new(error))
}
