//! A large mesh becomes a random graph by itself: the way through it is short, and no node has many links.

use std::collections::BTreeSet;
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Report, Topology, World};

use crate::seeds::{for_each_seed, is_long, seeds, settles};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// Broadcasts in a mesh that came about like this, after some time.
fn broadcasts(seed: u64, nodes: usize, topology: Topology, after: Duration) -> (World, Report) {
    let mut world = World::new(seed).without_accounts().topology(topology).nodes(nodes);
    world.run_for(after);
    assert!(world.is_connected(), "{} parts", world.components());
    world.count_from_now();
    for number in 0..20 {
        let node = world.some_node();
        world.send(node, format!("broadcast {number}")).expect("it runs");
        world.run_for(MS(100));
    }
    assert!(world.settle(S(30)));
    world.check().expect("all promises");
    world.check_lossless().expect("nothing is lost");
    let report = world.report();
    assert_eq!(report.complete, 20, "{report}");
    (world, report)
}

/// How many links each node has.
fn degrees(world: &World) -> Vec<usize> {
    (0..world.len()).map(|node| world.peers(node).len()).collect()
}

#[test]
fn a_mesh_that_found_itself_is_as_short_as_a_random_graph() {
    let sizes: &[usize] = if is_long() { &[1000, 5000, 10_000] } else { &[400] };
    for &nodes in sizes {
        let (_, random) = broadcasts(1, nodes, Topology::Random { links: 4 }, S(5));
        let (world, found) = broadcasts(1, nodes, Topology::Mesh, S(60));
        let degrees = degrees(&world);
        let mean = degrees.iter().sum::<usize>() as f64 / nodes as f64;
        let (least, most) =
            (degrees.iter().min().unwrap_or(&0), degrees.iter().max().unwrap_or(&0));
        println!(
            "{nodes} nodes: hops {:.2}, random {:.2}; to all {:.0?}, random {:.0?}; links {least} to {most}, mean {mean:.1}",
            found.hops, random.hops, found.full_coverage_p50, random.full_coverage_p50
        );
        assert!(found.hops <= random.hops * 1.15, "{} and {}", found.hops, random.hops);
        assert!(found.full_coverage_p50 <= random.full_coverage_p50.mul_f64(1.3));
        assert!(*least >= 3 && (*most as f64) <= 2.0 * mean, "{least} to {most}, mean {mean}");
    }
}

#[test]
fn no_node_of_a_small_mesh_has_twice_as_many_links_as_the_average() {
    for_each_seed("no_node_of_a_small_mesh_has_twice", seeds(30), |seed| {
        let nodes = 8 + 2 * (seed % 30) as usize;
        let mut world = World::new(seed).nodes(nodes);
        world.run_for(S(20));
        let degrees = degrees(&world);
        let mean = degrees.iter().sum::<usize>() as f64 / nodes as f64;
        let most = degrees.iter().max().copied().unwrap_or_default();
        assert!(most as f64 <= 2.0 * mean, "{nodes} nodes: {most} links, mean {mean:.1}");
        Ok(world.check_calm()?)
    });
}

/// Everything is sent while the nodes find each other and exchange their links.
#[test]
fn nothing_is_lost_or_doubled_while_links_are_exchanged() {
    for_each_seed("nothing_is_lost_or_doubled_while_links", seeds(30), |seed| {
        let mut world = World::new(seed)
            .settings(&MeshSocket::builder().lazy_push((seed % 2 == 0).then_some(512)))
            .nodes(40);
        world.run_for(S(2));
        for number in 0..300 {
            let node = world.some_node();
            let size = if number % 3 == 0 { 2000 } else { 20 };
            world.send(node, format!("{number:>size$}"))?;
            let pause = world.draw(100);
            world.run_for(MS(pause));
        }
        settles(&mut world)?;
        world.check_lossless()?;
        let exchanged: u64 = (0..40).filter_map(|n| world.stats(n)).map(|s| s.exchanged).sum();
        assert!(exchanged > 40, "{exchanged}");
        assert_eq!(world.report().complete, 300);
        Ok(())
    });
}

#[test]
fn exchanges_come_to_an_end() {
    for_each_seed("exchanges_come_to_an_end", seeds(4), |seed| {
        let mut world = World::new(seed).nodes(60);
        let exchanged = |world: &World| -> u64 {
            (0..60).filter_map(|node| world.stats(node)).map(|stats| stats.exchanged).sum()
        };
        world.run_for(S(60));
        let first = exchanged(&world);
        world.run_for(S(600));
        let before = exchanged(&world);
        world.run_for(S(300));
        let late = exchanged(&world) - before;
        println!("{first} links were exchanged in the first minute, {late} in five minutes later");
        assert!(late * 20 <= first, "{first}, then {late}");
        Ok(world.check_calm()?)
    });
}

/// With room for few links two halves could fill up before they meet.
#[test]
fn nodes_with_room_for_few_links_become_one_mesh() {
    for_each_seed("nodes_with_room_for_few_links", seeds(40), |seed| {
        let settings = MeshSocket::builder().max_links(16);
        let mut world = World::new(seed).settings(&settings).nodes(50);
        world.run_for(S(10));
        assert!(world.is_connected(), "{} parts", world.components());
        Ok(world.check_calm()?)
    });
}

/// Returns the honest nodes that this one reaches over honest nodes; the others begin with `first_liar`.
fn honest_reach(world: &World, first_liar: usize) -> usize {
    let (mut known, mut next) = (BTreeSet::from([0]), vec![0]);
    while let Some(node) = next.pop() {
        for peer in world.peers(node) {
            if peer < first_liar && known.insert(peer) {
                next.push(peer);
            }
        }
    }
    known.len()
}

/// A fifth of the nodes tells of nobody but each other, while others crash and come back.
#[test]
fn liars_that_tell_of_each_other_come_to_less_than_a_third_of_the_links_and_cut_nobody_off() {
    let test = "exchange::liars_that_tell_of_each_other_come_to_less_than_a_third_of_the_links_and_cut_nobody_off";
    for_each_seed(test, seeds(6), |seed| {
        const HONEST: usize = 40;
        let mut world = World::new(seed).nodes(50);
        world.run_for(S(20));
        world.turn_liars(HONEST..50);
        for _ in 0..6 {
            let node = world.draw(HONEST as u64) as usize;
            world.crash(node);
            world.run_for(S(10));
            world.restart(node);
            world.run_for(S(10));
        }
        // Whoever came last has met as many honest nodes by now as the others.
        world.run_for(S(60));
        let (mut links, mut honest_links, mut few) = (0, 0, 0);
        for node in 0..HONEST {
            let peers = world.peers(node);
            let honest = peers.iter().filter(|peer| **peer < HONEST).count();
            assert!(honest > 0, "node {node}: none of {} links is honest", peers.len());
            (links, honest_links) = (links + peers.len(), honest_links + honest);
            few += usize::from(honest < 2);
        }
        println!(
            "seed {seed}: {honest_links} of {links} links are honest; {few} nodes have one of them"
        );
        assert!(honest_links * 10 > links * 7, "{honest_links} of {links} links are honest");
        assert!(few <= 1, "{few} nodes have one honest link");
        assert_eq!(honest_reach(&world, HONEST), HONEST, "one mesh without the liars");
        Ok(world.check()?)
    });
}
