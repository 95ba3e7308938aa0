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

/// Returns the first word that this program does not know: a run without it could take hours.
fn unknown(args: &[String]) -> Option<&String> {
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--short" | "--long" | "--list" => {}
            "--secs" | "--only" => drop(words.next()),
            _ => return Some(word),
        }
    }
    None
}

fn attack(args: &[String]) -> Result<ExitCode, Failure> {
    if let Some(word) = unknown(args) {
        let known = "--short, --long, --secs S, --only TEXT and --list";
        return Err(format!("{word} is not known; there are {known}").into());
    }
    let has = |option: &str| args.iter().any(|arg| arg == option);
    let value = |option: &str| {
        args.iter().position(|arg| arg == option).and_then(|at| args.get(at.saturating_add(1)))
    };
    let is_short = has("--short");
    let secs = value("--secs").map_or(Ok(if is_short { 2 } else { 10 }), |text| text.parse())?;
    let timing = Timing {
        quiet: Duration::from_secs(if is_short { 1 } else { 2 }),
        attack: Duration::from_secs(secs),
    };
    let only = value("--only");
    let mut wanted = attacks::all();
    wanted.retain(|attack| !is_short || attack.is_short || only.is_some());
    wanted.retain(|attack| {
        only.is_none_or(|only| attack.kind.contains(only) || attack.name.contains(only))
    });
    if has("--list") {
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
    Ok(if is_short && !broken.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
