//! A line that says how far a world is, and how fast.

use std::io::{self, Write};
use std::time::{Duration, Instant};

use rs2p::sim::World;

use crate::memory;

const WIDTH: usize = 30;
/// In a larger world it takes too long to look into how many parts the mesh has fallen.
const SMALL: usize = 10_000;

/// What there was when the line was last written.
pub struct Progress {
    at: Instant,
    events: u64,
    now: Duration,
}

impl Progress {
    pub fn new() -> Self {
        Progress { at: Instant::now(), events: 0, now: Duration::ZERO }
    }

    /// Says that so many of something are done.
    pub fn show(&mut self, what: &str, done: u32, of: u32, world: &World) -> io::Result<()> {
        let filled = WIDTH * done as usize / of.max(1) as usize;
        let (bar, rest) = ("#".repeat(filled), " ".repeat(WIDTH - filled));
        let figures = self.figures(world);
        eprint!("\r[{bar}{rest}] {done}/{of} {what}, {figures}   ");
        if done == of {
            eprintln!();
        }
        io::stderr().flush()
    }

    /// Returns the virtual time, the figures per second since the last line, and the memory.
    fn figures(&mut self, world: &World) -> String {
        let (events, now) = (world.events(), world.now());
        let seconds = self.at.elapsed().as_secs_f64().max(f64::MIN_POSITIVE);
        let rate = (events - self.events) as f64 / seconds / 1e3;
        let speed = (now - self.now).as_secs_f64() / seconds;
        *self = Progress { at: Instant::now(), events, now };
        let mut text =
            format!("{} s: {rate:.0}k events and {speed:.2} s per second", now.as_secs());
        if let Some(bytes) = memory::resident() {
            text += &format!(", {:.1} kB per node", bytes as f64 / world.len() as f64 / 1e3);
        }
        if world.len() <= SMALL {
            text += &match world.components() {
                1 => ", the mesh is whole".to_string(),
                parts => format!(", the mesh is in {parts} parts"),
            };
        }
        text
    }
}
