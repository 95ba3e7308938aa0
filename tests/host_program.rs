//! rs2p inside a program that is not a Rust program from its first line: with SIGPIPE at its
//! default, and one that forks.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rs2p::{Encryption, MeshEvent, MeshSocket, Protocol};

const PATIENCE: Duration = Duration::from_secs(20);
/// How often a peer is killed: the signal came in nine of ten trials.
const TRIALS: usize = 5;

/// One of the ignored tests below, in a process of its own that speaks in lines.
struct Process {
    child: Child,
    lines: crossbeam_channel::Receiver<String>,
}

impl Process {
    fn start(test: &str, encryption: Encryption, addr: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--ignored", "--exact", test, "--nocapture", "--test-threads=1"])
            .envs([("RS2P_ENCRYPTION", encryption.as_str()), ("RS2P_ADDR", addr)])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = crossbeam_channel::unbounded();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // What the test harness of the child prints is not for us.
                if let Some((_, line)) = line.split_once("node: ") {
                    let _ = sender.send(line.to_string());
                }
            }
        });
        Process { child, lines }
    }

    /// The rest of the next line, which begins with this word.
    fn expect(&mut self, word: &str) -> String {
        match self.lines.recv_timeout(PATIENCE) {
            Ok(line) => line.strip_prefix(word).unwrap_or_else(|| panic!("{line}")).trim().into(),
            Err(_) => panic!("no {word}; the process: {:?}", self.child.try_wait()),
        }
    }

    fn kill(&mut self) -> ExitStatus {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It must not outlive the test.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn say(line: &str) {
    println!("node: {line}");
}

/// The socket of a child, of the encryption that its parent wants.
fn bind() -> MeshSocket {
    let encryption = match std::env::var("RS2P_ENCRYPTION").as_deref() {
        Ok("SSL") => Encryption::Ssl,
        Ok(_) => Encryption::Plaintext,
        Err(_) => panic!("this is started by another test"),
    };
    let builder = MeshSocket::builder().protocol(Protocol::new("mesh", encryption));
    builder.max_outgoing(0).bind(("127.0.0.1", 0)).expect("a port")
}

fn survives_killed_peers(encryption: Encryption) {
    let mut node = Process::start("a_node_with_the_default_sigpipe", encryption, "");
    let addr = node.expect("addr");
    for _ in 0..TRIALS {
        let mut peer = Process::start("a_peer_to_be_killed", encryption, &addr);
        peer.expect("linked");
        node.expect("joined");
        peer.kill();
        node.expect("left");
    }
}

#[test]
fn a_write_to_a_killed_peer_raises_no_signal() {
    survives_killed_peers(Encryption::Plaintext);
}

#[cfg(feature = "native-tls")]
#[test]
fn a_write_to_a_killed_peer_raises_no_signal_over_ssl() {
    survives_killed_peers(Encryption::Ssl);
}

#[test]
#[ignore = "a process of the tests above, which start it"]
fn a_node_with_the_default_sigpipe() {
    let node = bind();
    // SAFETY: no handler is installed; the default is what a C program begins with.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    say(&format!("addr {}", node.local_addr()));
    let events = node.events();
    for number in 0_u64.. {
        // Meanwhile the peer is killed, and what is written finds nobody.
        node.send([number.to_string().into_bytes(), vec![0; 1000]]).expect("sent");
        for event in events.try_iter() {
            match event {
                MeshEvent::Joined { .. } => say("joined"),
                MeshEvent::Left { .. } => say("left"),
                _ => {}
            }
        }
    }
}

#[test]
#[ignore = "a process of the tests above, which start it"]
fn a_peer_to_be_killed() {
    let node = bind();
    let addr = std::env::var("RS2P_ADDR").expect("given");
    node.connect(addr.as_str()).expect("a link");
    say("linked");
    let until = Instant::now() + 2 * PATIENCE;
    while node.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
}
