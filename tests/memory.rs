//! What strangers and members can make a node use of memory: measured as what the system has given to the
//! process, in a process of its own. Loopback only.
#![cfg(all(target_os = "linux", feature = "compression"))]

#[path = "support/mod.rs"]
mod support;

use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};

use flate2::{Compression, write::ZlibEncoder};
use rs2p::MeshSocket;
use support::raw::{COMPRESSION, RENEGOTIATE, Raw, WHISPER, message};
use support::{PATIENCE, let_pass, wait_until};

const MIB: usize = 1 << 20;
/// More than the node may take for messages, and for buffers and threads of as many links.
const MOST: usize = 128 * MIB;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// Bytes of memory that this process has.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").expect("readable");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a size");
    let kib: usize = line.split_whitespace().nth(1).expect("a number").parse().expect("a number");
    kib * 1024
}

struct Scene {
    x: MeshSocket,
    honest: [MeshSocket; 2],
    quiet: usize,
    peak: usize,
    sent: usize,
}

impl Scene {
    fn new() -> Self {
        let bind = || {
            let builder = MeshSocket::builder().max_outgoing(0).queue_bytes(MIB);
            builder.bind(("127.0.0.1", 0)).expect("a port")
        };
        let (x, honest) = (bind(), [bind(), bind()]);
        honest.iter().for_each(|node| drop(node.connect(x.local_addr()).expect("a link")));
        Scene { x, honest, quiet: resident(), peak: 0, sent: 0 }
    }

    fn links(&self, count: usize) -> Vec<Raw> {
        let until = Instant::now() + PATIENCE;
        (0..count).map(|_| Raw::link(self.x.local_addr(), self.x.protocol().id(), until)).collect()
    }

    /// Looks at the memory, and sends something from one honest node to the other one, by way of X.
    fn look(&mut self) {
        self.peak = self.peak.max(resident());
        self.honest[0].send(format!("honest {}", self.sent)).expect("sent");
        self.sent += 1;
    }

    /// Ends the attack: all that is honest has arrived, and the memory is given back.
    fn end(mut self, name: &str, raws: Vec<Raw>) {
        self.look();
        for number in 0..self.sent {
            let heard = loop {
                let heard = self.honest[1].recv_timeout(PATIENCE).expect("honest traffic goes on");
                if heard[1].starts_with(b"honest") {
                    break heard;
                }
            };
            assert_eq!(heard[1], format!("honest {number}").as_bytes());
        }
        drop(raws);
        wait_until("the attackers are gone", || self.x.stats().peers == 2);
        while self.x.try_recv().is_ok() {}
        let mib = |bytes: usize| bytes.saturating_sub(self.quiet) / MIB;
        let stats = self.x.stats();
        println!("{name}: +{} MiB, then +{}", mib(self.peak), mib(resident()));
        assert!(mib(self.peak) <= MOST / MIB, "{name}: +{} MiB\n{stats}", mib(self.peak));
        wait_until("the memory is given back", || resident() < self.quiet + 48 * MIB);
        assert!(stats.memory_limit as usize == MOST, "{stats}");
        for node in [self.x].into_iter().chain(self.honest) {
            node.close().expect("closed");
        }
    }
}

/// 100 links, each with a frame of 16 MiB that does not end.
fn unfinished_frames() {
    let mut scene = Scene::new();
    let mut raws = scene.links(100);
    let mut begun = vec![7; MIB];
    begun[..4].copy_from_slice(&(16 * MIB as u32).to_be_bytes());
    let until = Instant::now() + Duration::from_secs(4);
    for step in 0..15 {
        for raw in &mut raws {
            if Instant::now() < until {
                raw.try_send_for(&begun, MS(20));
            }
        }
        if step == 0 {
            begun[..4].fill(7);
        }
        scene.look();
    }
    scene.end("unfinished frames", raws);
}

fn zipped(body: &[u8]) -> Vec<u8> {
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
    zlib.write_all(body).expect("memory");
    let body = zlib.finish().expect("memory");
    [&(body.len() as u32).to_be_bytes()[..], &body].concat()
}

/// 60 links, each with a message that unpacks to more than is allowed, or to as much as is allowed.
fn packed(name: &str, bytes: usize, links: usize) {
    // Made before the memory is looked at: it takes some itself.
    let sender = MeshSocket::bind(("127.0.0.1", 0)).expect("a port").id();
    let frame = zipped(&message(sender.as_str(), WHISPER, &[&[2], &vec![0; bytes]])[4..]);
    let mut scene = Scene::new();
    let mut raws = scene.links_that_compress(links);
    for raw in &mut raws {
        raw.try_send_for(&frame, MS(1000));
        scene.look();
    }
    for _ in 0..20 {
        let_pass(MS(50));
        scene.look();
    }
    scene.end(name, raws);
}

impl Scene {
    fn links_that_compress(&self, count: usize) -> Vec<Raw> {
        let mut raws = self.links(count);
        for raw in &mut raws {
            raw.say(RENEGOTIATE, &[COMPRESSION, b"[\"\\u0013\"]"]);
        }
        raws
    }
}

#[test]
fn what_members_send_takes_no_more_memory_than_the_budget_and_for_no_longer() {
    unfinished_frames();
    packed("bombs", 17 * MIB, 60);
    packed("whispers", 15 * MIB, 40);
}
