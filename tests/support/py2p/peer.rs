//! A real py2p node for a test: one process, asked by commands, heard by events.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    time::{Duration, Instant},
};

use crossbeam_channel::RecvTimeoutError;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{
    driver::Driver,
    event::{Fatal, Links, PeerMessage, Ready, to_hex},
    options::{PeerOptions, SendAs},
};

/// How often another process may be faster at taking the free port we found.
const PORT_TRIES: usize = 8;

/// A running node. Commands panic where py2p raises, `try_connect` excepted;
/// waiting panics at its deadline, `recv` excepted. It is killed when dropped.
pub struct Peer {
    driver: Driver,
    ready: Ready,
    port: u16,
    links: Mutex<Links>,
}

impl Peer {
    pub fn start(options: PeerOptions) -> Peer {
        for _ in 0..PORT_TRIES {
            match Peer::try_start(options, free_port()) {
                Ok(peer) => return peer,
                Err(Fatal { port_taken: true, .. }) => {}
                Err(Fatal { text, .. }) => panic!("no py2p node: {text}"),
            }
        }
        panic!("no py2p node: {PORT_TRIES} ports were free, and then taken");
    }

    /// Starts at a port that another node may have held a moment ago: tries until it is free.
    pub fn start_at(options: PeerOptions, port: u16, deadline: Instant) -> Peer {
        loop {
            match Peer::try_start(options, port) {
                Ok(peer) => return peer,
                Err(Fatal { port_taken: true, .. }) if Instant::now() < deadline => {}
                Err(Fatal { text, .. }) => panic!("no py2p node at {port}: {text}"),
            }
        }
    }

    fn try_start(options: PeerOptions, port: u16) -> Result<Peer, Fatal> {
        let (driver, ready) = Driver::start(&mut options.command(port))?;
        Ok(Peer { driver, ready, port, links: Mutex::default() })
    }

    pub fn id(&self) -> &str {
        &self.ready.id
    }

    pub fn protocol_id(&self) -> &str {
        &self.ready.protocol_id
    }

    pub fn python_version(&self) -> &str {
        &self.ready.python
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where to dial it from this machine.
    pub fn addr(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub fn pid(&self) -> u32 {
        self.driver.pid()
    }

    /// Dials, and does not wait for the handshake: py2p does not either.
    pub fn connect(&self, addr: SocketAddr) {
        let dialled = self.try_connect(addr);
        assert_eq!(dialled, Ok(true), "py2p dialling {addr}");
    }

    /// `Ok(false)`: py2p takes the address for its own. `Err`: what it raised.
    pub fn try_connect(&self, addr: SocketAddr) -> Result<bool, String> {
        let host = addr.ip().to_string();
        let request = json!({"cmd": "connect", "host": host, "port": addr.port()});
        let answer = self.driver.command(&request)?;
        Ok(answer["dialled"] == true)
    }

    /// Broadcasts to the mesh.
    pub fn send<P: AsRef<[u8]>>(&self, packets: impl IntoIterator<Item = P>) {
        self.send_as(SendAs::default(), packets);
    }

    /// Sends to the direct peers, who do not pass it on.
    pub fn whisper<P: AsRef<[u8]>>(&self, packets: impl IntoIterator<Item = P>) {
        let whisper = SendAs { flag: Some(2), kind: Some(b"\x02"), ..SendAs::default() };
        self.send_as(whisper, packets);
    }

    pub fn send_as<P: AsRef<[u8]>>(&self, how: SendAs, packets: impl IntoIterator<Item = P>) {
        let mut request = json!({"cmd": "send", "packets": hex(packets)});
        how.add_to(&mut request);
        self.ask(request);
    }

    pub fn reply<P: AsRef<[u8]>>(&self, to: &PeerMessage, packets: impl IntoIterator<Item = P>) {
        self.ask(json!({"cmd": "reply", "n": to.n, "packets": hex(packets)}));
    }

    /// Tells its direct peers, who may dial, that a node is to be found at an address.
    pub fn tell_of(&self, id: &str, addr: SocketAddr) {
        let list = json!([[[addr.ip().to_string(), addr.port()], id]]);
        let peers = SendAs { flag: Some(2), kind: Some(b"\x07"), ..SendAs::default() };
        self.send_as(peers, [list.to_string()]);
    }

    /// The next message, or `None` at the deadline or when the peer is gone.
    pub fn recv(&self, deadline: Instant) -> Option<PeerMessage> {
        self.driver.messages.recv_deadline(deadline).ok()
    }

    pub fn recv_n(&self, n: usize, deadline: Instant) -> Vec<PeerMessage> {
        let messages: Vec<_> = (0..n).map_while(|_| self.recv(deadline)).collect();
        assert_eq!(messages.len(), n, "messages at the deadline: {messages:?}");
        messages
    }

    /// Waits until at least `n` peers have shaken hands; their ids, sorted.
    pub fn wait_peers(&self, n: usize, deadline: Instant) -> Vec<String> {
        self.wait_links(deadline, |links| links.ids().len() >= n).ids()
    }

    /// Waits until the links are as wanted.
    pub fn wait_links(&self, deadline: Instant, wanted: impl Fn(&Links) -> bool) -> Links {
        let mut links = self.links.lock();
        loop {
            if let Some(latest) = self.driver.links.try_iter().last() {
                *links = latest;
            }
            if wanted(&links) {
                return links.clone();
            }
            match self.driver.links.recv_deadline(deadline) {
                Ok(next) => *links = next,
                Err(RecvTimeoutError::Timeout) => panic!("not the links wanted: {links:#?}"),
                Err(RecvTimeoutError::Disconnected) => panic!("the peer ended: {links:#?}"),
            }
        }
    }

    /// What it holds right now.
    pub fn table(&self) -> Links {
        let answer = self.ask(json!({"cmd": "table"}));
        serde_json::from_value(answer).expect("a table")
    }

    /// The errors that py2p keeps, with tracebacks; empty is its "Nominal".
    pub fn status(&self) -> Vec<String> {
        let mut answer = self.ask(json!({"cmd": "status"}));
        serde_json::from_value(answer["errors"].take()).expect("texts")
    }

    /// What rs2p nodes have said to it beyond the protocol: the lists behind the kind.
    pub fn words(&self) -> Vec<String> {
        let mut answer = self.ask(json!({"cmd": "words"}));
        serde_json::from_value(answer["words"].take()).expect("texts")
    }

    pub fn request_peers(&self) {
        self.ask(json!({"cmd": "request_peers"}));
    }

    /// Drops the link with that id; false if there was none.
    pub fn disconnect(&self, id: &str) -> bool {
        self.ask(json!({"cmd": "disconnect", "id": id}))["found"] == true
    }

    /// Stops reading links, after the next message for its user (a minute at most).
    pub fn pause(&self) {
        self.ask(json!({"cmd": "throttle", "pause": true}));
    }

    /// Reads links as fast as py2p can, after `pause` or `slow`.
    pub fn resume(&self) {
        self.ask(json!({"cmd": "throttle"}));
    }

    /// Reads links slowly: rests for so long after each message for its user.
    pub fn slow(&self, rest: Duration) {
        self.ask(json!({"cmd": "throttle", "slow": rest.as_secs_f64()}));
    }

    /// Stops the whole process: its links stay open and nobody reads them.
    #[cfg(unix)]
    pub fn freeze(&self) {
        self.driver.signal("STOP");
    }

    #[cfg(unix)]
    pub fn thaw(&self) {
        self.driver.signal("CONT");
    }

    /// Closes the socket as a user would and ends the process. What arrived
    /// before is still there for `recv`.
    pub fn close(&mut self) {
        self.ask(json!({"cmd": "close"}));
        self.driver.join();
    }

    /// A crash: no farewells.
    pub fn kill(&self) {
        self.driver.kill();
    }

    fn ask(&self, request: Value) -> Value {
        self.driver.command(&request).unwrap_or_else(|error| panic!("py2p, {request}: {error}"))
    }
}

fn hex<P: AsRef<[u8]>>(packets: impl IntoIterator<Item = P>) -> Vec<String> {
    packets.into_iter().map(to_hex).collect()
}

/// A port that nobody listens on right now.
pub fn free_port() -> u16 {
    let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    probe.local_addr().expect("a bound socket has an address").port()
}
