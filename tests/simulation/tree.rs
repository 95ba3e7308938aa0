//! Large messages: one copy for each node, over a tree that mends itself.

use std::sync::Mutex;
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Report, Topology, World};

use crate::seeds::{Outcome, for_each_seed, heals_for_good, is_long, seeds, settles};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

const KIB: usize = 1024;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Sources {
    One,
    Many,
}

/// What is sent among how many nodes.
struct Case {
    nodes: usize,
    sources: Sources,
    size: usize,
    /// The share of nodes that know no lazy push.
    plain: f64,
    lazy: Option<usize>,
}

const CASE: Case =
    Case { nodes: 200, sources: Sources::Many, size: KIB, plain: 0.0, lazy: Some(512) };

/// Sends broadcasts among nodes that are linked at random, eight links each, after some to warm up.
fn broadcasts(case: &Case) -> Report {
    world_of(case).report()
}

/// The same; the world after it.
fn world_of(case: &Case) -> World {
    let settings = MeshSocket::builder().lazy_push(case.lazy);
    let topology = Topology::Random { links: 4 };
    let world = World::new(1).without_accounts().settings(&settings).topology(topology);
    let mut world = world.plain_share(case.plain).nodes(case.nodes);
    world.run_for(S(5));
    assert!(world.is_connected());
    for number in 0..60 {
        if number == 40 {
            world.count_from_now();
        }
        let node = if case.sources == Sources::One { 0 } else { world.some_node() };
        world.send(node, format!("{number:>size$}", size = case.size)).expect("it runs");
        world.run_for(MS(300));
    }
    world.run_for(S(2));
    world.check().expect("all promises");
    world.check_lossless().expect("nothing is lost");
    let report = world.report();
    let expected = 20 * (case.nodes as u64 - 1);
    assert_eq!((report.complete, report.deliveries), (20, expected), "{report}");
    world
}

fn print(what: &str, report: &Report) {
    println!(
        "{what:<24} {:>5.2} copies, {:>5.2} hops, {:>2} at most, to all {:>4.0?} (p50) {:>4.0?} (p99), \
         {:>7.0} B per node",
        report.redundancy,
        report.hops,
        report.most_hops,
        report.full_coverage_p50,
        report.full_coverage_p99,
        report.bytes_per_node
    );
}

/// Sizes of mesh: a long run takes the large ones too.
fn sizes() -> &'static [usize] {
    if is_long() { &[200, 1000, 10_000] } else { &[200] }
}

#[test]
fn a_large_message_arrives_once_and_not_much_later_than_by_flooding() {
    for &nodes in sizes() {
        let flood = broadcasts(&Case { nodes, lazy: None, ..CASE });
        print(&format!("{nodes} nodes, flooding"), &flood);
        for (sources, copies, slower) in [(Sources::One, 1.10, 1.3), (Sources::Many, 1.45, 2.0)] {
            let report = broadcasts(&Case { nodes, sources, ..CASE });
            print(&format!("{nodes} nodes, {sources:?}"), &report);
            assert!(report.redundancy <= copies, "{sources:?}: {report}");
            let limit = flood.full_coverage_p50.mul_f64(slower);
            assert!(report.full_coverage_p50 <= limit, "{sources:?}: {limit:?}, {report}");
        }
    }
}

#[test]
fn ids_and_control_take_a_tenth_of_the_bytes_at_most() {
    let size = 16 * KIB;
    let report = broadcasts(&Case { size, ..CASE });
    let payload = (report.deliveries as usize * size) as f64;
    let written = report.bytes_per_node * report.nodes as f64;
    let copies = report.redundancy * payload;
    println!("{:.1} % of the payload is control", 100.0 * (written - copies) / payload);
    assert!(written - copies <= payload / 10.0, "{report}");
}

#[test]
fn nodes_that_know_no_announcements_are_sent_everything_and_cost_no_more_than_before() {
    let world = world_of(&Case { plain: 0.5, ..CASE });
    let half = world.report();
    print("half are plain", &half);
    // The links with a plain end, which are about three quarters, carry everything, and most of them both ways.
    let with_plain_end = |node: &usize| {
        let peers = world.peers(*node);
        peers.iter().filter(|peer| world.is_plain(*node) || world.is_plain(**peer)).count()
    };
    let ends: usize = (0..world.len()).map(|node| with_plain_end(&node)).sum();
    let least = ends as f64 / (world.len() - 1) as f64 - 1.0;
    println!("{least:.2} copies over the links with a plain end alone");
    // The tree among the other nodes costs a little more.
    assert!(half.redundancy <= least + 0.5, "{least}: {half}");
    let (all, flood) =
        (broadcasts(&Case { plain: 1.0, ..CASE }), broadcasts(&Case { lazy: None, ..CASE }));
    print("all are plain", &all);
    assert!((all.redundancy - flood.redundancy).abs() < 0.1, "{all}");
}

/// Some of the nodes end while a large message is on its way. Half of the meshes lose machines, which are
/// missed only after some time.
fn killed_in_the_middle(seed: u64, slowest: &Mutex<Duration>) -> Outcome {
    let nodes = if is_long() { 1000 } else { 100 };
    let share = 10 + 10 * (seed % 4) as usize;
    let topology = Topology::Random { links: 4 };
    let mut world = World::new(seed)
        .settings(&MeshSocket::builder().lazy_push(Some(512)))
        .topology(topology)
        .nodes(nodes);
    world.run_for(S(3));
    for number in 0..20 {
        let node = world.some_node();
        world.send(node, format!("{number:>1024}"))?;
        world.run_for(MS(200));
    }
    let origin = world.some_node();
    world.send(origin, format!("{:>1024}", "the one"))?;
    let pause = 5 + world.draw(60);
    world.run_for(MS(pause));
    for _ in 0..nodes * share / 100 {
        let node = world.some_node();
        match seed % 8 {
            _ if node == origin => {}
            0..4 => world.crash(node),
            _ => world.power_off(node),
        }
    }
    let begun = world.now();
    let has_all = |world: &World| {
        let got = world.holders(20);
        world.reachable(origin).iter().all(|node| got.contains(node))
    };
    let mut is_done = false;
    while !is_done && world.now() < begun + S(2) && !world.is_broken() {
        world.run_for(MS(50));
        is_done = has_all(&world);
    }
    world.check()?;
    assert!(is_done, "a node that is connected to {origin} does not have the message after 2 s");
    let took = world.now() - begun;
    let mut slowest = slowest.lock().expect("no panic");
    *slowest = took.max(*slowest);
    Ok(())
}

#[test]
fn survivors_get_a_message_whose_tree_breaks_under_it() {
    let (slowest, count) = (Mutex::new(S(0)), seeds(40));
    for_each_seed("survivors_get_a_message_whose_tree_breaks", count, |seed| {
        killed_in_the_middle(seed, &slowest)
    });
    println!(
        "the slowest took {:?} after the nodes ended",
        slowest.into_inner().expect("no panic")
    );
}

/// A line or a ring in which every second node is plain.
#[test]
fn a_chain_of_mixed_nodes_loses_nothing_and_duplicates_nothing() {
    for_each_seed("a_chain_of_mixed_nodes_loses_nothing", seeds(40), |seed| {
        let topology = if seed % 2 == 0 { Topology::Ring } else { Topology::Line };
        let mut world = World::new(seed)
            .settings(&MeshSocket::builder().lazy_push(Some(512)))
            .topology(topology)
            .plain_share(0.5)
            .nodes(12);
        world.run_for(S(3));
        for number in 0..40 {
            let node = world.some_node();
            world.send(node, format!("{number:>2000}"))?;
            world.run_for(MS(50));
        }
        settles(&mut world)?;
        world.check_lossless()?;
        assert_eq!(world.report().complete, 40);
        heals_for_good(&mut world, S(10))?;
        Ok(())
    });
}
