//! Attacks on one node of a small honest mesh, and what they cost the mesh. Loopback only: every dial to
//! another address is refused.
//!
//! Run it with `cargo run --release --features "compression-all native-tls" --example attack -- --long`.
//!
//! | option | what |
//! |---|---|
//! | `--short` | the attacks that CI runs, 2 s each |
//! | `--long` | all attacks, 10 s each |
//! | `--secs S` | how long each attack lasts |
//! | `--only TEXT` | the attacks whose kind or name contains the text |
//! | `--list` | their names |
//!
//! A node X is in a process of its own. Three honest nodes, A, B and C, are linked to X alone, and all four
//! send broadcasts. You will see a row of a Markdown table for each attack: how late the honest messages
//! came while it lasted, counted from when each was due; how many were lost, or came twice; what X used;
//! what X says about the attacker. The program fails if a row of `--short` breaks a promise that no busy
//! machine breaks.
//!
//! The features decide which attacks there are: bombs of bz2 and lzma need `compression-all`, attacks on
//! TLS need `native-tls`.

mod attacks;
mod forge;
mod link;
mod measure;
mod newcomers;
#[allow(dead_code)]
#[path = "../../tests/support/raw.rs"]
mod raw;
mod report;
mod run;
mod target;
mod traffic;
mod x;

use std::process::ExitCode;
use std::time::Duration;

use run::Timing;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("x") => {
            x::run(args.get(1).is_some_and(|word| word == "tls")).map(|()| ExitCode::SUCCESS)
        }
        Some(_) => attack(&args),
        None => Err("say which attacks: --short, --long, or --only TEXT".into()),
    }
}

/// What the command line asks for.
#[derive(Default)]
struct Options {
    is_short: bool,
    is_list: bool,
    secs: Option<u64>,
    only: Option<String>,
}

impl Options {
    /// Reads all words: one that is not known, or lacks its value, would otherwise start a run of hours.
    fn parse(args: &[String]) -> Result<Self, Failure> {
        let (mut options, mut words) = (Options::default(), args.iter());
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--short" => options.is_short = true,
                "--long" => {}
                "--list" => options.is_list = true,
                "--secs" => options.secs = Some(value()?.parse()?),
                "--only" => options.only = Some(value()?.clone()),
                _ => return Err(format!("{word} is not known; see the head of this file").into()),
            }
        }
        Ok(options)
    }

    fn wanted(&self) -> Vec<attacks::Attack> {
        let mut wanted = attacks::all();
        wanted.retain(|attack| !self.is_short || attack.is_short || self.only.is_some());
        if let Some(only) = &self.only {
            wanted.retain(|attack| attack.kind.contains(&**only) || attack.name.contains(only));
        }
        wanted
    }

    fn timing(&self) -> Timing {
        let secs = self.secs.unwrap_or(if self.is_short { 2 } else { 10 });
        Timing {
            quiet: Duration::from_secs(if self.is_short { 1 } else { 2 }),
            attack: Duration::from_secs(secs),
        }
    }
}

fn attack(args: &[String]) -> Result<ExitCode, Failure> {
    let options = Options::parse(args)?;
    let (wanted, timing) = (options.wanted(), options.timing());
    if options.is_list {
        wanted.iter().for_each(|attack| println!("{}: {}", attack.kind, attack.name));
        return Ok(ExitCode::SUCCESS);
    }
    if link::dial([127, 0, 0, 1].into(), ([192, 0, 2, 1], 9).into()).is_ok() {
        return Err("an address that is not on loopback was dialled".into());
    }
    let mut broken = Vec::new();
    println!("{}", report::HEAD);
    for attack in &wanted {
        let outcome = run::run(attack, timing)?;
        println!("{}", report::row(attack, &outcome));
        let hard = report::broken_promises(&outcome);
        broken.extend(hard.into_iter().map(|what| format!("{}: {what}", attack.name)));
    }
    println!("\n{} attacks", wanted.len());
    broken.iter().for_each(|what| eprintln!("broken: {what}"));
    Ok(if options.is_short && !broken.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
