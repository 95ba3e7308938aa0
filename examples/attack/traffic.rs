//! The honest messages: each says who sends it, its number, and when it was due.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rs2p::{MeshSocket, NodeId};

use crate::measure::pause;

const MARK: &str = "honest";
/// What attackers write when they speak in the name of another node.
pub const FORGED: &[u8] = b"forged";

/// When a node sends, and what.
#[derive(Clone, Copy, Debug, Default)]
pub struct Plan {
    /// Nanoseconds since the epoch.
    pub begins: u64,
    pub period: Duration,
    pub count: u32,
    /// Bytes of each message.
    pub size: usize,
}

/// A message that came.
#[derive(Clone, Debug)]
pub struct Heard {
    pub from: char,
    pub number: u32,
    pub micros_late: u64,
}

/// What a node has received.
#[derive(Clone, Debug, Default)]
pub struct Ear(Arc<Mutex<(Vec<Heard>, u64)>>);

pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Sends everything that is due, late where it has to wait. Returns the numbers of what was sent.
pub fn send_all(socket: &MeshSocket, name: char, plan: Plan) -> Vec<u32> {
    let filler = vec![7; plan.size];
    let period = u64::try_from(plan.period.as_nanos()).unwrap_or(u64::MAX);
    let send = |number: &u32| {
        let due = plan.begins + period * u64::from(*number);
        pause(Duration::from_nanos(due.saturating_sub(now())));
        let text = format!("{MARK} {name} {number} {due}").into_bytes();
        socket.send([text, filler.clone()]).is_ok()
    };
    (0..plan.count).filter(send).collect()
}

impl Ear {
    /// Receives until the socket closes. `honest` are the ids that nobody else may speak for.
    pub fn listen(&self, socket: &MeshSocket, honest: &[NodeId]) {
        while let Ok(message) = socket.recv() {
            let text =
                message.payload().first().map(|packet| packet.as_bytes()).unwrap_or_default();
            let Ok(mut heard) = self.0.lock() else { return };
            if text.starts_with(FORGED) && honest.contains(&message.sender()) {
                heard.1 += 1;
            }
            heard.0.extend(read(text));
        }
    }

    pub fn count(&self) -> usize {
        self.0.lock().map_or(0, |heard| heard.0.len())
    }

    /// Returns everything that came, and how many words came in the name of an honest node that did
    /// not say them.
    pub fn all(&self) -> (Vec<Heard>, u64) {
        self.0.lock().map(|heard| heard.clone()).unwrap_or_default()
    }
}

fn read(text: &[u8]) -> Option<Heard> {
    let text = std::str::from_utf8(text).ok()?;
    let words: Vec<&str> = text.split(' ').collect();
    let [MARK, from, number, due] = words[..] else { return None };
    let late = now().saturating_sub(due.parse().ok()?);
    Some(Heard {
        from: from.chars().next()?,
        number: number.parse().ok()?,
        micros_late: late / 1000,
    })
}
