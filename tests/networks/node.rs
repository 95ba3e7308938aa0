//! A node in a process of its own, in a namespace: it is told in lines what to do, and says in
//! lines what happens.

use std::collections::BTreeSet;
use std::thread;
use std::time::Instant;

use rs2p::{MeshEvent, MeshSocket, Trouble};

use crate::lab::Host;
use crate::support::PATIENCE;
use crate::support::process::{Process, say};
use crate::traffic::{self, Heard, Outgoing};

pub struct Node {
    process: Process,
    pub id: String,
    pub peers: BTreeSet<String>,
    pub heard: Heard,
    /// All that it has said.
    said: Vec<String>,
}

/// How to bind.
#[derive(Clone, Copy, Debug)]
pub struct Bind<'a> {
    pub addr: &'a str,
    pub seed: Option<&'a str>,
    pub out_addr: Option<(&'a str, u16)>,
    /// The name of the mesh, of which nodes are discovered.
    pub discover: Option<&'a str>,
    /// Whether it dials nodes that it is told about.
    pub dials: bool,
}

impl<'a> Bind<'a> {
    pub fn at(addr: &'a str) -> Self {
        Bind { addr, seed: None, out_addr: None, discover: None, dials: true }
    }
}

impl Node {
    pub fn start(host: &Host, bind: Bind<'_>) -> Node {
        let mut variables = vec![("RS2P_BIND", bind.addr)];
        variables.extend(bind.seed.map(|seed| ("RS2P_SEED", seed)));
        variables.extend(bind.discover.map(|subnet| ("RS2P_DISCOVER", subnet)));
        variables.extend(Some(("RS2P_DIALS_NOBODY", "1")).filter(|_| !bind.dials));
        let out_port = bind.out_addr.map(|(_, port)| port.to_string());
        if let (Some((host, _)), Some(port)) = (bind.out_addr, &out_port) {
            variables.extend([("RS2P_OUT_HOST", host), ("RS2P_OUT_PORT", port)]);
        }
        let inside = ["ip", "netns", "exec", &host.namespace];
        let process = Process::start_in(&inside, "node::one_node", &variables);
        let (peers, heard, said) = (BTreeSet::new(), Heard::default(), Vec::new());
        let mut node = Node { process, id: String::new(), peers, heard, said };
        node.id = node.hear("id");
        node
    }

    pub fn tell(&mut self, line: &str) {
        self.process.tell(line);
    }

    /// Asks, and waits for the line that begins with this word; the rest of it.
    pub fn ask(&mut self, line: &str, word: &str) -> String {
        self.tell(line);
        self.hear(word)
    }

    /// The rest of the next line that begins with this word.
    pub fn hear(&mut self, word: &str) -> String {
        let seen = self.said.len();
        let found = |node: &Node| {
            node.said[seen..].iter().find_map(|line| line.strip_prefix(word)).map(str::to_string)
        };
        self.wait(word, |node| found(node).is_some());
        found(self).unwrap_or_default().trim().to_string()
    }

    /// Waits until it has said this, which it may have done before.
    pub fn wait_said(&mut self, line: &str) {
        self.wait(line, |node| node.said.iter().any(|said| said == line));
    }

    /// Waits until these are its peers, among others.
    pub fn wait_peers(&mut self, ids: &[&str]) {
        self.wait("the peers", |node| ids.iter().all(|id| node.peers.contains(*id)));
    }

    /// Waits until it has no peers but these.
    pub fn wait_only(&mut self, ids: &[String]) {
        self.wait("the loss of peers", |node| node.peers.iter().all(|peer| ids.contains(peer)));
    }

    pub fn wait_gone(&mut self, id: &str) {
        self.wait("the loss of a peer", |node| !node.peers.contains(id));
    }

    pub fn wait(&mut self, what: &str, is_so: impl Fn(&Node) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so(self) {
            let Ok(line) = self.process.lines.recv_deadline(deadline) else {
                panic!("{}: waited for {what}:\n{}", self.id, self.said.join("\n"));
            };
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["joined", id, ..] => drop(self.peers.insert(id.to_string())),
                ["left", id, ..] => drop(self.peers.remove(id)),
                ["traffic", from, number] => {
                    self.heard.hear(from, number);
                    continue;
                }
                _ => {}
            }
            self.said.push(line);
        }
    }

    /// Ends it without a word.
    pub fn kill(&mut self) {
        self.process.kill();
    }
}

/// A message of each reaches the other.
pub fn talk(one: &mut Node, other: &mut Node) {
    one.tell("send over there");
    other.wait_said("got over there");
    other.tell("send and back");
    one.wait_said("got and back");
}

/// What the other processes run.
pub fn one_node(addr: &str) {
    let mut builder = MeshSocket::builder();
    if let Ok(seed) = std::env::var("RS2P_SEED") {
        builder = builder.seed(seed);
    }
    if let (Ok(host), Ok(port)) = (std::env::var("RS2P_OUT_HOST"), std::env::var("RS2P_OUT_PORT")) {
        builder = builder.out_addr(host, port.parse().expect("a port"));
    }
    if std::env::var("RS2P_DIALS_NOBODY").is_ok() {
        builder = builder.max_outgoing(0);
    }
    #[cfg(feature = "discovery")]
    if let Ok(subnet) = std::env::var("RS2P_DISCOVER") {
        let protocol = rs2p::Protocol::new(subnet, rs2p::Encryption::Plaintext);
        builder = builder.protocol(protocol).discover(rs2p::discovery::Discovery::new());
    }
    let sock = builder.bind(addr).expect("bound");
    say(&format!("id {}", sock.id()));
    let (events, receiver) = (sock.events(), sock.clone());
    thread::spawn(move || events.iter().for_each(|event| say_event(&event)));
    thread::spawn(move || {
        receiver.iter().for_each(|message| traffic::say_message(&message));
    });
    let mut outgoing = Outgoing::new(&sock);
    for line in std::io::stdin().lines().map_while(Result::ok) {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("connect", addr) => match sock.connect(addr) {
                Ok(peer) => say(&format!("connected {}", peer.id())),
                Err(error) => say(&format!("failed {error}")),
            },
            ("send", text) => drop(sock.send(text).expect("sent")),
            ("start", _) => outgoing.start(),
            ("stop", _) => outgoing.stop(),
            ("burst", size) => outgoing.burst(size),
            ("refused", _) => say(&format!("refused {}", sock.stats().refused())),
            ("lost", _) => say(&format!("lost {}", sock.stats().left)),
            ("out_addr", _) => say(&format!("out_addr {}", sock.out_addr())),
            ("status", _) => {
                say(&format!("status {}", sock.status().to_string().replace('\n', "; ")))
            }
            (other, _) => panic!("what is {other}?"),
        }
    }
}

fn say_event(event: &MeshEvent) {
    match event {
        MeshEvent::Joined { id, addr, .. } => say(&format!("joined {id} {addr}")),
        MeshEvent::Left { id, cause, .. } => say(&format!("left {id} {cause}")),
        MeshEvent::SeedReached { addr, id, .. } => say(&format!("seed {addr} {id}")),
        MeshEvent::TroubleBegan(Trouble::NotReachable) => say("no out_addr"),
        MeshEvent::OutAddr { addr, .. } => say(&format!("new out_addr {addr}")),
        event => say(&format!("event {event:?}")),
    }
}
