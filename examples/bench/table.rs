//! Each workload: which nodes it needs, its rounds, its table.

use std::time::Duration;

use serde_json::Value;

use crate::Failure;
use crate::driver::{Process, pause};
use crate::options::{Options, System};

const MESH: usize = 8;
const SPOKES: usize = 100;
/// Until all links of a mesh have settled.
const SETTLE: Duration = Duration::from_secs(1);

/// The figures of one run, and how much of what was sent came to everyone.
struct Run {
    figures: Vec<f64>,
    arrived: Option<f64>,
}

pub fn throughput(options: &Options, size: usize) -> Result<(), Failure> {
    rounds(options, &pair_figures(&format!("{size} B")), |system| pair(options, system, size, 1))
}

pub fn threads(options: &Options, threads: usize) -> Result<(), Failure> {
    let systems = options.systems.iter().filter(|system| system.kind == "rs2p").cloned().collect();
    let options = &Options { systems, pin: options.pin.clone(), sizes: Vec::new(), ..*options };
    rounds(options, &pair_figures(&format!("64 B from {threads} threads")), |system| {
        pair(options, system, 64, threads)
    })
}

/// Returns the time on cores hardly depends on what else runs on a machine.
fn pair_figures(what: &str) -> [String; 3] {
    let cpu = |end| format!("{what}, µs on a core per message, {end}");
    [format!("{what}, messages/s"), cpu("sender"), cpu("receiver")]
}

/// Measures one sender and one receiver.
fn pair(options: &Options, system: &System, size: usize, threads: usize) -> Result<Run, Failure> {
    let given = |pairs: &[(&'static str, String)]| {
        let common = [("size", size.to_string()), ("secs", options.secs.to_string())];
        common.into_iter().chain(pairs.iter().cloned()).collect::<Vec<_>>()
    };
    let receiver = Process::start(options, system, 0, "count", &given(&[]))?;
    let join = [("join", receiver.addr.clone()), ("threads", threads.to_string())];
    let mut sender = Process::start(options, system, 1, "blast", &given(&join))?;
    let before = (sender.cpu(), receiver.cpu());
    sender.go()?;
    let (sent, count) = (sender.result()?, receiver.result()?);
    let per_message = 1e6 / sent["sent"].as_f64().unwrap_or(f64::NAN);
    let mut run = rate(&sent, &[count])?;
    run.figures.push((sender.cpu() - before.0) * per_message);
    run.figures.push((receiver.cpu() - before.1) * per_message);
    Ok(run)
}

pub fn fanout(options: &Options, links: usize) -> Result<(), Failure> {
    let what = [format!("64 B to {links} links, deliveries/s"), "MiB of the sender".to_owned()];
    rounds(options, &what, |system| {
        let links = ("links", links.to_string());
        let secs = ("secs", options.secs.to_string());
        let mut hub = Process::start(options, system, 0, "blast", &[links.clone(), secs])?;
        let joined = [links, ("join", hub.addr.clone())];
        let spokes = Process::start(options, system, 1, "spokes", &joined)?;
        pause(SETTLE);
        hub.go()?;
        let sent = hub.result()?;
        let memory = hub.usage().map_or(f64::NAN, |(memory, _)| memory);
        let counts = spokes.result()?;
        let mut run = rate(&sent, counts.as_array().ok_or("not a list")?)?;
        run.figures.push(memory);
        Ok(run)
    })
}

/// Measures eight nodes, each linked to each; one of them sends as fast as it can.
pub fn mesh(options: &Options) -> Result<(), Failure> {
    let what = [format!("{MESH} nodes, 1 KiB, deliveries/s")];
    rounds(options, &what, |system| {
        let mut nodes: Vec<Process> = Vec::new();
        for place in 0..MESH {
            let join: Vec<&str> = nodes.iter().map(|node| &*node.addr).collect();
            let pairs = [
                ("join", join.join(",")),
                ("links", (MESH - 1).to_string()),
                ("size", 1024.to_string()),
                ("secs", options.secs.to_string()),
            ];
            let role = if place == 0 { "blast" } else { "count" };
            nodes.push(Process::start(options, system, place, role, &pairs)?);
        }
        pause(SETTLE);
        nodes[0].go()?;
        let sent = nodes[0].result()?;
        let counts: Result<Vec<Value>, Failure> = nodes[1..].iter().map(Process::result).collect();
        rate(&sent, &counts?)
    })
}

pub fn latency(options: &Options) -> Result<(), Failure> {
    let what = ["64 B round trip, p50 µs".to_owned(), "p99 µs".to_owned()];
    rounds(options, &what, |system| {
        let echo = Process::start(options, system, 0, "echo", &[])?;
        let pairs = [("join", echo.addr.clone()), ("secs", options.secs.to_string())];
        let mut ping = Process::start(options, system, 1, "ping", &pairs)?;
        ping.go()?;
        let result = ping.result()?;
        let of = |name: &str| result[name].as_f64().unwrap_or(f64::NAN);
        Ok(Run { figures: vec![of("p50"), of("p99")], arrived: None })
    })
}

/// Returns a node with many links on which nothing happens.
pub fn idle(options: &Options) -> Result<(), Failure> {
    let what = [format!("{SPOKES} idle links, MiB"), "% of a core".to_owned()];
    rounds(options, &what, |system| {
        let links = ("links", SPOKES.to_string());
        let hub = Process::start(options, system, 0, "hub", std::slice::from_ref(&links))?;
        let joined = [links, ("join", hub.addr.clone())];
        let _spokes = Process::start(options, system, 1, "spokes", &joined)?;
        pause(3 * SETTLE);
        let before = hub.usage().ok_or("this needs /proc")?;
        let time = Duration::from_secs(5);
        pause(time);
        let after = hub.usage().ok_or("the hub has ended")?;
        let share = 100.0 * (after.1 - before.1) / time.as_secs_f64();
        Ok(Run { figures: vec![after.0, share], arrived: None })
    })
}

/// Messages that all receivers got, by the time from the first one to the last one.
fn rate(sent: &Value, counts: &[Value]) -> Result<Run, Failure> {
    let of = |count: &Value, name: &str| {
        count[name].as_f64().ok_or_else(|| format!("{name} is missing: {count}"))
    };
    let all =
        |name: &str| counts.iter().map(|count| of(count, name)).collect::<Result<Vec<_>, _>>();
    let first = all("first")?.into_iter().fold(f64::INFINITY, f64::min);
    let last = all("last")?.into_iter().fold(0.0, f64::max);
    let timed: f64 = all("timed")?.iter().sum();
    let (received, wrong) = (all("received")?, all("wrong")?);
    if wrong.iter().sum::<f64>() > 0.0 {
        return Err(format!("some messages came twice, or damaged: {wrong:?}").into());
    }
    let due = of(sent, "sent")? * counts.len() as f64;
    let arrived = Some(received.iter().sum::<f64>() / due);
    Ok(Run { figures: vec![timed / ((last - first) / 1e6)], arrived })
}

/// Runs every system once in each round, and prints what came of it.
fn rounds(
    options: &Options,
    what: &[String],
    measure: impl Fn(&System) -> Result<Run, Failure>,
) -> Result<(), Failure> {
    let mut runs: Vec<Vec<Run>> = options.systems.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for (system, runs) in options.systems.iter().zip(&mut runs) {
            match measure(system) {
                Ok(run) => runs.push(run),
                Err(error) => eprintln!("{}, round {}: {error}", system.name, round + 1),
            }
        }
    }
    for (at, what) in what.iter().enumerate() {
        print_table(options, what, at, &runs);
    }
    Ok(())
}

fn print_table(options: &Options, what: &str, at: usize, runs: &[Vec<Run>]) {
    println!(
        "\n| {what} | minimum | median | maximum | / limit A | arrived |\n|---|---|---|---|---|---|"
    );
    let sorted: Vec<Vec<f64>> = runs.iter().map(|runs| figures(runs, at)).collect();
    let limit = options.systems.iter().position(|system| system.name == "limit");
    let limit = limit.and_then(|place| median(&sorted[place]));
    for ((system, sorted), runs) in options.systems.iter().zip(&sorted).zip(runs) {
        let (Some(low), Some(high), Some(middle)) = (sorted.first(), sorted.last(), median(sorted))
        else {
            continue;
        };
        let ratio = limit.map_or("-".to_owned(), |limit| format!("{:.2}", middle / limit));
        let arrived = runs.iter().filter_map(|run| run.arrived).reduce(f64::min);
        let arrived = arrived.map_or("-".to_owned(), |part| format!("{:.2} %", 100.0 * part));
        let name = &system.name;
        println!("| {name} | {low:.2} | {middle:.2} | {high:.2} | {ratio} | {arrived} |");
    }
}

fn figures(runs: &[Run], at: usize) -> Vec<f64> {
    let mut figures: Vec<f64> = runs.iter().map(|run| run.figures[at]).collect();
    figures.sort_by(f64::total_cmp);
    figures
}

fn median(sorted: &[f64]) -> Option<f64> {
    sorted.get(sorted.len() / 2).copied()
}
