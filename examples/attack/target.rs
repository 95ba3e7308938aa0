//! What an attack sees: X, the ids of the honest nodes, and ways to get at X.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha384};

use crate::link::{Link, Stream, dial};
use crate::measure::pause;
use crate::raw::HANDSHAKE;

/// The compressions that attackers announce, by their names on the wire: zlib, gzip, bz2, lzma.
const METHODS: &[u8] = br#"["\u0013","\u0011","\u0010","\u0012"]"#;
/// What attackers announce: nobody listens there.
pub const NOWHERE: &str = r#"["127.0.0.1", 9]"#;

pub struct Target {
    pub addr: SocketAddr,
    pub protocol: String,
    pub is_tls: bool,
    /// The ids of A, B and C.
    pub honest: Vec<String>,
    /// The id of X.
    pub id: String,
    pub is_over: Arc<AtomicBool>,
    drawn: AtomicU32,
    failures: Mutex<Vec<String>>,
}

/// The address of an attacker. All of them begin with 127.66.
pub fn attacker(number: u32) -> IpAddr {
    let [_, _, high, low] = (number + 1).to_be_bytes();
    IpAddr::V4(Ipv4Addr::new(127, 66, high, low))
}

impl Target {
    pub fn new(
        addr: SocketAddr,
        protocol: String,
        id: String,
        honest: Vec<String>,
        is_tls: bool,
    ) -> Target {
        let is_over = Arc::new(AtomicBool::new(false));
        let (drawn, failures) = (AtomicU32::new(0), Mutex::default());
        Target { addr, protocol, is_tls, honest, id, is_over, drawn, failures }
    }

    pub fn goes_on(&self) -> bool {
        !self.is_over.load(Relaxed)
    }

    /// Waits, but not beyond the end of the attack.
    pub fn pause(&self, millis: u64) {
        let until = Instant::now() + Duration::from_millis(millis);
        while self.goes_on() && Instant::now() < until {
            pause(Duration::from_millis(20).min(until.saturating_duration_since(Instant::now())));
        }
    }

    pub fn rest(&self) {
        while self.goes_on() {
            self.pause(1000);
        }
    }

    /// Writes down a promise that this attack found broken.
    pub fn fail(&self, what: String) {
        self.failures.lock().map(|mut failures| failures.push(what)).unwrap_or_default();
    }

    pub fn failures(&self) -> Vec<String> {
        self.failures.lock().map(|failures| failures.clone()).unwrap_or_default()
    }

    /// Returns an id that no node has.
    pub fn draw_id(&self) -> String {
        let seed = [self.drawn.fetch_add(1, Relaxed), std::process::id()].map(u32::to_be_bytes);
        let time = crate::traffic::now().to_be_bytes();
        let digest = Sha384::digest([&seed.concat()[..], &time].concat());
        bs58::encode(digest).into_string()
    }

    /// Connects as the first attacker and says nothing, not even in TLS.
    pub fn tcp(&self) -> io::Result<TcpStream> {
        self.tcp_as(0)
    }

    pub fn tcp_as(&self, attacker_number: u32) -> io::Result<TcpStream> {
        dial(attacker(attacker_number), self.addr)
    }

    /// Connects in a new name, with TLS if X has it, and does not shake hands.
    pub fn connect(&self) -> Option<Link> {
        self.connect_from(attacker(0), self.draw_id())
    }

    pub fn connect_from(&self, from: IpAddr, id: String) -> Option<Link> {
        let stream = dial(from, self.addr).ok()?;
        let stream = if self.is_tls { tls(stream)? } else { Stream::Plain(stream) };
        let _ = tcp_of(&stream).set_read_timeout(Some(Duration::from_millis(500)));
        Some(Link::new(stream, id, Arc::clone(&self.is_over)))
    }

    /// Links as a py2p node in a new name. `None` if X wants no link.
    pub fn link(&self) -> Option<Link> {
        self.link_as(self.draw_id(), 0, None)
    }

    /// Links as an rs2p node that keeps accounts of the pace, and says nothing about its own.
    pub fn link_rs2p(&self) -> Option<Link> {
        self.link_as(self.draw_id(), 0, Some(r#"["links","pace","replies","members","lazy=512"]"#))
    }

    /// Links as an rs2p node that keeps no accounts of the pace: X looks at what it takes.
    pub fn link_lazy(&self) -> Option<Link> {
        self.link_as(self.draw_id(), 0, Some(r#"["links","replies","members","lazy=512"]"#))
    }

    /// Links in this name, from the address of this attacker, with this hello.
    pub fn link_as(&self, id: String, from: u32, hello: Option<&str>) -> Option<Link> {
        let mut link = self.connect_from(attacker(from), id)?;
        if let Some(hello) = hello {
            link.say(crate::forge::WHISPER, &[crate::forge::RS2P, hello.as_bytes()]);
        }
        self.shake(&mut link, NOWHERE);
        link.hears().then_some(link)
    }

    /// Introduces itself with every compression and this address.
    pub fn shake(&self, link: &mut Link, addr: &str) -> bool {
        let (id, methods) = (link.id.clone(), METHODS);
        let packets =
            [HANDSHAKE, id.as_bytes(), self.protocol.as_bytes(), addr.as_bytes(), methods];
        link.say(crate::forge::WHISPER, &packets)
    }

    /// Returns as many links as X gives of so many.
    pub fn links(&self, count: usize) -> Vec<Link> {
        (0..count).take_while(|_| self.goes_on()).filter_map(|_| self.link()).collect()
    }
}

fn tcp_of(stream: &Stream) -> &TcpStream {
    match stream {
        Stream::Plain(stream) => stream,
        #[cfg(feature = "native-tls")]
        Stream::Tls(stream) => stream.get_ref(),
    }
}

#[cfg(feature = "native-tls")]
pub fn tls(stream: TcpStream) -> Option<Stream> {
    let connector = native_tls::TlsConnector::builder()
        .danger_accept_invalid_certs(true)
        .danger_accept_invalid_hostnames(true)
        .use_sni(false)
        .build()
        .ok()?;
    connector.connect("attack", stream).ok().map(|stream| Stream::Tls(Box::new(stream)))
}

#[cfg(not(feature = "native-tls"))]
fn tls(_: TcpStream) -> Option<Stream> {
    None
}
