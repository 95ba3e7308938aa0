//! Every promise, under every kind of fault.

use std::sync::Mutex;
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Faults, Network, Report, Topology, World};

use crate::seeds::{Outcome, for_each_seed, heals_for_good, seeds, the_seed};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// A connection that has died without a word is noticed within 25 s even if nobody writes, and
/// then replaced within 10 s.
const HEALED: Duration = Duration::from_secs(35);

/// A world of 20 to 50 nodes: each seed has its own topology, network and bounds.
fn world(seed: u64) -> World {
    let topologies = [
        Topology::Mesh,
        Topology::Random { links: 2 },
        Topology::Mesh,
        Topology::Line,
        Topology::Ring,
        Topology::Tree,
        Topology::Star,
    ];
    let networks = [
        Network::default(),
        Network { delay: MS(0)..=MS(2), jitter: MS(1), ..Network::default() },
        Network { delay: MS(20)..=MS(300), jitter: MS(100), ..Network::default() },
        Network { rate: 300_000, buffer: 32 * 1024, ..Network::default() },
    ];
    // Digits of the seed that nothing else looks at.
    let settings = match seed / 28 % 3 {
        0 => MeshSocket::builder()
            .max_frame(64 * 1024)
            .outbound(128 * 1024)
            .link_credit(32 * 1024)
            .queue(256 * 1024, 8)
            .max_handshaking(4)
            .seen_ids(200),
        _ => MeshSocket::builder(),
    };
    World::new(seed)
        .settings(&settings)
        .network(networks[(seed / 7) as usize % networks.len()].clone())
        .topology(topologies[seed as usize % topologies.len()])
        .nodes(20 + (seed % 31) as usize)
}

/// Programs that send now and then, now and then very much, to all, to their peers, to one.
fn chatter(world: &mut World, until: Duration) -> Outcome {
    let mut number = 0;
    while world.now() < until && !world.is_broken() {
        let pause = world.draw(1500);
        world.run_for(MS(pause));
        world.check()?;
        let node = world.some_node();
        let burst = if world.draw(10) == 0 { 15 } else { 1 };
        for _ in 0..burst {
            number += 1;
            let size = if world.draw(4) == 0 { 20_000 } else { 100 };
            let payload = format!("{number:>size$}", size = size);
            let sent = match world.draw(10) {
                0 => world.whisper(node, payload),
                1 => {
                    let other = world.some_node();
                    let id = world.id(other).expect("it runs");
                    world.send_to(node, &id, payload)
                }
                _ => world.send(node, payload),
            };
            sent.expect("the node runs");
        }
    }
    Ok(())
}

fn survive(seed: u64, total: &Mutex<Report>) -> Outcome {
    let mut world = world(seed);
    for node in 1..world.len() {
        // Node 0 never receives.
        world.set_pace(node, Some(Duration::ZERO));
    }
    world.run_for(S(3));
    let count = 1 + (seed / 84 % 3) as u32;
    world.plan_faults(&Faults::of_every_kind(count, S(30)));
    let end = world.now() + S(30);
    chatter(&mut world, end)?;
    world.run_for(world.clear_at().saturating_sub(world.now()));
    world.check()?;
    heals_for_good(&mut world, HEALED)?;
    let is_settled = world.settle(S(60));
    world.check_calm()?;
    if !is_settled {
        return Err("messages are still on their way after a minute".into());
    }
    add(&mut total.lock().expect("no panic yet"), &world.report());
    Ok(())
}

fn add(total: &mut Report, report: &Report) {
    total.broadcasts += report.broadcasts;
    total.deliveries += report.deliveries;
    total.events += report.events;
    total.full_queues += report.full_queues;
    for (sums, counts) in [(&mut total.losses, &report.losses), (&mut total.left, &report.left)] {
        for (why, count) in counts {
            match sums.iter_mut().find(|(known, _)| known == why) {
                Some((_, sum)) => *sum += count,
                None => sums.push((why.clone(), *count)),
            }
        }
    }
}

#[test]
fn every_promise_holds_under_every_fault() {
    let total = Mutex::new(Report::default());
    for_each_seed("every_promise_holds_under_every_fault", seeds(1000), |seed| {
        survive(seed, &total)
    });
    let total = total.into_inner().expect("no panic");
    println!(
        "{} broadcasts, {} deliveries, {} events, {} times a full queue\nlinks lost: {:?}\ncopies lost: {:?}",
        total.broadcasts,
        total.deliveries,
        total.events,
        total.full_queues,
        total.left,
        total.losses
    );
    if the_seed().is_some() {
        return;
    }
    // What was to be provoked was provoked.
    assert!(total.deliveries > 10 * total.broadcasts && total.lost_links() > 100);
    assert!(total.losses.len() >= 4, "of five ways to lose a copy: {:?}", total.losses);
    assert!(total.full_queues > 100, "applications were slow");
}

#[test]
fn a_seed_decides_everything() {
    let run = |seed| {
        let mut world = world(seed).faults(Faults::of_every_kind(2, S(10)));
        chatter(&mut world, S(15)).expect("all promises");
        let mut report = world.report();
        report.took = Duration::ZERO;
        (world.fingerprint(), report)
    };
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
