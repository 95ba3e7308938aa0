//! Lines in, messages out: for people and for pipes.

use rs2p::crossbeam_channel::{Receiver, never, select};
use rs2p::{MeshEvent, MeshSocket, SendOptions};

use crate::args::Cli;
use crate::failure::{Exit, Failure};
use crate::input::{lines, time_up};
use crate::node::await_peer;
use crate::output::{say, short, text_of};

pub fn run(sock: &MeshSocket, cli: &Cli, interrupt: &Receiver<()>) -> Result<Exit, Failure> {
    let topic = cli.topic.as_deref().map(|topic| sock.subscribe(topic)).transpose()?;
    let messages = topic.as_ref().map_or_else(|| sock.receiver(), |topic| topic.receiver());
    let events = if cli.peers { sock.events() } else { never() };
    let (mut input, over) = (lines()?, time_up(cli.node.timeout.filter(|_| cli.count.is_some())));
    eprintln!("listening on {}", sock.out_addr());
    let mut left = cli.count;
    loop {
        if left == Some(0) {
            return Ok(Exit::Done);
        }
        select! {
            recv(messages) -> message => {
                let Ok(message) = message else { return Ok(Exit::Done) };
                say(format_args!("{}: {}", short(&message.sender()), text_of(&message)))?;
                left = left.map(|left| left - 1);
            }
            recv(events) -> event => if let Ok(event) = event { tell(&event)?; },
            recv(input) -> line => match line {
                Ok(line) => send(sock, cli, &line)?,
                Err(_) if left.is_some() => input = never(),
                Err(_) => return Ok(Exit::Done),
            },
            recv(over) -> _ => return Ok(Exit::TimeUp),
            recv(interrupt) -> _ => return Ok(Exit::Interrupted),
        }
    }
}

fn send(sock: &MeshSocket, cli: &Cli, line: &str) -> Result<(), Failure> {
    let options = SendOptions::new();
    let options = cli.topic.as_deref().map_or(options.clone(), |topic| options.kind(topic));
    await_peer(sock, &cli.node);
    let sent = sock.send_with(options, line)?;
    if sent.peers() == 0 {
        eprintln!("nobody is linked; the line was sent to nobody");
    }
    Ok(())
}

fn tell(event: &MeshEvent) -> Result<(), Failure> {
    match event {
        MeshEvent::Joined { id, addr, .. } => {
            say(format_args!("* {} at {addr} joined", short(id)))?
        }
        MeshEvent::Left { id, cause, .. } => say(format_args!("* {} left: {cause}", short(id)))?,
        _ => {}
    }
    Ok(())
}
