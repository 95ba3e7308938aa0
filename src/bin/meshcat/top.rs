//! A table of peers, rates, queues and losses.

use std::fmt::Write;
use std::io::{IsTerminal, stdout};
use std::time::Instant;

use rs2p::MeshSocket;
use rs2p::Stats;
use rs2p::crossbeam_channel::{Receiver, select};

use crate::failure::{Exit, Failure};
use crate::input::time_up;
use crate::output::say;

/// Moves to the top left corner and clears the screen.
const CLEAR: &str = "\x1b[H\x1b[2J";

pub fn run(
    sock: &MeshSocket,
    rounds: Option<u32>,
    interval: f64,
    interrupt: &Receiver<()>,
) -> Result<Exit, Failure> {
    let clear = if stdout().is_terminal() { CLEAR } else { "" };
    let (mut before, mut since) = (sock.stats(), Instant::now());
    // Messages are counted, not shown.
    let messages = sock.receiver();
    let mut left = rounds;
    while left != Some(0) {
        let over = time_up(Some(interval.max(0.1)));
        loop {
            select! {
                recv(messages) -> message => if message.is_err() { return Ok(Exit::Done) },
                recv(over) -> _ => break,
                recv(interrupt) -> _ => return Ok(Exit::Interrupted),
            }
        }
        let now = sock.stats();
        say(format_args!("{clear}{}", table(sock, &before, &now, since.elapsed().as_secs_f64())))?;
        (before, since) = (now, Instant::now());
        left = left.map(|left| left - 1);
    }
    Ok(Exit::Done)
}

fn table(sock: &MeshSocket, before: &Stats, now: &Stats, seconds: f64) -> String {
    let rate =
        |of: fn(&Stats) -> u64| of(now).saturating_sub(of(before)) as f64 / seconds.max(1e-3);
    let out = |stats: &Stats| stats.own_frames + stats.relay_frames + stats.control_frames;
    let new = now.received.saturating_sub(now.duplicates).max(1);
    let mut text = format!(
        "{} at {}: {}\n\
         in {:.0} frames/s, {:.0} B/s; out {:.0} frames/s, {:.0} B/s\n\
         {:.2} duplicates per frame; {} refused, {} dropped, {} missed, {} unsent\n\
         {:<10} {:<24} {:<9} {:>12}",
        sock.id(),
        sock.out_addr(),
        sock.status().to_string().replace('\n', "; "),
        rate(|stats| stats.received),
        rate(|stats| stats.bytes_in),
        rate(out),
        rate(|stats| stats.bytes_out),
        now.duplicates as f64 / new as f64,
        now.refused(),
        now.dropped,
        now.missed + now.missed_frames,
        now.unsent_frames,
        "peer",
        "address",
        "direction",
        "queued bytes",
    );
    for (id, peer) in sock.routing_table() {
        let direction = if peer.is_outgoing() { "out" } else { "in" };
        let id = crate::output::short(&id);
        // Writing to a string does not fail.
        let _ = write!(text, "\n{id:<10} {:<24} {direction:<9} {:>12}", peer.addr(), peer.queued());
    }
    text
}
