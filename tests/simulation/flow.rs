//! Full speed: a healthy mesh loses nothing, and every queue stays within its bounds.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Network, Topology, Violation, World};

use crate::seeds::{Outcome, for_each_seed, heals_for_good, seeds, the_seed};

const S: fn(u64) -> Duration = Duration::from_secs;

/// Everybody sends as fast as it can, into queues that are too small for it, over links that are
/// too slow for it, to applications some of which are slow as well: they take `slow` for a message.
fn full_speed(
    seed: u64,
    topology: Topology,
    count: usize,
    slow: Duration,
) -> Result<World, Violation> {
    let settings = MeshSocket::builder()
        .max_frame(32 * 1024)
        .outbound(512 * 1024)
        .link_credit(16 * 1024)
        .queue_bytes(1 << 20)
        .queue_messages(32)
        .pace_window(if slow == BELOW_FLOOR { S(2) } else { S(10) });
    let network = Network { rate: 1_000_000, ..Network::default() };
    let mut world =
        World::new(seed).settings(&settings).network(network).topology(topology).nodes(count);
    for node in 0..count {
        let is_slow = world.draw(4) == 0;
        world.set_pace(node, Some(if is_slow { slow } else { Duration::ZERO }));
    }
    world.run_for(S(5));
    for number in 0..MESSAGES {
        for node in 0..count {
            let size = 1 + world.draw(30_000) as usize;
            let payload = format!("{node}.{number}.{number:>size$}");
            world.send(node, payload).expect("it runs");
        }
    }
    world.run_until(S(120), World::is_quiet);
    world.check_quiet()?;
    Ok(world)
}

/// What a slow program takes for a message: one that is waited for, and one that is left behind.
const ABOVE_FLOOR: Duration = Duration::from_millis(2);
const BELOW_FLOOR: Duration = Duration::from_millis(330);

/// What each node sends in all.
const MESSAGES: usize = 40;

fn lossless(seed: u64) -> Outcome {
    let shapes = [
        (Topology::Full, 2),
        (Topology::Full, 3),
        (Topology::Ring, 4 + (seed / 6 % 7) as usize),
        (Topology::Line, 3 + (seed / 6 % 8) as usize),
        (Topology::Tree, 4 + (seed / 6 % 7) as usize),
        (Topology::Star, 4 + (seed / 6 % 7) as usize),
    ];
    let (topology, count) = shapes[seed as usize % shapes.len()];
    let world = full_speed(seed, topology, count, ABOVE_FLOOR)?;
    world.check_calm()?;
    if let Err(error) = world.check_lossless() {
        return Err(format!("{error}\n{}", world.report()).into());
    }
    let report = world.report();
    assert_eq!(report.lost_links(), 0, "no link was lost:\n{report}");
    assert_eq!(report.complete, (MESSAGES * count) as u64, "all of it got to all:\n{report}");
    Ok(())
}

#[test]
fn at_full_speed_nothing_is_lost_and_nothing_stands_still() {
    for_each_seed("at_full_speed_nothing_is_lost", seeds(300), lossless);
}

/// A few nodes send three times as many messages as ids can be remembered. Each waits in `send`, whatever its part of
/// them is, before others would refuse its messages. What is on its way is little beside the ids: queues are short.
#[test]
fn senders_of_more_ids_than_fit_wait_and_nothing_is_refused() {
    const IDS: usize = 8000;
    for_each_seed("senders_of_more_ids_than_fit_wait", seeds(8), |seed| {
        let topology =
            [Topology::Star, Topology::Full, Topology::Line, Topology::Tree][seed as usize % 4];
        let count = 2 + (seed * 5 % 7) as usize;
        let settings = MeshSocket::builder()
            .seen_ids(IDS)
            .max_outgoing(0)
            .max_frame(32 * 1024)
            .outbound(64 * 1024)
            .link_credit(16 * 1024);
        let millis = Duration::from_millis(1);
        let network = Network {
            delay: millis..=millis,
            jitter: millis,
            buffer: 32 * 1024,
            rate: 3_000_000,
            ..Network::default()
        };
        let mut world =
            World::new(seed).settings(&settings).network(network).topology(topology).nodes(count);
        world.run_for(S(5));
        let begun = world.now();
        for number in 0..3 * IDS / count {
            for node in 0..count {
                world.send(node, format!("{node}.{number:>1000}")).expect("it runs");
            }
        }
        world.run_until(S(120), World::is_quiet);
        world.check_quiet()?;
        world.check_lossless()?;
        let took = world.now() - begun;
        assert!(took > S(13), "three quarters of {IDS} in 5 s: {took:?}");
        Ok(())
    });
}

/// Two nodes send each other many small messages at once, with little credit or much, to programs
/// that are slow.
fn burst(seed: u64) -> World {
    let credit = if seed.is_multiple_of(2) { 16 * 1024 } else { 1024 * 1024 };
    let settings = MeshSocket::builder()
        .max_links(1)
        .max_outgoing(0)
        .link_credit(credit)
        .queue_bytes(1 << 20)
        .queue_messages(16);
    let mut world = World::new(seed).settings(&settings).topology(Topology::Line).nodes(2);
    for node in 0..2 {
        let pace = Duration::from_micros(200 * world.draw(5));
        world.set_pace(node, Some(pace));
    }
    world.run_for(S(2));
    for number in 0..1500 {
        let size = 1 + world.draw(100) as usize;
        for node in 0..2 {
            world.send(node, format!("{node}.{number:>size$}")).expect("it runs");
        }
    }
    world
}

/// Sooner than any deadline would have a link look again by itself.
#[test]
fn a_burst_of_small_messages_gets_through_without_a_pause() {
    for_each_seed("a_burst_of_small_messages", seeds(100), |seed| {
        let mut world = burst(seed);
        world.run_until(S(8), World::is_quiet);
        world.check_quiet()?;
        Ok(world.check_lossless()?)
    });
}

#[test]
fn what_was_read_before_a_link_ends_is_delivered_or_counted() {
    for_each_seed("what_was_read_before_a_link_ends", seeds(100), |seed| {
        let mut world = burst(seed);
        let pause = world.draw(1000);
        world.run_for(Duration::from_millis(pause));
        if seed.is_multiple_of(2) {
            world.crash(0);
        } else {
            // The link is closed while the daemon's channel is full.
            world.set_pace(1, Some(Duration::from_millis(50)));
            world.freeze(0, S(30));
        }
        world.run_for(S(20));
        Ok(world.check()?)
    });
}

/// Where there are many ways round, all queues are full, and some programs take three messages a second,
/// some queues have to give: lost copies are counted, and the mesh gets over it.
#[test]
fn an_overloaded_mesh_counts_what_it_loses_and_is_whole_again() {
    let losers = AtomicU64::new(0);
    let count = seeds(100);
    for_each_seed("an_overloaded_mesh_counts_what_it_loses", count, |seed| {
        let topology = if seed % 2 == 0 { Topology::Full } else { Topology::Mesh };
        let nodes = 6 + (seed % 5) as usize;
        let mut world = full_speed(seed, topology, nodes, BELOW_FLOOR)?;
        heals_for_good(&mut world, S(10))?;
        let report = world.report();
        if report.complete < (MESSAGES * nodes) as u64 {
            let counted: u64 = report.losses.iter().map(|(_, count)| count).sum();
            assert!(counted + report.given_up > 0, "what is missing is counted:\n{report}");
            losers.fetch_add(1, Relaxed);
        }
        Ok(())
    });
    let losers = losers.into_inner();
    println!("{losers} of {count} meshes lost messages");
    if the_seed().is_none() {
        assert!(losers > count / 4, "too few meshes are overloaded: {losers} of {count}");
    }
}

/// One program takes three messages a second. It misses what has no room; all others get
/// everything, over whatever is between them and the publisher, and no link is lost.
#[test]
fn a_program_below_the_floor_is_left_behind_and_stays_linked() {
    for_each_seed("a_program_below_the_floor_is_left_behind", seeds(60), |seed| {
        let topology = [Topology::Star, Topology::Line, Topology::Tree][seed as usize % 3];
        let settings = MeshSocket::builder()
            .outbound(512 * 1024)
            .link_credit(16 * 1024)
            .queue_bytes(1 << 20)
            .queue_messages(32)
            .pace_window(S(2));
        let count = 4 + (seed / 3 % 4) as usize;
        let mut world = World::new(seed).settings(&settings).topology(topology).nodes(count);
        for node in 0..count {
            let pace = if node + 1 == count { 330 } else { 0 };
            world.set_pace(node, Some(Duration::from_millis(pace)));
        }
        world.run_for(S(5));
        for number in 0..600 {
            let size = 500 + world.draw(1000) as usize;
            world.send(0, format!("{number:>size$}")).expect("it runs");
        }
        world.run_until(S(120), World::is_quiet);
        world.check_quiet()?;
        world.check_calm()?;
        let report = world.report();
        let missed = |(why, _): &(String, u64)| why.contains("left behind");
        assert!(report.losses.iter().any(missed), "it misses some:\n{report}");
        assert_eq!(report.lost_links(), 0, "no link was lost:\n{report}");
        Ok(())
    });
}

/// One program takes nothing for some seconds, and goes on. What waits on its way meanwhile fits into
/// little more than its queue, so its sender goes on as soon as there is room again.
#[test]
fn a_pause_of_one_program_is_let_go_at_once() {
    for_each_seed("a_pause_of_one_program_is_let_go", seeds(20), |seed| {
        let settings = MeshSocket::builder().queue_bytes(1 << 20);
        let mut world = World::new(seed).settings(&settings).topology(Topology::Star).nodes(3);
        for node in 0..3 {
            world.set_pace(node, Some(Duration::from_millis(1)));
        }
        world.run_for(S(5));
        let size = 10 + world.draw(100) as usize;
        for number in 0..20_000 {
            world.send(0, format!("{number:>size$}")).expect("it runs");
        }
        // A program may pause for half as long as it has kept to the floor.
        world.run_for(Duration::from_millis(9500));
        world.set_pace(1, None);
        let pause = Duration::from_millis(4000 + world.draw(500));
        world.run_for(pause);
        let arrived = |world: &World| world.stats(2).expect("it runs").queued;
        let (before, begun) = (arrived(&world), world.now());
        world.set_pace(1, Some(Duration::from_millis(1)));
        assert!(before < 20_000, "the sender waits");
        let goes_on = world.run_until(S(2), |world| arrived(world) > before);
        let took = world.now() - begun;
        println!("seed {seed}: {before} before, goes on after {took:?}");
        assert!(goes_on && took < Duration::from_millis(200), "{took:?}");
        world.run_until(S(60), World::is_quiet);
        world.check_quiet()?;
        Ok(world.check_lossless()?)
    });
}
