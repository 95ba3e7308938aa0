//! X: a node in a process of its own, which is told what to do in lines and answers in lines.
//!
//! `begin NANOS PERIOD_MS COUNT SIZE` sends, `connect ADDR` links, `report COUNT` waits until so many messages came, says what was seen and ends.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use rs2p::{Encryption, MeshEvent, MeshSocket, NodeId, Protocol};

use crate::Failure;
use crate::measure::wait_until;
use crate::traffic::{Ear, Heard, Plan, send_all};

/// Longer than any answer of X takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn protocol(is_tls: bool) -> Protocol {
    Protocol::new("attacked", if is_tls { Encryption::Ssl } else { Encryption::Plaintext })
}

/// Is X.
pub fn run(is_tls: bool) -> Result<(), Failure> {
    let socket = MeshSocket::builder().protocol(protocol(is_tls)).bind(("127.0.0.1", 0))?;
    say(&format!("ready {} {} {}", socket.local_addr(), socket.id(), socket.protocol().id()));
    let honest: Vec<NodeId> = next_line()?.split(' ').filter_map(|id| id.parse().ok()).collect();
    let (ear, events) = (Ear::default(), Mutex::<Events>::default());
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| ear.listen(&socket, &honest));
        scope.spawn(|| {
            while !is_over.load(Relaxed) {
                let event = socket.events().recv_timeout(Duration::from_millis(100));
                if let (Ok(event), Ok(mut events)) = (event, events.lock()) {
                    events.note(&event);
                }
            }
        });
        let (mut sender, mut due) = (None, 0);
        while let Ok(line) = next_line() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["begin", ..] => {
                    let plan = read_plan(&words).unwrap_or_default();
                    let socket = &socket;
                    sender = Some(scope.spawn(move || send_all(socket, 'x', plan)));
                }
                ["connect", addr] => {
                    let result = socket.connect_within(addr, Duration::from_secs(5));
                    say(&format!(
                        "connected {}",
                        result.map_or_else(|e| e.to_string(), |_| "ok".into())
                    ));
                }
                [_, heard] => {
                    due = heard.parse().unwrap_or(0);
                    break;
                }
                _ => break,
            }
        }
        let sent = sender.take().and_then(|sender| sender.join().ok()).unwrap_or_default();
        wait_until(Duration::from_secs(5), || ear.count() >= due);
        report(&ear, &sent, &events);
        is_over.store(true, Relaxed);
        socket.close().map(drop)
    })
    .map_err(Failure::from)
}

fn next_line() -> io::Result<String> {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line)?;
    if read == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(line.trim().to_string()) }
}

fn say(line: &str) {
    println!("{line}");
    let _ = io::stdout().flush();
}

fn read_plan(words: &[&str]) -> Option<Plan> {
    let number = |at: usize| words.get(at)?.parse::<u64>().ok();
    Some(Plan {
        begins: number(1)?,
        period: Duration::from_millis(number(2)?),
        count: u32::try_from(number(3)?).ok()?,
        size: usize::try_from(number(4)?).ok()?,
    })
}

/// What X saw of attackers, and of others.
#[derive(Default)]
struct Events {
    attackers: BTreeSet<NodeId>,
    counts: BTreeMap<String, u64>,
}

impl Events {
    /// Counts an event, equal ones together. What differs in each of them, the port and the id, is left out.
    fn note(&mut self, event: &MeshEvent) {
        let text = format!("{event:?}");
        let is_remote = text.contains("127.66.");
        match event {
            MeshEvent::Joined { id, .. } if is_remote => drop(self.attackers.insert(*id)),
            _ => {}
        }
        let is_attacker = is_remote
            || matches!(event, MeshEvent::LeftBehind { id, .. } if self.attackers.contains(id));
        let name = text.split([' ', '(']).next().unwrap_or_default();
        let cause = ["cause: ", "reason: "].iter().find_map(|word| text.split_once(word));
        let cause = cause.map_or("", |(_, cause)| cause);
        let cause = cause.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let who = if is_attacker { "attacker" } else { "other" };
        *self.counts.entry(format!("{who} {name} {cause}")).or_default() += 1;
    }
}

fn report(ear: &Ear, sent: &[u32], events: &Mutex<Events>) {
    let (heard, forged) = ear.all();
    for number in sent {
        println!("sent {number}");
    }
    for Heard { from, number, micros_late } in heard {
        println!("heard {from} {number} {micros_late}");
    }
    println!("forged {forged}");
    if let Ok(events) = events.lock() {
        events.counts.iter().for_each(|(event, count)| println!("event {count} {event}"));
    }
    say("done");
}

/// The process of X, as the one that attacks it sees it.
pub struct X {
    child: Child,
    stdin: ChildStdin,
    lines: Receiver<String>,
    pub addr: String,
    pub id: String,
    pub protocol: String,
}

impl X {
    pub fn start(is_tls: bool) -> Result<X, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["x", if is_tls { "tls" } else { "plain" }])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no output")?);
        let stdin = child.stdin.take().ok_or("no input")?;
        let (sender, lines) = channel();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                // The attack may be over.
                let _ = sender.send(line);
            }
        });
        let mut x = X {
            child,
            stdin,
            lines,
            addr: String::new(),
            id: String::new(),
            protocol: String::new(),
        };
        let ready = x.answer()?;
        let words: Vec<String> = ready.split(' ').map(str::to_string).collect();
        let [_, addr, id, protocol] = <[String; 4]>::try_from(words).map_err(|_| ready)?;
        (x.addr, x.id, x.protocol) = (addr, id, protocol);
        Ok(x)
    }

    pub fn process(&self) -> u32 {
        self.child.id()
    }

    pub fn tell(&mut self, line: &str) -> io::Result<()> {
        writeln!(self.stdin, "{line}")
    }

    pub fn answer(&self) -> Result<String, Failure> {
        Ok(self.lines.recv_timeout(PATIENCE)?)
    }

    /// Returns the lines of its report, once it has heard so many messages.
    pub fn report(mut self, heard: usize) -> Result<Vec<String>, Failure> {
        self.tell(&format!("report {heard}"))?;
        let mut report = Vec::new();
        loop {
            match self.answer()? {
                line if line == "done" => return Ok(report),
                line => report.push(line),
            }
        }
    }
}

impl Drop for X {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
