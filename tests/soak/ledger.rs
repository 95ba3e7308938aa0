//! Who has heard which broadcast, and how often.

use std::collections::HashMap;
use std::sync::Mutex;

use rs2p::{Message, NodeId};

use crate::{SOCKETS, THREADS};

const MARK: &str = "broadcast";

/// Of each node and each thread: how often each of its broadcasts came.
#[derive(Default)]
pub struct Ledger(Mutex<HashMap<NodeId, Vec<Vec<u8>>>>);

/// A broadcast of a thread.
pub fn text(thread: usize, number: u32) -> String {
    format!("{MARK} {thread} {number}")
}

impl Ledger {
    pub fn hear(&self, node: NodeId, message: &Message) {
        let text = message.payload().first().map(|packet| packet.to_text()).unwrap_or_default();
        let words: Vec<&str> = text.split(' ').collect();
        let [MARK, thread, number] = words[..] else { return };
        let (thread, number) = (thread.parse::<usize>(), number.parse::<usize>());
        let (thread, number) = (thread.expect("a thread"), number.expect("a number"));
        let mut all = self.0.lock().expect("no panic");
        let heard = &mut all.entry(node).or_insert_with(|| vec![Vec::new(); THREADS])[thread];
        if heard.len() <= number {
            heard.resize(number + 1, 0);
        }
        heard[number] = heard[number].saturating_add(1);
    }

    /// Returns how many broadcasts the node has not heard: those of the threads that use other sockets.
    pub fn missing(&self, node: NodeId, socket: usize, sent: &[Vec<u32>]) -> usize {
        let all = self.0.lock().expect("no panic");
        let heard = |thread: usize, number: u32| {
            let heard = all.get(&node).and_then(|heard| heard[thread].get(number as usize));
            heard.is_some_and(|times| *times > 0)
        };
        let others = sent.iter().enumerate().filter(|(thread, _)| thread % SOCKETS != socket);
        others.map(|(thread, sent)| sent.iter().filter(|n| !heard(thread, **n)).count()).sum()
    }

    /// Returns how many broadcasts came to a node more than once.
    pub fn doubled(&self) -> usize {
        let all = self.0.lock().expect("no panic");
        all.values().flatten().flatten().filter(|times| **times > 1).count()
    }
}
