//! Links that were lost are replaced.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Faults, Topology, World};

use crate::seeds::{Outcome, for_each_seed, heals_for_good, seeds, the_seed};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// After a partition, all is well again within this time.
const HEALED: Duration = Duration::from_secs(10);

const TOPOLOGIES: [Topology; 6] = [
    Topology::Mesh,
    Topology::Mesh,
    Topology::Random { links: 2 },
    Topology::Line,
    Topology::Ring,
    Topology::Tree,
];

/// Some of 20 to 50 nodes cannot reach the others for 1 to 40 s, some more than once, most of them
/// while they talk.
fn part_and_heal(seed: u64, found: &Found) -> Outcome {
    let topology = TOPOLOGIES[seed as usize % TOPOLOGIES.len()];
    let mut world = World::new(seed).topology(topology).nodes(20 + (seed % 31) as usize);
    world.run_for(S(3));
    let partitions = 1 + u32::from(seed.is_multiple_of(5));
    world.plan_faults(&Faults { partitions, ..Faults::within(S(10)) });
    let mut number = 0;
    while world.now() < world.clear_at() && !world.is_broken() {
        let pause = 100 + world.draw(2000);
        let left = world.clear_at() - world.now();
        world.run_for(MS(pause).min(left));
        if !seed.is_multiple_of(4) {
            number += 1;
            let node = world.some_node();
            world.send(node, format!("message {number}"))?;
        }
    }
    found.parted.fetch_add(u64::from(!world.is_calm()), Relaxed);
    let took = heals_for_good(&mut world, HEALED)?;
    found.longest_ms.fetch_max(took.as_millis() as u64, Relaxed);
    // Whoever speaks now is heard by all.
    assert!(world.settle(S(10)));
    let before = world.incomplete();
    let node = world.some_node();
    world.send(node, "together again")?;
    assert!(world.settle(S(10)));
    assert_eq!(world.incomplete(), before, "the mesh is whole");
    Ok(world.check_calm()?)
}

/// What partitions did to the meshes of all seeds.
#[derive(Default)]
struct Found {
    /// Meshes that were not whole when the network was.
    parted: AtomicU64,
    /// The longest time that one took to be whole again.
    longest_ms: AtomicU64,
}

#[test]
fn a_partition_heals_within_ten_seconds() {
    let (found, count) = (Found::default(), seeds(1000));
    for_each_seed("a_partition_heals_within_ten_seconds", count, |seed| {
        part_and_heal(seed, &found)
    });
    let (parted, longest) = (found.parted.into_inner(), found.longest_ms.into_inner());
    println!(
        "{parted} of {count} meshes had fallen apart, and were whole again after {longest} ms"
    );
    assert!(the_seed().is_some() || parted * 3 > count, "most partitions are felt");
}

/// Ten of thirty nodes end, one every ten seconds, and never come back. A machine that is switched
/// off is missed only after some time; then more than one may be missing at once.
#[test]
fn who_is_left_finds_new_peers() {
    let splits = [AtomicU64::new(0), AtomicU64::new(0)];
    let count = seeds(200);
    for_each_seed("who_is_left_finds_new_peers", count, |seed| {
        let mut world = World::new(seed).nodes(30);
        world.run_for(S(10));
        for _ in 0..10 {
            let node = world.some_node();
            if seed % 2 == 0 {
                world.crash(node)
            } else {
                world.power_off(node)
            }
            world.run_for(S(10));
        }
        world.run_for(S(60));
        for node in (0..30).filter(|&node| world.is_up(node)) {
            let peers = world.peers(node).len();
            assert!(peers >= 4, "node {node} has {peers} peers: wanted are 4");
        }
        if !world.is_connected() {
            splits[(seed % 2) as usize].fetch_add(1, Relaxed);
        }
        Ok(world.check()?)
    });
    let [crashes, power_cuts] = splits.map(AtomicU64::into_inner);
    println!("of {} meshes fell apart when ten of thirty nodes ended:", count / 2);
    println!(
        "{crashes} where the processes ended, {power_cuts} where the machines were switched off"
    );
    assert!(crashes * 100 <= count / 2 && power_cuts * 25 <= count / 2);
}

#[test]
fn what_a_program_connects_to_is_dialled_until_it_is_there() {
    for_each_seed("what_a_program_connects_to_is_dialled", seeds(100), |seed| {
        let mut world = World::new(seed).topology(Topology::Line).nodes(2);
        world.run_for(S(5));
        let gone_for = S(1 + world.draw(3600));
        if seed % 2 == 0 {
            world.crash(0)
        } else {
            world.power_off(0)
        }
        world.run_for(gone_for);
        world.restart(0);
        heals_for_good(&mut world, S(10)).map_err(|broken| format!("{broken}\n  {gone_for:?}"))?;
        world.send(0, "back again")?;
        assert!(world.settle(S(5)));
        assert!(world.recv(1).is_some_and(|message| message.payload() == ["back again"]));
        Ok(())
    });
}

#[test]
fn a_link_that_died_without_a_word_is_replaced() {
    for_each_seed("a_link_that_died_without_a_word_is_replaced", seeds(200), |seed| {
        let mut world = World::new(seed).topology(Topology::Tree).nodes(10);
        world.run_for(S(5));
        world.plan_faults(&Faults { half_opens: 2, ..Faults::within(S(5)) });
        world.run_for(S(5));
        if seed % 2 == 0 {
            world.send(0, "is anybody there?")?;
        }
        // Noticed when TCP gives up what is not acknowledged, or else by its keep-alive.
        heals_for_good(&mut world, S(35)).map(|_| ())
    });
}

#[test]
fn a_stopped_process_is_back_by_itself() {
    for_each_seed("a_stopped_process_is_back_by_itself", seeds(100), |seed| {
        let small = MeshSocket::builder().max_frame(64 * 1024).outbound(256 * 1024);
        let mut world = World::new(seed).settings(&small).nodes(8);
        for node in 0..8 {
            world.set_pace(node, Some(Duration::ZERO));
        }
        world.run_for(S(5));
        world.freeze(3, S(30));
        for number in 0..300 {
            let node = [0, 1, 2, 4, 5, 6, 7][number % 7];
            world.send(node, format!("{number:>10000}"))?;
            world.run_for(MS(100));
        }
        world.run_for(world.clear_at().saturating_sub(world.now()));
        heals_for_good(&mut world, HEALED).map(|_| ())
    });
}
