//! Nodes in processes of their own, at full speed, while one of them is stopped and one never
//! receives: the others lose nothing, memory stays within its bounds, and the stopped one comes
//! back by itself.
#![cfg(target_os = "linux")]

mod support;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rs2p::{Cause, MeshEvent, MeshSocket, Stats};
use support::process::{Process, say};
use support::{PATIENCE, is_long, let_pass};

const NODES: usize = 8;
const STOPPED: usize = 3;
const DEAF: usize = 5;
/// At first the nodes send little, for this long: peers that have kept to the pace floor are waited for when
/// they pause. A newcomer is not, for more than a second, and on a busy machine every node pauses for longer.
const WARM_UP: Duration = Duration::from_secs(4);
/// What the bounds of one node add up to, in MiB: the queue, seven outbound queues at their limit,
/// seven credits with a frame each, and a program of this size.
const MAX_RESIDENT: u64 = 64 + 7 * 48 + 7 * 17 + 64;

/// A node in its own process.
struct Node {
    process: Process,
    addr: String,
}

impl Node {
    fn start(number: usize) -> Self {
        let process = Process::start("one_node", &[("RS2P_NODE", &number.to_string())]);
        let mut node = Node { process, addr: String::new() };
        node.addr = node.expect("addr");
        node
    }

    fn tell(&mut self, line: &str) {
        self.process.tell(line);
    }

    /// Waits for the next line that begins with this word, and returns the rest of the line.
    fn expect(&self, word: &str) -> String {
        self.process.expect(word, PATIENCE)
    }

    fn signal(&self, signal: &str) {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args([signal, &pid]).status().expect("kill");
        assert!(status.success());
    }

    /// Returns the most memory that it ever had in use, in MiB.
    fn peak(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("procfs");
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        peak.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") / 1024
    }
}

/// Waits until one of these nodes says this.
fn await_any<'a>(nodes: impl Iterator<Item = &'a Node> + Clone, what: &str) {
    let mut select = crossbeam_channel::Select::new();
    nodes.clone().for_each(|node| {
        select.recv(&node.process.lines);
    });
    let deadline = Instant::now() + PATIENCE;
    loop {
        let Ok(_) = select.ready_deadline(deadline) else { panic!("nobody {what}") };
        if nodes.clone().flat_map(|node| node.process.lines.try_iter()).any(|line| line == what) {
            return;
        }
    }
}

#[test]
fn a_stopped_node_and_a_deaf_one_cost_the_others_nothing() {
    let mut nodes: Vec<Node> = (0..NODES).map(Node::start).collect();
    for n in 1..NODES {
        let addr = nodes[n - 1].addr.clone();
        nodes[n].tell(&format!("connect {addr}"));
        nodes[n].expect("connected");
    }
    nodes.iter_mut().for_each(|node| node.tell("go"));
    let_pass(WARM_UP + Duration::from_secs(1));
    nodes[STOPPED].process.lines.try_iter().for_each(drop);
    nodes[STOPPED].signal("-STOP");
    if is_long() {
        let_pass(Duration::from_secs(30));
    }
    // However long it takes to fill the system's buffers: somebody gives it up.
    let others = (0..NODES).filter(|&n| n != STOPPED);
    await_any(others.map(|n| &nodes[n]), "gave up a slow peer");
    nodes[STOPPED].signal("-CONT");
    // Its peers gave it up meanwhile; it is linked again without anybody's help.
    nodes[STOPPED].expect("joined");
    let_pass(Duration::from_secs(1));

    nodes.iter_mut().for_each(|node| node.tell("stop"));
    let sent: Vec<u64> = nodes.iter().map(|node| parse(&node.expect("sent"))).collect();
    let others: Vec<usize> = (0..NODES).filter(|&n| n != STOPPED && n != DEAF).collect();
    for &n in &others {
        let wanted = others.iter().chain([&DEAF]).filter(|&&from| from != n);
        let wanted: Vec<String> = wanted.map(|&from| format!("{from}:{}", sent[from])).collect();
        nodes[n].tell(&format!("await {}", wanted.join(" ")));
    }
    // Each gives up waiting and says what it misses before this gives up waiting for that.
    let received: Vec<String> =
        others.iter().map(|&n| nodes[n].process.expect("received", PATIENCE * 2)).collect();
    if received.iter().any(|received| received != "all, once") {
        nodes.iter_mut().for_each(|node| node.tell("stats"));
        let stats: Vec<String> = nodes.iter().map(|node| node.expect("stats")).collect();
        panic!("nodes {others:?} received {received:#?}, by their counters {stats:#?}");
    }
    for (n, node) in nodes.iter().enumerate() {
        println!("node {n}: sent {}, peak {} MiB", sent[n], node.peak());
        assert!(node.peak() < MAX_RESIDENT, "node {n}: {} MiB", node.peak());
    }
    // Any of them may have been the one, the deaf one too.
    let running: Vec<usize> = (0..NODES).filter(|&n| n != STOPPED).collect();
    running.iter().for_each(|&n| nodes[n].tell("slow"));
    let slow: u64 = running.iter().map(|&n| parse(&nodes[n].expect("slow"))).sum();
    assert!(slow > 0, "somebody closed the stopped node with its cause");
    nodes.iter_mut().for_each(|node| node.tell("close"));
    for node in &nodes {
        println!("{}", node.expect("closed"));
        assert_eq!(node.expect("counters"), "add up");
    }
}

fn parse(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// What the other processes run.
#[test]
#[ignore = "one of the nodes of the test above, which starts it"]
fn one_node() {
    let Some(number) = std::env::var("RS2P_NODE").ok().and_then(|n| n.parse().ok()) else {
        panic!("this is started by another test")
    };
    let sock = MeshSocket::bind(("127.0.0.1", 0)).expect("a port");
    say(&format!("addr {}", sock.local_addr()));
    let events = sock.events();
    let slow_peers = Arc::new(AtomicU64::new(0));
    let slow = Arc::clone(&slow_peers);
    thread::spawn(move || {
        for event in events {
            match event {
                MeshEvent::Joined { .. } => say("joined"),
                MeshEvent::Left { cause: Cause::Stalled | Cause::Overflow, .. } => {
                    slow.fetch_add(1, Ordering::Relaxed);
                    say("gave up a slow peer");
                }
                _ => {}
            }
        }
    });
    let counts: Arc<[AtomicU64; NODES]> = Arc::default();
    let is_over = Arc::new(AtomicBool::new(false));
    let mut sender = None;
    if number != DEAF {
        let (sock, counts) = (sock.clone(), Arc::clone(&counts));
        thread::spawn(move || receive(&sock, &counts));
    }
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["connect", addr] => {
                sock.connect(addr).expect("a link");
                say("connected");
            }
            ["go"] => {
                let (sock, is_over) = (sock.clone(), Arc::clone(&is_over));
                sender = Some(thread::spawn(move || send(&sock, number, &is_over)));
            }
            ["stop"] => {
                is_over.store(true, Ordering::Release);
                let sent = sender.take().expect("it went").join().expect("no panic");
                say(&format!("sent {sent}"));
            }
            ["await", ref wanted @ ..] => say(&format!("received {}", await_all(&counts, wanted))),
            ["slow"] => {
                say(&format!("slow {}", slow_peers.load(Ordering::Relaxed)));
            }
            ["stats"] => say(&format!("stats {}", one_line(&sock.stats()))),
            ["close"] => {
                sock.close().expect("closed");
                let stats = sock.stats();
                say(&format!("closed {}", one_line(&stats)));
                say(&format!("counters {}", if adds_up(&stats) { "add up" } else { "do not" }));
            }
            _ => panic!("what is {line}?"),
        }
    }
}

fn one_line(stats: &Stats) -> String {
    stats.to_string().replace('\n', " ; ")
}

/// Every frame and every message has one fate.
fn adds_up(stats: &Stats) -> bool {
    let answers = stats.answers + stats.late_answers;
    let frames = stats.delivered + stats.relayed_only + stats.control + stats.duplicates;
    stats.received == frames + stats.refused()
        && stats.delivered
            == answers + stats.handled + stats.subscribed + stats.ignored + stats.queued
        && stats.queued == stats.taken + stats.dropped + stats.waiting
}

/// Sends until it is over, at full speed after a while; how many messages.
fn send(sock: &MeshSocket, number: usize, is_over: &AtomicBool) -> u64 {
    let (mut sent, warm) = (0_u64, Instant::now() + WARM_UP);
    while !is_over.load(Ordering::Acquire) {
        if Instant::now() < warm {
            let_pass(Duration::from_millis(10));
        }
        let payload = [&[number as u8][..], &sent.to_be_bytes(), &[0; 200]].concat();
        sock.send(payload).expect("sent");
        sent += 1;
    }
    sent
}

/// Counts what arrives by sender; a duplicate ends the process.
fn receive(sock: &MeshSocket, counts: &[AtomicU64; NODES]) {
    let mut seen: BTreeMap<u8, std::collections::HashSet<u64>> = BTreeMap::new();
    for message in sock {
        let packet = &message[1];
        let number = u64::from_be_bytes(packet[1..9].try_into().expect("eight bytes"));
        assert!(seen.entry(packet[0]).or_default().insert(number), "{number} came twice");
        counts[usize::from(packet[0])].fetch_add(1, Ordering::Release);
    }
}

/// Waits until all that these nodes sent is here.
fn await_all(counts: &[AtomicU64; NODES], wanted: &[&str]) -> String {
    let deadline = Instant::now() + PATIENCE;
    let missing = || {
        let mut missing = Vec::new();
        for want in wanted {
            let (from, count) = want.split_once(':').expect("from:count");
            let here = counts[from.parse::<usize>().expect("a node")].load(Ordering::Acquire);
            if here != parse(count) {
                missing.push(format!("{here} of {count} from {from}"));
            }
        }
        missing
    };
    while !missing().is_empty() && Instant::now() < deadline {
        thread::yield_now();
    }
    let missing = missing();
    if missing.is_empty() { "all, once".into() } else { missing.join(", ") }
}
