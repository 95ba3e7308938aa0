//! A mesh of simulated nodes, with the faults of your choice, and a report in numbers.
//!
//! ```text
//! cargo run --release --features sim --example simulate -- --nodes 200 --crashes 5 --partitions 1
//! ```
//!
//! You will see a progress bar, then the report: coverage, hops, redundancy, time to full coverage,
//! bytes, losses, and how fast the simulator was. The same arguments give the same world. It fails if
//! a promise of the mesh was broken.
//!
//! ```text
//! healed      4.7s after all was sent and every fault was over
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
  --topology     mesh, random, line, ring, tree, star       mesh
  --degree       links that a node makes, mesh or random    4
  --broadcasts   sent by random nodes, evenly over the time 100
  --size         bytes of each                              100
  --sources      nodes that send; 0: any node               0
  --warm-up      broadcasts that are sent before those      0
  --lazy         from how many bytes on ids are announced; 0: never 512
  --seconds      virtual time                               60
  --delay        one way, at most, in milliseconds          50
  --rate         of each link, in kilobytes per second      10000

Faults, so many at random times:

  --churn        any: crashes, power cuts and resets, as many of each
  --crashes --power-cuts --resets --half-opens --partitions --freezes --slow-readers
  --skew         clocks are off by up to so many seconds";

type Arguments = BTreeMap<String, String>;
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help") {
        println!("{USAGE}");
        return Ok(());
    }
    let arguments = parse(words.into_iter())?;
    let seconds = number(&arguments, "seconds", 60)?;
    let mut world = world(&arguments)?;
    run(&mut world, &arguments, Duration::from_secs(seconds.into()))?;
    match world.heals_within(Duration::from_secs(60)) {
        Some(after) => {
            println!("healed      {after:.1?} after all was sent and every fault was over")
        }
        None => println!("healed      not within a minute"),
    }
    let is_settled = world.settle(Duration::from_secs(60));
    println!("settled     {}", if is_settled { "all" } else { "not within a minute" });
    println!("{}", world.report());
    world.check_calm()?;
    println!("promises    all kept");
    Ok(())
}

/// Reads `--name value`, any number of times.
fn parse(mut words: impl Iterator<Item = String>) -> Result<Arguments> {
    let mut arguments = Arguments::new();
    while let Some(word) = words.next() {
        let is_known = USAGE.split_whitespace().any(|known| known == word);
        let (Some(name), true) = (word.strip_prefix("--"), is_known) else {
            return Err(format!("{word}: not an argument; see --help").into());
        };
        let value = words.next().ok_or_else(|| format!("{word}: its number is missing"))?;
        arguments.insert(name.to_string(), value);
    }
    Ok(arguments)
}

fn number(arguments: &Arguments, name: &str, default: u32) -> Result<u32> {
    let Some(text) = arguments.get(name) else { return Ok(default) };
    text.parse().map_err(|_| format!("--{name} {text}: not a number, or too large").into())
}

fn world(arguments: &Arguments) -> Result<World> {
    let number = |name: &str, default| number(arguments, name, default);
    let (nodes, degree) = (number("nodes", 100)? as usize, number("degree", 4)? as usize);
    if nodes == 0 {
        return Err("--nodes 0: a mesh needs a node".into());
    }
    // Time to find each other, before anything goes wrong.
    let lazy = Some(number("lazy", 512)? as usize).filter(|&least| least > 0);
    let mut world = World::new(number("seed", 1)?.into())
        .settings(&MeshSocket::builder().max_outgoing(degree).lazy_push(lazy))
        .network(network(arguments)?)
        .topology(topology(arguments, degree)?)
        .nodes(nodes);
    world.run_for(Duration::from_secs(10));
    Ok(world.faults(faults(arguments)?))
}

fn network(arguments: &Arguments) -> Result<Network> {
    let delay = Duration::from_millis(number(arguments, "delay", 50)?.into());
    let rate = 1000 * u64::from(number(arguments, "rate", 10_000)?);
    Ok(Network { delay: delay / 50..=delay, rate, ..Network::default() })
}

fn topology(arguments: &Arguments, degree: usize) -> Result<Topology> {
    Ok(match arguments.get("topology").map_or("mesh", String::as_str) {
        "mesh" => Topology::Mesh,
        "random" => Topology::Random { links: degree },
        "line" => Topology::Line,
        "ring" => Topology::Ring,
        "tree" => Topology::Tree,
        "star" => Topology::Star,
        other => return Err(format!("--topology {other}: not a topology; see --help").into()),
    })
}

fn faults(arguments: &Arguments) -> Result<Faults> {
    let number = |name: &str, default| number(arguments, name, default);
    let churn = number("churn", 0)?;
    let more = |name: &str| number(name, 0).map(|count| churn.saturating_add(count));
    Ok(Faults {
        crashes: more("crashes")?,
        power_cuts: more("power-cuts")?,
        resets: more("resets")?,
        half_opens: number("half-opens", 0)?,
        partitions: number("partitions", 0)?,
        freezes: number("freezes", 0)?,
        slow_readers: number("slow-readers", 0)?,
        clock_skew: Duration::from_secs(number("skew", 0)?.into()),
        within: Duration::from_secs(number("seconds", 60)?.into()),
    })
}

/// Broadcasts from random nodes, evenly over the time, until all faults are over.
fn run(world: &mut World, arguments: &Arguments, span: Duration) -> Result<()> {
    let count = number(arguments, "broadcasts", 100)?;
    let size = number(arguments, "size", 100)? as usize;
    let sources = number(arguments, "sources", 0)? as usize;
    for sent in 0..number(arguments, "warm-up", 0)? {
        let node = some_node(world, sources);
        world.send(node, format!("warm-up {sent:>size$}"))?;
        world.run_for(Duration::from_millis(500));
    }
    world.count_from_now();
    let end = world.now() + span;
    for sent in 0..count {
        if (0..world.len()).any(|node| world.is_up(node)) {
            let node = some_node(world, sources);
            world.send(node, format!("{sent:>size$}"))?;
        }
        world.run_for(span / count);
        bar(sent + 1, count, world)?;
    }
    eprintln!();
    let end = end.max(world.clear_at());
    world.run_for(end.saturating_sub(world.now()));
    Ok(())
}

/// Returns one of the first `sources` nodes, or any node if that is 0.
fn some_node(world: &mut World, sources: usize) -> usize {
    if sources == 0 { world.some_node() } else { world.draw(sources as u64) as usize }
}

fn bar(done: u32, of: u32, world: &World) -> io::Result<()> {
    const WIDTH: usize = 40;
    let filled = WIDTH * done as usize / of as usize;
    let (bar, rest) = ("#".repeat(filled), " ".repeat(WIDTH - filled));
    let (now, parts) = (world.now().as_secs(), world.components());
    let mesh = if parts == 1 { "whole".to_string() } else { format!("in {parts} parts") };
    eprint!("\r[{bar}{rest}] {done}/{of} broadcasts, {now} s, the mesh is {mesh}   ");
    io::stderr().flush()
}
