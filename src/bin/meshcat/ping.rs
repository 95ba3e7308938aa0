//! Who answers, and how long it took.

use std::time::Instant;

use rs2p::crossbeam_channel::{Receiver, select};
use rs2p::{MeshSocket, SendOptions};

use crate::args::NodeArgs;
use crate::failure::{Exit, Failure};
use crate::input::time_up;
use crate::node::{PING, await_peer};
use crate::output::say;

/// Seconds to wait for answers, if nothing else was said.
const PATIENCE: f64 = 2.0;

pub fn run(
    sock: &MeshSocket,
    args: &NodeArgs,
    rounds: u32,
    interrupt: &Receiver<()>,
) -> Result<Exit, Failure> {
    await_peer(sock, args);
    let messages = sock.receiver();
    let mut answers = 0_u64;
    for round in 0..rounds {
        let begun = Instant::now();
        // The round makes each of them another message.
        let ping = sock.send_with(SendOptions::new().kind(PING), round.to_string())?;
        let over = time_up(Some(args.timeout.unwrap_or(PATIENCE)));
        loop {
            select! {
                recv(messages) -> message => {
                    let Ok(message) = message else { return Ok(Exit::Done) };
                    if message.in_reply_to() == Some(ping.id()) {
                        let took = begun.elapsed().as_secs_f64() * 1000.0;
                        say(format_args!("{} answers in {took:.2} ms", message.sender()))?;
                        answers += 1;
                    }
                }
                recv(over) -> _ => break,
                recv(interrupt) -> _ => return Ok(Exit::Interrupted),
            }
        }
    }
    Ok(if answers > 0 { Exit::Done } else { Exit::TimeUp })
}
