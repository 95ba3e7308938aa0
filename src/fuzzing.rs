//! What `fuzz/` and `tests/fuzz.rs` run, for them alone. The feature `fuzzing` shows it; it is no part
//! of the public interface, and nothing here is kept stable.
//!
//! Each target takes any bytes, and panics where a promise is broken. Bytes of no use to it end it early.
#![allow(missing_docs, clippy::missing_panics_doc)]

mod bytes;
mod machine;
mod messages;
mod node;

use std::cell::Cell;

/// A function that takes any bytes.
pub type Target = fn(&[u8]);

pub const TARGETS: [(&str, Target); 7] = [
    ("frames", |data| run_out(bytes::frames(data))),
    ("headers", |data| run_out(bytes::headers(data))),
    ("unpacking", |data| run_out(bytes::unpacking(data))),
    ("bodies", |data| run_out(messages::bodies(data))),
    ("greetings", |data| run_out(messages::greetings(data))),
    ("machine", |data| run_out(machine::run(data))),
    ("node", |data| run_out(node::run(data))),
];

thread_local! {
    static EVENTS: Cell<u64> = const { Cell::new(0) };
}

/// Returns how many events of histories this thread has run.
pub fn events() -> u64 {
    EVENTS.get()
}

/// Counts an event of a history.
fn count_event() {
    EVENTS.set(EVENTS.get() + 1);
}

/// Runs the target of this name.
pub fn run(name: &str, data: &[u8]) {
    let (_, target) = TARGETS.iter().find(|(known, _)| *known == name).expect("a known target");
    target(data);
}

/// Bytes that end in the middle of a history are as good as any.
fn run_out(_: arbitrary::Result<()>) {}
