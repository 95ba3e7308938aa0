//! A node by hand: says what no honest node says. Over plain TCP, after the protocol and not after
//! the code that is tested.

use std::{
    io::{self, Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

#[cfg(feature = "compression")]
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use rs2p::NodeId;
use sha2::{Digest, Sha384};

/// An address that nobody can dial: neither py2p nor rs2p finds somebody there.
pub const NOWHERE: (&str, u16) = ("127.0.0.1", 9);

pub const BROADCAST: u8 = 0;
pub const WHISPER: u8 = 2;
pub const RENEGOTIATE: u8 = 3;

pub const COMPRESSION: &[u8] = b"\x01";
pub const HANDSHAKE: &[u8] = b"\x03";
pub const PEERS: &[u8] = b"\x07";
pub const REQUEST: &[u8] = b"\x08";
pub const RESEND: &[u8] = b"\x09";
pub const RESPONSE: &[u8] = b"\x0a";

pub struct Raw {
    stream: TcpStream,
    id: String,
    unread: Vec<u8>,
}

/// A message as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    pub main: u8,
    pub id: Vec<u8>,
    /// The sub-flag first.
    pub payload: Vec<Vec<u8>>,
}

impl Raw {
    /// Connects as a node with some id, and says nothing yet.
    pub fn connect(addr: SocketAddr) -> Raw {
        let stream = TcpStream::connect(addr).expect("the node listens");
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).expect("a date").as_nanos();
        let digest = Sha384::digest([&b"raw"[..], &nanos.to_be_bytes()].concat());
        Raw { stream, id: base58(&digest), unread: Vec::new() }
    }

    /// Connects in the name of another node.
    pub fn connect_as(addr: SocketAddr, id: NodeId) -> Raw {
        Raw { id: id.to_string(), ..Raw::connect(addr) }
    }

    /// Connects, shakes hands, and waits for the node's handshake.
    pub fn link(addr: SocketAddr, protocol: &str, deadline: Instant) -> Raw {
        let mut raw = Raw::connect(addr);
        raw.shake_hands(protocol);
        while raw.next(deadline).expect("a handshake").payload[0] != HANDSHAKE {}
        raw
    }

    pub fn id(&self) -> NodeId {
        self.id.parse().expect("a digest")
    }

    /// Introduces itself, as somebody who cannot be dialled and knows no compression.
    pub fn shake_hands(&mut self, protocol: &str) {
        let addr = format!("[\"{}\", {}]", NOWHERE.0, NOWHERE.1);
        let id = self.id.clone();
        let packets = [HANDSHAKE, id.as_bytes(), protocol.as_bytes(), addr.as_bytes(), b"[]"];
        self.say(WHISPER, &packets);
    }

    /// Says a message with everything right but, maybe, its meaning.
    pub fn say(&mut self, main: u8, payload: &[&[u8]]) {
        self.say_as(&self.id.clone(), main, payload);
    }

    /// The same in another name.
    pub fn say_as(&mut self, sender: &str, main: u8, payload: &[&[u8]]) {
        let message = message(sender, main, payload);
        self.send(&message);
    }

    /// The same, compressed.
    #[cfg(feature = "compression")]
    pub fn say_zipped(&mut self, main: u8, payload: &[&[u8]]) {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(&message(&self.id, main, payload)[4..]).expect("memory");
        let body = zlib.finish().expect("memory");
        self.send(&[&size(body.len())[..], &body].concat());
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the node takes it");
    }

    /// Sends, unless the node has ended the link or takes nothing for a second. Returns whether it did.
    pub fn try_send(&mut self, bytes: &[u8]) -> bool {
        self.try_send_for(bytes, Duration::from_secs(1))
    }

    /// The same, unless the node takes nothing for this long.
    pub fn try_send_for(&mut self, bytes: &[u8], patience: Duration) -> bool {
        self.stream.set_write_timeout(Some(patience)).expect("settable");
        self.stream.write_all(bytes).is_ok()
    }

    /// Reads a few bytes, if there are any, and forgets them.
    pub fn sip(&mut self, bytes: usize) {
        self.stream.set_read_timeout(Some(Duration::from_millis(1))).expect("settable");
        // What it reads, and whether, makes no difference.
        let _ = self.stream.read(&mut vec![0; bytes]);
    }

    /// The next message; `None` if the node ended the link instead.
    pub fn next(&mut self, deadline: Instant) -> Option<Wire> {
        loop {
            if let Some(message) = self.take_frame() {
                return Some(message);
            }
            let left =
                deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
            self.stream.set_read_timeout(Some(left.expect("a message in time"))).expect("settable");
            let mut bytes = [0; 65536];
            match self.stream.read(&mut bytes) {
                Ok(0) => return None,
                Ok(count) => self.unread.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return None,
                Err(error) => panic!("no message from the node: {error}"),
            }
        }
    }

    fn take_frame(&mut self) -> Option<Wire> {
        let len = number(self.unread.get(..4)?) + 4;
        let body = self.unread.get(4..len)?.to_vec();
        self.unread.drain(..len);
        let mut packets = packets(&unzipped(body)).into_iter();
        let main = packets.next().expect("a main flag")[0];
        let id = packets.nth(1).expect("sender and id");
        Some(Wire { main, id, payload: packets.skip(1).collect() })
    }
}

pub fn message(sender: &str, main: u8, payload: &[&[u8]]) -> Vec<u8> {
    message_dated(sender, main, payload, 0)
}

/// The same, dated so many seconds ahead.
pub fn message_dated(sender: &str, main: u8, payload: &[&[u8]], ahead: u64) -> Vec<u8> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a date").as_secs();
    let time = base58(&(now + ahead).to_be_bytes());
    let hashed = [payload.concat(), time.clone().into_bytes()].concat();
    let id = base58(&Sha384::digest(hashed));
    let head = [&[main][..], sender.as_bytes(), id.as_bytes(), time.as_bytes()];
    let packets: Vec<&[u8]> = head.into_iter().chain(payload.iter().copied()).collect();
    frame(&packets)
}

#[cfg(feature = "compression")]
fn unzipped(body: Vec<u8>) -> Vec<u8> {
    let mut plain = Vec::new();
    let read = ZlibDecoder::new(&body[..]).read_to_end(&mut plain);
    if read.is_ok() { plain } else { body }
}

#[cfg(not(feature = "compression"))]
fn unzipped(body: Vec<u8>) -> Vec<u8> {
    body
}

fn size(bytes: usize) -> [u8; 4] {
    u32::try_from(bytes).expect("a small frame").to_be_bytes()
}

/// Packets as a frame.
pub fn frame(packets: &[&[u8]]) -> Vec<u8> {
    let sizes: Vec<u8> = packets.iter().flat_map(|packet| size(packet.len())).collect();
    let body = [sizes, packets.concat()].concat();
    [size(body.len()).to_vec(), body].concat()
}

/// The packets of a frame: all sizes, then all bytes. Nothing says how many there are.
fn packets(body: &[u8]) -> Vec<Vec<u8>> {
    let (mut sizes, mut total) = (Vec::new(), 0);
    while 4 * sizes.len() + total < body.len() {
        let size = number(&body[4 * sizes.len()..][..4]);
        sizes.push(size);
        total += size;
    }
    let mut rest = &body[4 * sizes.len()..];
    let mut take = |size| {
        let (packet, after) = rest.split_at(size);
        rest = after;
        packet.to_vec()
    };
    sizes.into_iter().map(&mut take).collect()
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |number, &byte| number << 8 | usize::from(byte))
}

/// The number that these bytes are, in base 58: no digits for leading zeros.
fn base58(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    bs58::encode(&bytes[zeros..]).into_string()
}
