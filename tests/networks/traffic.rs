//! Numbered messages, by which a lost or doubled one is noticed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Sender, bounded};
use rs2p::{MeshSocket, Message};

use crate::node::Node;
use crate::support::process::say;

/// The pause between two messages of a flow.
const PAUSE: Duration = Duration::from_millis(25);

/// What a node sends, in its process.
pub struct Outgoing {
    sock: MeshSocket,
    next: Arc<AtomicU64>,
    /// What ends the flow, and its thread.
    flow: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Outgoing {
    pub fn new(sock: &MeshSocket) -> Outgoing {
        Outgoing { sock: sock.clone(), next: Arc::default(), flow: None }
    }

    /// Starts to send a message now and then.
    pub fn start(&mut self) {
        let (sock, next) = (self.sock.clone(), Arc::clone(&self.next));
        let (stop, stopped) = bounded::<()>(0);
        let flow = thread::spawn(move || {
            while stopped.recv_timeout(PAUSE).is_err_and(|error| error.is_timeout()) {
                send(&sock, &next, 0);
            }
        });
        self.flow = Some((stop, flow));
    }

    /// Ends that, and says how many messages have been sent in all.
    pub fn stop(&mut self) {
        let (stop, flow) = self.flow.take().expect("it was started");
        drop(stop);
        flow.join().expect("no panic");
        self.say_sent();
    }

    /// Sends so many messages of so many bytes, as fast as it can.
    pub fn burst(&self, size: &str) {
        let (count, bytes) = size.split_once(' ').expect("count and bytes");
        let [count, bytes] = [count, bytes].map(|number| number.parse().expect("a number"));
        (0..count).for_each(|_| send(&self.sock, &self.next, bytes));
        self.say_sent();
    }

    fn say_sent(&self) {
        say(&format!("sent {}", self.next.load(Ordering::Relaxed)));
    }
}

fn send(sock: &MeshSocket, next: &AtomicU64, bytes: usize) {
    let number = next.fetch_add(1, Ordering::Relaxed);
    // With the name of the node: what two nodes send in one second is one message if it is the same.
    let name = sock.id().to_string();
    sock.send(("traffic", name, number.to_string(), vec![0; bytes])).expect("sent");
}

/// Says that a message has come, in the process of its receiver.
pub fn say_message(message: &Message) {
    match message.payload() {
        [word, name, number, _] if word.to_text() == "traffic" => {
            say(&format!("traffic {} {}", name.to_text(), number.to_text()));
        }
        payload => say(&format!("got {}", payload[0].to_text())),
    }
}

/// What a node has heard of the traffic, by sender.
#[derive(Debug, Default)]
pub struct Heard(BTreeMap<String, BTreeSet<u64>>);

impl Heard {
    pub fn hear(&mut self, from: &str, number: &str) {
        let number = number.parse().expect("a number");
        let is_new = self.0.entry(from.to_string()).or_default().insert(number);
        assert!(is_new, "message {number} of {from} came twice");
    }

    pub fn has(&self, from: &str, numbers: &Range<u64>) -> bool {
        let heard = self.0.get(from).map(|heard| heard.range(numbers.clone()).count() as u64);
        heard == Some(numbers.end - numbers.start)
    }

    pub fn latest(&self, from: &str) -> Option<u64> {
        self.0.get(from).and_then(|heard| heard.last().copied())
    }
}

pub fn start(nodes: &mut [Node]) {
    nodes.iter_mut().for_each(|node| node.tell("start"));
}

/// Ends the flow of each of these; how many messages it has sent in all.
pub fn stop(nodes: &mut [Node]) -> Vec<u64> {
    let asked = |node: &mut Node| node.ask("stop", "sent").parse().expect("a number");
    nodes.iter_mut().map(asked).collect()
}

/// Each of these nodes sends so many messages, and gets those of all the others.
pub fn exchange(nodes: &mut [Node], count: u64, bytes: usize) {
    nodes.iter_mut().for_each(|node| node.tell(&format!("burst {count} {bytes}")));
    let ends = nodes.iter_mut().map(|node| node.hear("sent").parse().expect("a number"));
    let numbers: Vec<Range<u64>> = ends.map(|end: u64| end - count..end).collect();
    wait_heard(nodes, &numbers);
}

/// Waits until each of these nodes has the messages with these numbers of each of the others.
pub fn wait_heard(nodes: &mut [Node], numbers: &[Range<u64>]) {
    let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    for node in nodes {
        for (id, numbers) in ids.iter().zip(numbers) {
            let is_heard = |node: &Node| node.id == *id || node.heard.has(id, numbers);
            node.wait(&format!("{numbers:?} of {id}"), is_heard);
        }
    }
}
