//! `meshcat`: a peer for the command line. It sends what it reads, and prints what it receives.

mod args;
mod chat;
mod failure;
mod input;
mod json;
mod node;
mod output;
mod ping;
mod top;

use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use args::{Cli, Task};
use failure::{Exit, Failure};

fn main() -> ExitCode {
    let exit = run(&Cli::parse()).unwrap_or_else(|failure| {
        eprintln!("meshcat: {failure}");
        Exit::Failed
    });
    exit.into()
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    if let Some(Task::Completions { shell }) = cli.task {
        clap_complete::generate(shell, &mut Cli::command(), "meshcat", &mut std::io::stdout());
        return Ok(Exit::Done);
    }
    let interrupt = input::interrupt()?;
    let sock = node::start(&cli.node)?;
    let exit = match &cli.task {
        Some(Task::Ping { rounds }) => ping::run(&sock, &cli.node, *rounds, &interrupt),
        Some(Task::Top { rounds, interval }) => top::run(&sock, *rounds, *interval, &interrupt),
        _ if cli.json => json::run(&sock, cli, &interrupt),
        _ => chat::run(&sock, cli, &interrupt),
    };
    if cli.stats {
        eprintln!("{}", sock.stats());
    }
    let report = sock.close()?;
    if report.unsent_frames > 0 {
        return Err(Failure::Unsent(report.unsent_frames));
    }
    exit
}
