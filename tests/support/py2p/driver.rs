//! The process of a peer: starts `peer.py`, sorts what it says into channels,
//! and stops it whatever becomes of the test.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read, Write},
    process::{Child, ChildStdin, Command, Stdio},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;
use serde_json::Value;

use super::event::{Event, Fatal, Links, PeerMessage, Ready};

/// Python, py2p and, with SSL, an RSA key; on a machine that is busy.
const START_LIMIT: Duration = Duration::from_secs(60);

/// A send to a peer that does not read takes py2p a second, for each packet.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// How much of its last words a failing test prints.
const LOG_LINES: usize = 100;

pub struct Driver {
    child: Mutex<Child>,
    /// Held from a command to its answer: they are told apart by order only.
    commands: Mutex<ChildStdin>,
    results: Receiver<Value>,
    pub messages: Receiver<PeerMessage>,
    pub links: Receiver<Links>,
    log: Arc<Log>,
    readers: Vec<JoinHandle<()>>,
}

impl Driver {
    /// Starts the process and waits until there is a node, or the reason why not.
    pub fn start(command: &mut Command) -> Result<(Driver, Ready), Fatal> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its Python is old enough to warn about what py2p still uses.
        command.env("PYTHONWARNINGS", "ignore").env("PYTHONDONTWRITEBYTECODE", "1");
        let mut child = command.spawn().expect("the interpreter was there a moment ago");
        let (outlet, inlet) = channels();
        let log = Arc::new(Log::default());
        let out = child.stdout.take().expect("piped");
        let err = child.stderr.take().expect("piped");
        let driver = Driver {
            commands: Mutex::new(child.stdin.take().expect("piped")),
            child: Mutex::new(child),
            results: inlet.results,
            messages: inlet.messages,
            links: inlet.links,
            readers: vec![read_events(out, outlet, log.clone()), read_log(err, log.clone())],
            log,
        };
        match inlet.birth.recv_timeout(START_LIMIT) {
            Ok(Ok(ready)) => Ok((driver, ready)),
            Ok(Err(fatal)) => Err(fatal),
            Err(_) => panic!("no py2p node within {START_LIMIT:?}"),
        }
    }

    /// Sends a command, waits for its answer; the fields of that, or what py2p raised.
    pub fn command(&self, request: &Value) -> Result<Value, String> {
        let mut commands = self.commands.lock();
        let line = format!("{request}\n");
        commands.write_all(line.as_bytes()).map_err(|e| format!("the driver is gone: {e}"))?;
        let answer = self.results.recv_timeout(ANSWER_LIMIT);
        let answer = answer.map_err(|e| format!("no answer to {request}: {e}"))?;
        match answer["ok"].as_bool() {
            Some(true) => Ok(answer),
            _ => Err(answer["text"].as_str().unwrap_or("no reason given").to_owned()),
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.lock().id()
    }

    /// Sends a signal, by name, to this one process while it is ours.
    #[cfg(unix)]
    pub fn signal(&self, name: &str) {
        let mut child = self.child.lock();
        // Not reaped yet, so that the id cannot be somebody else's.
        assert!(matches!(child.try_wait(), Ok(None)), "the peer has ended");
        let pid = child.id().to_string();
        let status = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(status.is_ok_and(|status| status.success()), "kill -s {name} {pid}");
    }

    /// Ends the process at once and waits for that; what it said stays readable.
    pub fn kill(&self) {
        let mut child = self.child.lock();
        let _ = child.kill();
        let _ = child.wait();
    }

    /// Waits for a process that was told to end.
    pub fn join(&mut self) {
        // Its output ends with it: an end of the channel is the end of both.
        while let Ok(answer) = self.results.recv_timeout(ANSWER_LIMIT) {
            self.log.note(format!("an answer that nobody asked for: {answer}"));
        }
        self.kill();
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.kill();
        for reader in self.readers.drain(..) {
            let _ = reader.join();
        }
        if thread::panicking() {
            self.log.print(self.pid());
        }
    }
}

/// The reader's ends of the channels. It goes when the output ends, and so the
/// other ends tell "nothing yet" from "nothing ever".
struct Outlet {
    birth: Sender<Result<Ready, Fatal>>,
    results: Sender<Value>,
    messages: Sender<PeerMessage>,
    links: Sender<Links>,
}

struct Inlet {
    birth: Receiver<Result<Ready, Fatal>>,
    results: Receiver<Value>,
    messages: Receiver<PeerMessage>,
    links: Receiver<Links>,
}

fn channels() -> (Outlet, Inlet) {
    // Unbounded: a test that does not look must not hold up the peer.
    let (birth_out, birth) = unbounded();
    let (results_out, results) = unbounded();
    let (messages_out, messages) = unbounded();
    let (links_out, links) = unbounded();
    let outlet =
        Outlet { birth: birth_out, results: results_out, messages: messages_out, links: links_out };
    (outlet, Inlet { birth, results, messages, links })
}

fn read_events(pipe: impl Read + Send + 'static, outlet: Outlet, log: Arc<Log>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(event) => outlet.put(event, &log),
                Err(error) => log.note(format!("not an event ({error}): {line}")),
            }
        }
    })
}

impl Outlet {
    /// Sends to ends that may be gone: then the test is over.
    fn put(&self, event: Event, log: &Log) {
        match event {
            Event::Ready(ready) => drop(self.birth.send(Ok(ready))),
            Event::Fatal(fatal) => {
                log.note(format!("fatal: {}", fatal.text));
                drop(self.birth.send(Err(fatal)));
            }
            Event::Result(fields) => drop(self.results.send(fields)),
            Event::Message(message) => drop(self.messages.send(message)),
            Event::Peers(links) => drop(self.links.send(links)),
            Event::Exit => log.note("closed".to_owned()),
        }
    }
}

fn read_log(pipe: impl Read + Send + 'static, log: Arc<Log>) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            log.note(line);
        }
    })
}

/// What py2p printed, kept for a test that fails.
#[derive(Default)]
struct Log(Mutex<VecDeque<String>>);

impl Log {
    fn note(&self, line: String) {
        let mut lines = self.0.lock();
        if lines.len() == LOG_LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    fn print(&self, pid: u32) {
        for line in self.0.lock().iter() {
            eprintln!("[py2p {pid}] {line}");
        }
    }
}
