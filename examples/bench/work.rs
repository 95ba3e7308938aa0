//! What the nodes of each workload do.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crossbeam_channel::Receiver;
use serde_json::{Value, json};

use crate::Failure;
use crate::node::{self, Node, Step, Task};

/// How long a receiver waits for the first message.
const PATIENCE: Duration = Duration::from_secs(60);
/// Messages above this number are not told apart: it bounds the memory of a receiver.
const MAX_NUMBER: u64 = 1 << 30;

/// Plays one node's part, then keeps its links up until the process ends.
pub fn play(mut node: Box<dyn Node>, task: &Task, go: &Receiver<()>) -> Result<(), Failure> {
    let result = match &*task.workload {
        "blast" => go.recv().map_err(Failure::from).and_then(|()| blast(&mut *node, task))?,
        "ping" => go.recv().map_err(Failure::from).and_then(|()| ping(&mut *node, task))?,
        "count" => count(&mut *node, task)?,
        "echo" => echo(&mut *node),
        "hub" => Value::Null,
        other => return Err(format!("no node does {other}").into()),
    };
    println!("{result}");
    // Keeps up with the others, until its links or its input end.
    while node.serve(PATIENCE, &mut |_| Step::Continue).is_ok() {}
    let _ = go.recv();
    Ok(())
}

/// Runs many receivers in one process, each with a link of its own to the node that they join.
pub fn spokes(task: &Task, go: &Receiver<()>) -> Result<(), Failure> {
    let alone = task.of_one_link();
    let opened = (0..task.links).map(|_| Ok(node::open(&alone)?.0));
    let nodes: Vec<Box<dyn Node>> = opened.collect::<Result<_, Failure>>()?;
    println!("READY 127.0.0.1:0");
    let counts: Vec<Value> = std::thread::scope(|scope| {
        let each = |mut node: Box<dyn Node>| {
            let task = &alone;
            scope.spawn(move || {
                count(&mut *node, task).unwrap_or_else(|error| json!(error.to_string()))
            })
        };
        let counting: Vec<_> = nodes.into_iter().map(each).collect();
        counting.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    println!("{}", Value::Array(counts));
    // The process ends with its input.
    let _ = go.recv();
    Ok(())
}

/// A payload that does not compress; its first eight bytes are its number.
struct Payload(Vec<u8>);

impl Payload {
    fn new(size: usize) -> Self {
        let mut x = 0x9e37_79b9_7f4a_7c15_u64;
        let random = std::iter::repeat_with(|| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            x as u8
        });
        Payload(random.take(size.max(8)).collect())
    }

    fn numbered(&mut self, number: u64) -> &[u8] {
        self.0[..8].copy_from_slice(&number.to_le_bytes());
        &self.0
    }
}

fn number(payload: &[u8]) -> u64 {
    payload.first_chunk().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes))
}

fn blast(node: &mut dyn Node, task: &Task) -> Result<Value, Failure> {
    if task.threads == 1 {
        return Ok(json!({ "sent": send_on(node, task, 0, 1)? }));
    }
    let handles = (0..task.threads).map(|_| node.another()).collect::<Option<Vec<_>>>();
    let handles = handles.ok_or("this system has no handles for several threads")?;
    let step = handles.len() as u64;
    let sent: Vec<u64> = std::thread::scope(|scope| {
        let each = |(first, mut handle): (usize, Box<dyn Node>)| {
            scope.spawn(move || send_on(&mut *handle, task, first as u64, step).unwrap_or(0))
        };
        let sending: Vec<_> = handles.into_iter().enumerate().map(each).collect();
        sending.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    Ok(json!({ "sent": sent.iter().sum::<u64>() }))
}

/// Sends until the time is over. Returns how many.
fn send_on(node: &mut dyn Node, task: &Task, first: u64, step: u64) -> Result<u64, Failure> {
    let mut payload = Payload::new(task.size);
    let begun = Instant::now();
    let mut sent = 0;
    // The clock is not read for every small message.
    while sent % 16 != 0 && task.size <= 4096 || begun.elapsed().as_secs_f64() < task.secs {
        node.send(payload.numbered(first + sent * step))?;
        sent += 1;
    }
    node.flush()?;
    Ok(sent)
}

/// Counts distinct messages, from the first one until none comes any more.
fn count(node: &mut dyn Node, task: &Task) -> Result<Value, Failure> {
    let mut seen = Vec::<u64>::new();
    let (mut received, mut wrong) = (0_u64, 0_u64);
    let (mut first, mut last, mut timed) = (0, 0, 0);
    let begun = Instant::now();
    while received == 0 && begun.elapsed() < PATIENCE {
        node.serve(task.quiet, &mut |payload| {
            let number = number(payload).min(MAX_NUMBER);
            let (word, bit) = ((number / 64) as usize, 1 << (number % 64));
            if seen.len() <= word {
                seen.resize((word + 1).next_power_of_two(), 0);
            }
            wrong += u64::from(payload.len() != task.size.max(8) || seen[word] & bit != 0);
            seen[word] |= bit;
            received += 1;
            if received < 1024 || received % 32 == 0 || task.size > 4096 {
                (last, timed) = (micros(), received);
                first = if received == 1 { last } else { first };
            }
            Step::Continue
        })?;
    }
    Ok(
        json!({ "received": received, "wrong": wrong, "timed": timed, "first": first, "last": last }),
    )
}

/// Microseconds of a clock that all processes share.
fn micros() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros() as u64)
}

/// Sends every message back, one bit turned, so that it is another message.
fn echo(node: &mut dyn Node) -> Value {
    // Ends with its link.
    while node
        .serve(PATIENCE, &mut |payload| {
            let mut back = payload.to_vec();
            back[7] ^= 0x80;
            Step::Reply(back)
        })
        .is_ok()
    {}
    Value::Null
}

/// Sends the next message when the last one has come back.
fn ping(node: &mut dyn Node, task: &Task) -> Result<Value, Failure> {
    let mut payload = Payload::new(task.size);
    let (begun, mut sent_at, mut turn) = (Instant::now(), Instant::now(), 0);
    let mut times = Vec::new();
    node.send(payload.numbered(turn))?;
    node.flush()?;
    node.serve(PATIENCE, &mut |back| {
        if number(back) & !(1 << 63) != turn {
            return Step::Continue;
        }
        // The first ones warm up.
        if turn >= 100 {
            times.push(sent_at.elapsed().as_nanos() as u64);
        }
        turn += 1;
        if begun.elapsed().as_secs_f64() > task.secs {
            return Step::Stop;
        }
        sent_at = Instant::now();
        Step::Reply(payload.numbered(turn).to_vec())
    })?;
    times.sort_unstable();
    let at = |part: usize| times.get(times.len() * part / 100).map_or(0.0, |&ns| ns as f64 / 1e3);
    Ok(json!({ "turns": times.len(), "p50": at(50), "p99": at(99) }))
}
