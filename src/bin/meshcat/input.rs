//! What comes from outside the mesh: lines, Ctrl-C, and the time.

use std::io::{self, BufRead};
use std::thread;
use std::time::Duration;

use rs2p::crossbeam_channel::{Receiver, after, bounded, never};

use crate::failure::Failure;

/// Returns a channel that gets something on Ctrl-C.
pub fn interrupt() -> Result<Receiver<()>, Failure> {
    let (stop, stopped) = bounded(1);
    ctrlc::set_handler(move || _ = stop.try_send(()))?;
    Ok(stopped)
}

/// Returns the lines of the standard input. The channel disconnects at its end.
pub fn lines() -> Result<Receiver<String>, Failure> {
    let (sender, lines) = bounded(16);
    let read = move || {
        let input = io::stdin().lock().lines().map_while(Result::ok);
        for line in input {
            if sender.send(line).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("stdin".into()).spawn(read)?;
    Ok(lines)
}

/// Returns a channel that gets something after so many seconds, or never.
pub fn time_up(seconds: Option<f64>) -> Receiver<std::time::Instant> {
    seconds.map_or_else(never, |seconds| after(duration(seconds)))
}

/// Returns this many seconds; at most a year.
pub fn duration(seconds: f64) -> Duration {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
    Duration::try_from_secs_f64(seconds).unwrap_or(YEAR).min(YEAR)
}
