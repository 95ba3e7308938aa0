//! One JSON object a line, both ways: for programs in any language.
//!
//! Commands: `{"do": "send", "packets": ["a", "b"]}`, and in the same way `whisper`, `request`, `reply`,
//! `connect`, `disconnect`, `peers`, `stats` and `close`. A `"ref"` in a command is in its answer too.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rs2p::crossbeam_channel::{Receiver, Sender, bounded, never, select};
use rs2p::{Connection, MeshEvent, MeshSocket, Message, NodeId, Packet, SendOptions};
use serde_json::{Value, json};

use crate::args::Cli;
use crate::failure::{Exit, Failure};
use crate::input::{duration, lines, time_up};
use crate::output::say;

/// Most messages that can still be replied to.
const MAX_KEPT: usize = 1024;
/// Most requests that wait at a time: each has a thread.
const MAX_REQUESTS: usize = 256;
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

struct Session<'a> {
    sock: &'a MeshSocket,
    topic: Option<&'a str>,
    kept: VecDeque<Message>,
    /// How many requests are open.
    requests: Arc<AtomicUsize>,
    /// Each request holds one; the other end disconnects when all are over.
    open: Sender<Infallible>,
}

pub fn run(sock: &MeshSocket, cli: &Cli, interrupt: &Receiver<()>) -> Result<Exit, Failure> {
    let topic = cli.topic.as_deref().map(|topic| sock.subscribe(topic)).transpose()?;
    let (messages, events) = (sock.receiver(), sock.events());
    let topics = topic.as_ref().map_or_else(never, |topic| topic.receiver());
    let (mut input, over) = (lines()?, time_up(cli.node.timeout.filter(|_| cli.count.is_some())));
    say(json!({"event": "listening", "addr": sock.out_addr(), "id": sock.id().to_string()}))?;
    let (kept, requests) = (VecDeque::new(), Arc::default());
    let (open, all_over) = bounded(0);
    let mut session = Session { sock, topic: cli.topic.as_deref(), kept, requests, open };
    let mut left = cli.count;
    while left != Some(0) {
        let message = select! {
            recv(messages) -> message => message,
            recv(topics) -> message => message,
            recv(events) -> event => {
                event.ok().and_then(|event| event_of(&event)).map_or(Ok(()), say)?;
                continue;
            }
            recv(input) -> line => {
                match line {
                    Ok(line) if session.obey(&line)? => return Ok(Exit::Done),
                    Ok(_) => {}
                    Err(_) if left.is_some() => input = never(),
                    Err(_) => return Ok(session.finish(&all_over, interrupt)),
                }
                continue;
            }
            recv(over) -> _ => return Ok(Exit::TimeUp),
            recv(interrupt) -> _ => return Ok(Exit::Interrupted),
        };
        let Ok(message) = message else { return Ok(Exit::Done) };
        say(object_of("message", &message))?;
        session.keep(message);
        left = left.map(|left| left - 1);
    }
    Ok(session.finish(&all_over, interrupt))
}

impl Session<'_> {
    /// Obeys a line. Returns whether it says that this is the end.
    fn obey(&mut self, line: &str) -> Result<bool, Failure> {
        if line.trim().is_empty() {
            return Ok(false);
        }
        let command: Value = serde_json::from_str(line).unwrap_or(Value::Null);
        let mut answer = match self.answer(&command) {
            Ok(answer) => answer,
            Err(error) => json!({"event": "error", "error": error}),
        };
        let is_over = answer["event"] == "closing";
        if !answer.is_null() {
            answer["ref"] = command["ref"].clone();
            say(answer)?;
        }
        Ok(is_over)
    }

    fn answer(&self, command: &Value) -> Result<Value, String> {
        let text = |name: &str| command[name].as_str().ok_or(format!("{name} is missing"));
        let sock = self.sock;
        match command["do"].as_str() {
            Some("send") => self.send(command, SendOptions::new()),
            Some("whisper") => self.send(command, SendOptions::new().flag(rs2p::Flag::Whisper)),
            Some("request") => self.request(command),
            Some("reply") => {
                let to = text("to")?;
                let question = self.kept.iter().find(|message| message.id().to_string() == to);
                let question = question.ok_or("no such message, or it is too old")?;
                question.reply(packets_of(command)?).map_err(words)?;
                Ok(json!({"event": "replied"}))
            }
            Some("connect") => {
                let peer = sock.connect(text("addr")?).map_err(words)?;
                Ok(json!({"event": "connected", "peer": peer.id().to_string()}))
            }
            Some("disconnect") => {
                sock.disconnect(&node_id(text("peer")?)?).map_err(words)?;
                Ok(json!({"event": "disconnected"}))
            }
            Some("peers") => {
                let peers: Vec<Value> = sock.routing_table().values().map(peer_object).collect();
                Ok(json!({"event": "peers", "peers": peers}))
            }
            Some("stats") => {
                let plain = sock.stats();
                let plain = plain.iter().filter(|metric| metric.reason.is_none());
                let stats = plain.map(|metric| (metric.name.to_owned(), metric.value.into()));
                Ok(json!({"event": "stats", "stats": Value::Object(stats.collect())}))
            }
            Some("close") => Ok(json!({"event": "closing"})),
            _ => Err("not a command: an object with \"do\" is expected".into()),
        }
    }

    fn send(&self, command: &Value, options: SendOptions) -> Result<Value, String> {
        let topic = command["topic"].as_str().or(self.topic);
        let options = topic.map_or(options.clone(), |topic| options.kind(topic));
        let sent = self.sock.send_with(options, packets_of(command)?).map_err(words)?;
        Ok(json!({"event": "sent", "id": sent.id().to_string(), "peers": sent.peers()}))
    }

    /// Asks in a thread of its own, which prints the answer.
    fn request(&self, command: &Value) -> Result<Value, String> {
        if self.requests.fetch_add(1, Ordering::Relaxed) >= MAX_REQUESTS {
            self.requests.fetch_sub(1, Ordering::Relaxed);
            return Err("too many requests are open".into());
        }
        let active = Active { requests: Arc::clone(&self.requests), _open: self.open.clone() };
        let (packets, sock) = (packets_of(command)?, self.sock.clone());
        let to = command["to"].as_str().map(node_id).transpose()?;
        let timeout = command["timeout"].as_f64().map_or(REQUEST_TIMEOUT, duration);
        let reference = command["ref"].clone();
        let ask = move || {
            let answer = match to {
                Some(to) => sock.request(&to, packets, timeout),
                None => sock.request_any(packets, timeout),
            };
            let mut answer = match answer {
                Ok(answer) => object_of("answer", &answer),
                Err(error) => json!({"event": "error", "error": error.to_string()}),
            };
            answer["ref"] = reference;
            // Whoever reads it may be gone.
            let _ = say(answer);
            drop(active);
        };
        let thread = std::thread::Builder::new().name("request".into()).spawn(ask);
        thread.map(|_| Value::Null).map_err(|error| error.to_string())
    }

    fn keep(&mut self, message: Message) {
        self.kept.push_back(message);
        if self.kept.len() > MAX_KEPT {
            self.kept.pop_front();
        }
    }

    /// Waits for the requests that are open.
    fn finish(self, all_over: &Receiver<Infallible>, interrupt: &Receiver<()>) -> Exit {
        drop(self.open);
        select! {
            recv(all_over) -> _ => Exit::Done,
            recv(interrupt) -> _ => Exit::Interrupted,
        }
    }
}

/// Counts a request until it is over.
struct Active {
    requests: Arc<AtomicUsize>,
    _open: Sender<Infallible>,
}

impl Drop for Active {
    fn drop(&mut self) {
        self.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

fn words(error: rs2p::Error) -> String {
    error.to_string()
}

fn node_id(text: &str) -> Result<NodeId, String> {
    text.parse().map_err(words)
}

fn peer_object(peer: &Connection) -> Value {
    let outgoing = peer.is_outgoing();
    json!({"id": peer.id().to_string(), "addr": peer.addr(), "outgoing": outgoing})
}

fn object_of(event: &str, message: &Message) -> Value {
    json!({
        "event": event,
        "id": message.id().to_string(),
        "sender": message.sender().to_string(),
        "kind": message.packets().first().map(value_of),
        "packets": message.payload().iter().map(value_of).collect::<Vec<_>>(),
        "time": message.time(),
    })
}

fn event_of(event: &MeshEvent) -> Option<Value> {
    match event {
        MeshEvent::Joined { id, addr, .. } => {
            Some(json!({"event": "joined", "peer": id.to_string(), "addr": addr}))
        }
        MeshEvent::Left { id, cause, .. } => {
            Some(json!({"event": "left", "peer": id.to_string(), "cause": cause.to_string()}))
        }
        _ => None,
    }
}

/// Text, or `{"hex": "00ff"}` for bytes that are not UTF-8.
fn value_of(packet: &Packet) -> Value {
    match std::str::from_utf8(packet.as_bytes()) {
        Ok(text) => text.into(),
        Err(_) => {
            let hex: String = packet.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            json!({"hex": hex})
        }
    }
}

fn packets_of(command: &Value) -> Result<Vec<Packet>, String> {
    let packets = command["packets"].as_array().ok_or("packets is missing: an array")?;
    packets.iter().map(packet_of).collect::<Option<_>>().ok_or("a packet is text or hex".into())
}

fn packet_of(value: &Value) -> Option<Packet> {
    if let Some(text) = value.as_str() {
        return Some(text.into());
    }
    let hex = value["hex"].as_str().filter(|hex| hex.len() % 2 == 0 && hex.is_ascii())?;
    let byte = |at| u8::from_str_radix(hex.get(at..at + 2)?, 16).ok();
    let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
    bytes.map(Packet::from)
}
