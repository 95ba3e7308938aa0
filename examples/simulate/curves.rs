//! Worlds of growing size, what a broadcast costs in each, and the curves of that.

use std::path::Path;
use std::time::{Duration, Instant};

use rs2p::sim::Report;

use crate::arguments::Arguments;
use crate::charts::{Chart, Curve, Scale};
use crate::progress::Progress;
use crate::{Result, broadcast, join, memory, warm_up};

/// There is a world of each of these sizes, up to `--nodes`.
const SIZES: [usize; 7] = [100, 300, 1_000, 3_000, 10_000, 30_000, 100_000];
/// Broadcasts that are counted, and those that shape the tree before them.
const BROADCASTS: u32 = 20;
const WARM_UP: u32 = 20;
/// The longest time that broadcasts are waited for.
const PATIENCE: Duration = Duration::from_secs(60);
/// Points of a curve of coverage.
const POINTS: usize = 100;

const HEAD: &str = "\
| nodes | hops | to all, p50 | copies per delivery | bytes per node and broadcast | memory | events | simulated in |
|---|---|---|---|---|---|---|---|";

/// What broadcasts cost in one world.
struct Costs {
    report: Report,
    /// After how many milliseconds nodes got a broadcast: all nodes and broadcasts, in the order of their times.
    arrivals: Vec<f64>,
    /// Bytes that the whole program had at the end.
    memory: Option<u64>,
    took: Duration,
}

/// Runs worlds of up to `--nodes` nodes, prints a table, and draws the curves into a folder.
pub fn run(arguments: &Arguments, folder: &Path) -> Result<()> {
    let most = arguments.number("nodes", 10_000)? as usize;
    if most < SIZES[0] {
        return Err(format!("--nodes {most}: the curves begin at {} nodes", SIZES[0]).into());
    }
    let mut all = Vec::new();
    println!("{HEAD}");
    for nodes in SIZES.into_iter().filter(|nodes| *nodes <= most) {
        let costs = measure(arguments, nodes)?;
        println!("{}", costs.row());
        all.push(costs);
    }
    std::fs::create_dir_all(folder)?;
    draw(&all, folder)
}

fn measure(arguments: &Arguments, nodes: usize) -> Result<Costs> {
    let (begun, mut progress) = (Instant::now(), Progress::new());
    let mut world = arguments.world(nodes)?.without_accounts();
    join(&mut world, arguments, &mut progress)?;
    warm_up(&mut world, arguments, WARM_UP, &mut progress)?;
    world.count_from_now();
    for number in 0..BROADCASTS {
        broadcast(&mut world, arguments, &number.to_string())?;
        if !world.settle(PATIENCE) {
            return Err(format!("broadcast {number} was still on its way after a minute").into());
        }
        progress.show("broadcasts", number + 1, BROADCASTS, &world)?;
    }
    world.check()?;
    let numbers = WARM_UP as usize..(WARM_UP + BROADCASTS) as usize;
    let times = numbers.flat_map(|number| world.arrivals(number));
    let mut arrivals: Vec<f64> = times.map(|time| 1000.0 * time.as_secs_f64()).collect();
    arrivals.sort_by(f64::total_cmp);
    let (report, memory) = (world.report(), memory::resident());
    if report.complete < report.broadcasts {
        return Err(format!("not every broadcast got to all:\n{report}").into());
    }
    Ok(Costs { report, arrivals, memory, took: begun.elapsed() })
}

impl Costs {
    fn nodes(&self) -> f64 {
        self.report.nodes as f64
    }

    fn bytes(&self) -> f64 {
        self.report.bytes_per_node / self.report.broadcasts as f64
    }

    /// Returns the logarithm that a random graph of this size and degree follows.
    fn logarithm(&self) -> f64 {
        self.nodes().ln() / (self.report.degree - 1.0).ln()
    }

    /// Returns which part of the nodes has a broadcast after which time, in percent and milliseconds.
    fn coverage(&self) -> Vec<(f64, f64)> {
        let last = self.arrivals.len().saturating_sub(1);
        let point = |part: usize| {
            let at = last * part / POINTS;
            self.arrivals.get(at).map(|time| (*time, 100.0 * part as f64 / POINTS as f64))
        };
        (0..=POINTS).filter_map(point).collect()
    }

    fn row(&self) -> String {
        let Report { nodes, hops, redundancy, full_coverage_p50, events, .. } = &self.report;
        let (p50, bytes) = (full_coverage_p50.as_millis(), self.bytes());
        let megabytes = |bytes: u64| format!("{} MB", bytes / 1_000_000);
        let (memory, seconds) = (self.memory.map_or("?".into(), megabytes), self.took.as_secs());
        let events = *events as f64 / 1e6;
        format!(
            "| {nodes} | {hops:.2} | {p50} ms | {redundancy:.2} | {bytes:.0} | {memory} | {events:.1} M | {seconds} s |"
        )
    }
}

fn draw(all: &[Costs], folder: &Path) -> Result<()> {
    let against = |cost: fn(&Costs) -> f64| all.iter().map(|at| (at.nodes(), cost(at))).collect();
    let curve = |name: &str, cost| vec![Curve::dotted(name, against(cost))];
    let decades = all.iter().filter(|at| at.nodes().log10().fract() < 1e-9);
    let coverage = decades.map(|at| Curve::line(&at.report.nodes.to_string(), at.coverage()));
    let nodes = Scale::Logarithmic("nodes, on a logarithmic scale");
    Chart::new(
        "How a broadcast spreads",
        Scale::Linear("milliseconds after it was sent"),
        "% of the nodes have it",
    )
    .legend("nodes")
    .draw(&folder.join("coverage.svg"), &coverage.collect::<Vec<_>>())?;
    let mut hops = curve("hops to a node, on average", |at| at.report.hops);
    hops.push(Curve::line("log n / log(d − 1), d links each", against(Costs::logarithm)));
    Chart::new("Hops of a broadcast", nodes, "hops").draw(&folder.join("hops.svg"), &hops)?;
    let copies = curve("copies that arrive per delivery", |at| at.report.redundancy);
    Chart::new("Copies of a broadcast", nodes, "copies")
        .draw(&folder.join("copies.svg"), &copies)?;
    let bytes = curve("bytes that a node writes per broadcast", Costs::bytes);
    Chart::new("Bytes of a broadcast", nodes, "bytes").draw(&folder.join("bytes.svg"), &bytes)
}
