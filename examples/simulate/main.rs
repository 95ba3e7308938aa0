//! A mesh of simulated nodes, with the faults of your choice, and a report in numbers.
//!
//! ```text
//! cargo run --release --features sim --example simulate -- --nodes 200 --crashes 5 --partitions 1
//! ```
//!
//! You will see how far it is and how fast, then the report: coverage, hops, redundancy, time to full
//! coverage, bytes, losses, and what the simulator took. The same arguments give the same world. It fails if
//! a promise of the mesh was broken.
//!
//! ```text
//! healed      4.7s after all was sent and every fault was over
//! world       seed 1, 200 nodes, 10.0 peers each, 76.3s
//! broadcasts  100, 16180 deliveries
//! coverage    81.23 %, 73 broadcasts got to all
//! ```
//!
//! With `--curves FOLDER` it runs larger and larger worlds, prints a table, and draws what a broadcast costs
//! against the number of nodes.

mod arguments;
mod charts;
mod curves;
mod memory;
mod progress;

use std::error::Error;
use std::time::Duration;

use arguments::{Arguments, USAGE};
use progress::Progress;
use rs2p::sim::World;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The pause between two broadcasts of the warm-up.
const PAUSE: Duration = Duration::from_millis(500);

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let arguments = Arguments::parse(words.into_iter())?;
    match arguments.curves() {
        Some(folder) => curves::run(&arguments, &folder),
        None => report(&arguments),
    }
}

/// Runs one world, and prints what came of it.
fn report(arguments: &Arguments) -> Result<()> {
    let mut progress = Progress::new();
    let mut world = arguments.world(arguments.number("nodes", 100)? as usize)?;
    join(&mut world, arguments, &mut progress)?;
    let mut world = world.faults(arguments.faults()?);
    run(&mut world, arguments, &mut progress)?;
    match world.heals_within(Duration::from_secs(60)) {
        Some(after) => {
            println!("healed      {after:.1?} after all was sent and every fault was over")
        }
        None => println!("healed      not within a minute"),
    }
    let is_settled = world.settle(Duration::from_secs(60));
    println!("settled     {}", if is_settled { "all" } else { "not within a minute" });
    println!("{}", world.report());
    if let Some(bytes) = memory::peak() {
        let each = bytes as f64 / world.len() as f64 / 1e3;
        println!("memory      {:.0} MB at most, {each:.1} kB per node", bytes as f64 / 1e6);
    }
    world.check_calm()?;
    println!("promises    all kept");
    Ok(())
}

/// Gives the nodes time to find each other, before anything goes wrong.
fn join(world: &mut World, arguments: &Arguments, progress: &mut Progress) -> Result<()> {
    let seconds = arguments.number("join", 10)?;
    for second in 0..seconds {
        world.run_for(Duration::from_secs(1));
        progress.show("seconds to join", second + 1, seconds, world)?;
    }
    Ok(())
}

/// Sends the broadcasts of the warm-up.
fn warm_up(
    world: &mut World,
    arguments: &Arguments,
    count: u32,
    progress: &mut Progress,
) -> Result<()> {
    for number in 0..count {
        broadcast(world, arguments, &format!("warm-up {number}"))?;
        world.run_for(PAUSE);
        progress.show("broadcasts to warm up", number + 1, count, world)?;
    }
    Ok(())
}

/// Broadcasts from random nodes, evenly over the time, until all faults are over.
fn run(world: &mut World, arguments: &Arguments, progress: &mut Progress) -> Result<()> {
    let span = Duration::from_secs(arguments.number("seconds", 60)?.into());
    let count = arguments.number("broadcasts", 100)?;
    warm_up(world, arguments, arguments.number("warm-up", 0)?, progress)?;
    world.count_from_now();
    let end = world.now() + span;
    for sent in 0..count {
        if (0..world.len()).any(|node| world.is_up(node)) {
            broadcast(world, arguments, &sent.to_string())?;
        }
        world.run_for(span / count);
        progress.show("broadcasts", sent + 1, count, world)?;
    }
    let end = end.max(world.clear_at());
    world.run_for(end.saturating_sub(world.now()));
    Ok(())
}

/// Sends a text, made as long as it is to be, from one of the first nodes, or from any.
fn broadcast(world: &mut World, arguments: &Arguments, text: &str) -> Result<()> {
    let size = arguments.number("size", 100)? as usize;
    let node = match arguments.number("sources", 0)? {
        0 => world.some_node(),
        sources => world.draw(sources.into()) as usize,
    };
    Ok(world.send(node, format!("{text:>size$}"))?)
}
