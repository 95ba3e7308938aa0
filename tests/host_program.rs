//! rs2p in a process that is not an ordinary one: with SIGPIPE at its default as in C, with few
//! descriptors, forked.
#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rs2p::error::{RecvError, RecvTimeoutError, TryRecvError};
use rs2p::{
    Connection, Encryption, Error, MeshEvent, MeshSocket, NodeId, Protocol, SendOptions, Trouble,
};

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
        Process::start_below(test, encryption, addr, "exec \"$@\"")
    }

    /// The same by a script of the shell, which sets limits first.
    fn start_below(test: &str, encryption: Encryption, addr: &str, script: &str) -> Self {
        let exe = std::env::current_exe().expect("this test");
        let mut child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(exe)
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

/// Connections that take more descriptors than the process has.
const CROWD: usize = 60;

#[test]
fn descriptors_that_run_out_are_told_once_and_so_is_their_return() {
    let script = "ulimit -n 63; exec \"$@\"";
    let test = "a_node_with_few_descriptors";
    let mut node = Process::start_below(test, Encryption::Plaintext, "", script);
    let addr = node.expect("addr");
    let crowd: Vec<TcpStream> =
        (0..CROWD).map(|_| TcpStream::connect(&addr).expect("a connection")).collect();
    assert!(node.expect("began").contains("nothing left for another connection"));
    let_pass(Duration::from_secs(1));
    drop(crowd);
    assert!(node.expect("ended").contains("nothing left for another connection"));
    assert_eq!(node.expect("entries"), "2", "one when it began, one when it ended");
    assert_eq!(node.expect("lines"), "2", "the same in the log");
    assert_eq!(node.expect("events"), "0", "and nothing about single connections");
    assert_eq!(node.expect("counted"), "true");
    let peer = MeshSocket::bind(("127.0.0.1", 0)).expect("a port");
    peer.connect(addr.as_str()).expect("there is room again");
    peer.close().expect("closed");
}

/// Waits without anything to wait for: time passing is what is wanted.
fn let_pass(time: Duration) {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::thread::park_timeout(until.saturating_duration_since(Instant::now()));
    }
}

/// Counts what is logged for the user about a lack of descriptors.
struct Lines(AtomicUsize);

impl log::Log for Lines {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.level() <= log::Level::Info
    }

    fn log(&self, record: &log::Record) {
        let is_counted = self.enabled(record.metadata());
        self.0.fetch_add(usize::from(is_counted), Ordering::SeqCst);
    }

    fn flush(&self) {}
}

static LINES: Lines = Lines(AtomicUsize::new(0));

#[test]
#[ignore = "a process of the test above, which starts it"]
fn a_node_with_few_descriptors() {
    log::set_logger(&LINES).expect("the first logger");
    log::set_max_level(log::LevelFilter::Trace);
    let builder = MeshSocket::builder().max_outgoing(0).max_handshaking(2 * CROWD);
    // Nobody is thrown out while the crowd is there.
    let builder = builder.handshake_timeout(2 * PATIENCE);
    let node = builder.bind(("127.0.0.1", 0)).expect("a port");
    say(&format!("addr {}", node.local_addr()));
    let mut others = 0;
    for event in node.events() {
        match event {
            MeshEvent::TroubleBegan(trouble) => say(&format!("began {trouble}")),
            MeshEvent::TroubleEnded(trouble) => {
                say(&format!("ended {trouble}"));
                break;
            }
            _ => others += 1,
        }
    }
    say(&format!("entries {}", node.status().troubles().len()));
    say(&format!("lines {}", LINES.0.load(Ordering::SeqCst)));
    say(&format!("events {others}"));
    say(&format!("counted {}", node.stats().exhausted > 0));
    let until = Instant::now() + 2 * PATIENCE;
    while node.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
}

#[cfg(target_os = "linux")]
#[test]
fn a_forked_process_gets_errors_and_leaves_the_socket_alone() {
    let mut node = Process::start("a_node_that_forks", Encryption::Plaintext, "");
    let addr = node.expect("addr");
    let peer = MeshSocket::bind(("127.0.0.1", 0)).expect("a port");
    peer.connect(addr.as_str()).expect("a link");
    assert_eq!(node.expect("child"), "0", "the number of the first call that did not fail");
    peer.send("are you there?").expect("sent");
    assert_eq!(node.expect("received"), "are you there?", "the parent goes on");
    assert_eq!(peer.stats().left, 0, "its links too");
    peer.close().expect("closed");
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "a process of the test above, which starts it"]
fn a_node_that_forks() {
    let node = bind();
    say(&format!("addr {}", node.local_addr()));
    node.wait_for_peers(1, PATIENCE).expect("a peer");
    let peer = *node.routing_table().keys().next().expect("a peer");
    let connection = node.peer(&peer).expect("a peer");
    node.send("the parent can").expect("sent");
    // SAFETY: the child uses nothing that another thread may hold locked, and ends without
    // running what was registered to run at exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let code = first_that_does_not_fail(node, &peer, &connection);
        unsafe { libc::_exit(code) };
    }
    let mut status = 0;
    // SAFETY: the child is ours and `status` is there.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert!(libc::WIFEXITED(status));
    say(&format!("child {}", libc::WEXITSTATUS(status)));
    let message = node.recv_timeout(PATIENCE).expect("a message");
    say(&format!("received {}", message[1].to_text()));
    let until = Instant::now() + 2 * PATIENCE;
    while node.recv_timeout(until.saturating_duration_since(Instant::now())).is_ok() {}
}

/// Calls what could wait for ever or be lost; each must fail, or tell the truth.
#[cfg(target_os = "linux")]
fn first_that_does_not_fail(node: MeshSocket, peer: &NodeId, connection: &Connection) -> i32 {
    let options = SendOptions::new();
    let forked = [
        matches!(node.send("lost"), Err(Error::Forked)),
        matches!(node.whisper("lost"), Err(Error::Forked)),
        matches!(node.send_to(peer, "lost"), Err(Error::Forked)),
        matches!(node.try_send("lost").map_err(Error::from), Err(Error::Forked)),
        matches!(connection.send_with(options, "lost"), Err(Error::Forked)),
        matches!(node.flush(PATIENCE), Err(Error::Forked)),
        matches!(node.connect(node.local_addr()), Err(Error::Forked)),
        matches!(node.wait_for_peers(1, PATIENCE), Err(Error::Forked)),
        matches!(node.disconnect(peer), Err(Error::Forked)),
        node.recv().is_err_and(|error| error == RecvError::Forked),
        node.recv_timeout(PATIENCE).is_err_and(|error| error == RecvTimeoutError::Forked),
        node.try_recv().is_err_and(|error| error == TryRecvError::Forked),
        node.routing_table().is_empty() && node.peer(peer).is_none(),
        node.status().current() == [Trouble::Forked],
        matches!(node.close(), Err(Error::Forked)),
    ];
    drop(node);
    forked.iter().position(|is_forked| !is_forked).map_or(0, |index| index as i32 + 1)
}
