//! A mesh of simulated nodes, with whatever you want to go wrong, and what became of it in numbers.
//!
//! ```text
//! cargo run --release --features sim --example simulate -- --nodes 200 --crashes 5 --partitions 1
//! ```
//!
//! You will see a progress bar, then the report: coverage, hops, redundancy, time to full coverage,
//! bytes, losses, and how fast the simulator was. The same arguments give the same world:
//!
//! ```text
//! healed      4.7s after the last fault was over
//! world       seed 1, 200 nodes, 10.0 peers each, 76.3s
//! broadcasts  100, 16180 deliveries
//! coverage    81.23 %, 73 broadcasts got to all
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::io::{self, Write};
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Faults, Network, Topology, World};

const USAGE: &str = "\
simulate [--ARGUMENT NUMBER]...

  --seed         decides everything                         1
  --nodes        how many                                   100
  --degree       links that each node makes by itself       4
  --topology     mesh, random, line, ring, tree, star       mesh
  --broadcasts   sent by random nodes, evenly over the time 100
  --size         bytes of each                              100
  --seconds      virtual time                               60
  --delay        one way, at most, in milliseconds          50
  --rate         of each link, in kilobytes per second      10000

Faults, so many at random times:

  --churn        any: crashes, power cuts and resets, as many of each
  --crashes --power-cuts --resets --half-opens --partitions --freezes --slow-readers
  --skew         clocks are off by up to so many seconds";

type Arguments = BTreeMap<String, String>;

fn main() -> Result<(), Box<dyn Error>> {
    let Some(arguments) = parse(std::env::args().skip(1)) else {
        println!("{USAGE}");
        return Ok(());
    };
    let seconds = number(&arguments, "seconds", 60)?;
    let mut world = world(&arguments)?;
    run(&mut world, &arguments, Duration::from_secs(seconds))?;
    match world.heals_within(Duration::from_secs(60)) {
        Some(after) => println!("healed      {after:.1?} after the last fault was over"),
        None => println!("healed      not within a minute: {:?}", world.check_calm()),
    }
    if !world.settle(Duration::from_secs(60)) {
        println!("settled     not within a minute");
    }
    println!("{}", world.report());
    world.check()?;
    println!("promises    all kept");
    Ok(())
}

/// `--name value`, any number of them; `None` if that is not what it is.
fn parse(mut words: impl Iterator<Item = String>) -> Option<Arguments> {
    let mut arguments = Arguments::new();
    while let Some(word) = words.next() {
        if !word.starts_with("--") || !USAGE.split_whitespace().any(|known| known == word) {
            return None;
        }
        arguments.insert(word[2..].to_string(), words.next()?);
    }
    Some(arguments)
}

fn number(arguments: &Arguments, name: &str, default: u64) -> Result<u64, Box<dyn Error>> {
    let Some(text) = arguments.get(name) else { return Ok(default) };
    text.parse().map_err(|_| format!("--{name} {text}: not a number").into())
}

fn world(arguments: &Arguments) -> Result<World, Box<dyn Error>> {
    let number = |name: &str, default| number(arguments, name, default);
    let degree = number("degree", 4)? as usize;
    let delay = Duration::from_millis(number("delay", 50)?);
    let network = Network {
        delay: delay / 50..=delay,
        rate: 1000 * number("rate", 10_000)?,
        ..Network::default()
    };
    let topology = match arguments.get("topology").map_or("mesh", String::as_str) {
        "mesh" => Topology::Mesh,
        "random" => Topology::Random { links: degree },
        "line" => Topology::Line,
        "ring" => Topology::Ring,
        "tree" => Topology::Tree,
        "star" => Topology::Star,
        other => return Err(format!("--topology {other}: not a topology").into()),
    };
    let churn = number("churn", 0)? as u32;
    let fault = |name: &str, least: u32| number(name, 0).map(|count| count as u32 + least);
    let faults = Faults {
        crashes: fault("crashes", churn)?,
        power_cuts: fault("power-cuts", churn)?,
        resets: fault("resets", churn)?,
        half_opens: fault("half-opens", 0)?,
        partitions: fault("partitions", 0)?,
        freezes: fault("freezes", 0)?,
        slow_readers: fault("slow-readers", 0)?,
        clock_skew: Duration::from_secs(number("skew", 0)?),
        within: Duration::from_secs(number("seconds", 60)?),
    };
    let mut world = World::new(number("seed", 1)?)
        .settings(&MeshSocket::builder().max_outgoing(degree))
        .network(network)
        .topology(topology)
        .nodes(number("nodes", 100)? as usize);
    // Time to find each other, before anything goes wrong.
    world.run_for(Duration::from_secs(10));
    Ok(world.faults(faults))
}

fn run(world: &mut World, arguments: &Arguments, span: Duration) -> Result<(), Box<dyn Error>> {
    let count = number(arguments, "broadcasts", 100)?;
    let size = number(arguments, "size", 100)? as usize;
    let pause = span / u32::try_from(count.max(1))?;
    for sent in 0..count {
        let node = world.some_node();
        world.send(node, format!("{sent:>size$}"))?;
        world.run_for(pause);
        bar(sent + 1, count, world)?;
    }
    // What is still wrong has its time to end.
    world.run_for(world.clear_at().saturating_sub(world.now()));
    eprintln!();
    Ok(())
}

fn bar(done: u64, of: u64, world: &World) -> io::Result<()> {
    const WIDTH: u64 = 40;
    let filled = (done * WIDTH / of) as usize;
    let (bar, rest) = ("#".repeat(filled), " ".repeat(WIDTH as usize - filled));
    let (now, parts) = (world.now().as_secs(), world.components());
    let mesh = if parts == 1 { "whole".to_string() } else { format!("in {parts} parts") };
    eprint!("\r[{bar}{rest}] {done}/{of} broadcasts, {now} s, the mesh is {mesh}   ");
    io::stderr().flush()
}
