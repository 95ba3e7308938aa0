//! Links that were lost are replaced.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Faults, Topology, World};

use crate::seeds::{Outcome, for_each_seed, heals_for_good, seeds, settles, the_seed};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// After a partition, all is well again within this time.
const HEALED: Duration = Duration::from_secs(10);

/// A connection that has died without a word is noticed within this time, even if nobody writes.
const NOTICED: Duration = Duration::from_secs(25);

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
fn part_and_heal(seed: u64, tally: &Tally) -> Outcome {
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
    tally.apart.fetch_add(u64::from(!world.is_connected()), Relaxed);
    let healed = heals_for_good(&mut world, HEALED)?;
    tally.longest.fetch_max(healed.as_millis() as u64, Relaxed);
    settles(&mut world)?;
    is_heard_by_all(&mut world, "together again")?;
    // By now every link that died has been noticed and replaced.
    let whole_at = world.clear_at() + NOTICED + HEALED;
    world.run_for(whole_at.saturating_sub(world.now()));
    world.rest_for(S(10))?;
    Ok(world.check_calm()?)
}

/// What was seen in all worlds.
#[derive(Default)]
struct Tally {
    /// Worlds that were in parts when the network was well again.
    apart: AtomicU64,
    /// The longest healing, in milliseconds.
    longest: AtomicU64,
}

/// Whoever speaks now is heard by all.
fn is_heard_by_all(world: &mut World, words: &str) -> Outcome {
    let before = world.incomplete();
    let node = world.some_node();
    world.send(node, words)?;
    settles(world)?;
    assert_eq!(world.incomplete(), before, "all got what node {node} sent");
    Ok(())
}

#[test]
fn a_partition_heals_within_ten_seconds() {
    let (tally, count) = (Tally::default(), seeds(1000));
    for_each_seed("a_partition_heals_within_ten_seconds", count, |seed| {
        part_and_heal(seed, &tally)
    });
    let (apart, longest) = (tally.apart.into_inner(), tally.longest.into_inner());
    println!("{apart} of {count} meshes were in parts; the longest healing took {longest} ms");
    assert!(
        the_seed().is_some() || apart * 2 > count,
        "most meshes were in parts: {apart} of {count}"
    );
}

/// Ten of thirty nodes end, one every ten seconds, and never come back. A machine that is switched
/// off is missed only after some time; then more than one may be missing at once.
#[test]
fn who_is_left_finds_new_peers() {
    for_each_seed("who_is_left_finds_new_peers", seeds(200), |seed| {
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
        assert!(world.is_connected(), "{} parts are left of the mesh", world.components());
        is_heard_by_all(&mut world, "who is left?")
    });
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
        let healed = heals_for_good(&mut world, S(10));
        healed.map_err(|broken| format!("{broken}\n  gone for {gone_for:?}"))?;
        world.send(0, "here again")?;
        settles(&mut world)?;
        assert!(world.recv(1).is_some_and(|message| message.payload() == ["here again"]));
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
        heals_for_good(&mut world, NOTICED + HEALED)?;
        settles(&mut world)?;
        Ok(world.rest_for(S(10))?)
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
        heals_for_good(&mut world, HEALED)?;
        settles(&mut world)
    });
}
