//! Every promise, under every kind of fault.

use std::sync::Mutex;
use std::time::Duration;

use rs2p::sim::{Faults, Network, Report, Topology, Violation, World};
use rs2p::{Builder, MeshSocket};

use crate::seeds::{
    Digits, Outcome, SETTLED, for_each_seed, heals_for_good, seeds, settles, the_seed,
};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// A connection that has died without a word is noticed within 25 s even if nobody writes, and
/// then replaced within 10 s.
const HEALED: Duration = Duration::from_secs(35);

/// What a seed decides before its world exists.
struct Plan {
    topology: Topology,
    has_small_queues: bool,
    has_few_links: bool,
    has_short_memory: bool,
    network: Network,
    /// How often each fault happens.
    faults: u32,
    nodes: usize,
}

impl Plan {
    fn new(seed: u64) -> Self {
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
        let mut digits = Digits(seed);
        Plan {
            topology: topologies[digits.next(topologies.len())],
            has_small_queues: digits.next(3) == 0,
            faults: 1 + digits.next(3) as u32,
            has_few_links: digits.next(2) == 0,
            has_short_memory: digits.next(4) == 0,
            network: networks[digits.next(networks.len())].clone(),
            nodes: 20 + (seed % 31) as usize,
        }
    }

    fn settings(&self) -> Builder {
        let mut settings = MeshSocket::builder().lazy_push(Some(512));
        if self.has_small_queues {
            settings = settings
                .max_frame(64 * 1024)
                .outbound(128 * 1024)
                .link_credit(32 * 1024)
                .queue_bytes(256 * 1024)
                .queue_messages(16);
        }
        if self.has_few_links {
            settings = settings.max_links(self.most_links()).max_handshaking(4);
        }
        if self.has_short_memory { settings.seen_ids(60) } else { settings }
    }

    /// Few, but enough for what the programs ask for.
    fn most_links(&self) -> usize {
        match self.topology {
            // Some are kept for the own dials of its centre.
            Topology::Star => self.nodes + self.nodes / 4,
            Topology::Line | Topology::Ring | Topology::Tree => 12,
            _ => 24,
        }
    }
}

/// A world of 20 to 50 nodes: each seed has its own topology, network and bounds.
fn world(seed: u64) -> World {
    let plan = Plan::new(seed);
    World::new(seed)
        .settings(&plan.settings())
        .network(plan.network)
        .topology(plan.topology)
        .nodes(plan.nodes)
}

/// Programs that send now and then, now and then very much, to all, to their peers, to one. What is
/// promised at all times is asked for all the time.
fn chatter(world: &mut World, until: Duration) -> Result<(), Violation> {
    let mut number = 0;
    while world.now() < until {
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
    let plan = Plan::new(seed);
    world.plan_faults(&Faults::of_every_kind(plan.faults, S(30)));
    let end = world.now() + S(30);
    chatter(&mut world, end)?;
    world.run_for(world.clear_at().saturating_sub(world.now()));
    world.check()?;
    heals_for_good(&mut world, HEALED)?;
    settles(&mut world)?;
    // By now every link that died has been noticed and replaced.
    let whole_at = world.clear_at() + HEALED + SETTLED;
    world.run_for(whole_at.saturating_sub(world.now()));
    world.rest_for(S(10))?;
    world.check_calm()?;
    add(&mut total.lock().expect("no panic yet"), &world.report());
    Ok(())
}

fn add(total: &mut Report, report: &Report) {
    total.broadcasts += report.broadcasts;
    total.deliveries += report.deliveries;
    total.events += report.events;
    total.given_up += report.given_up;
    total.full_queues += report.full_queues;
    total.dropped += report.dropped;
    for (sums, counts) in [
        (&mut total.losses, &report.losses),
        (&mut total.refusals, &report.refusals),
        (&mut total.left, &report.left),
    ] {
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
        "{} broadcasts, {} deliveries, {} events\nlinks lost: {:?}\ncopies lost: {:?}\n\
         turned down: {:?}\n{} given up, {} waits for a full queue, {} dropped by one",
        total.broadcasts,
        total.deliveries,
        total.events,
        total.left,
        total.losses,
        total.refusals,
        total.given_up,
        total.full_queues,
        total.dropped
    );
    if the_seed().is_some() {
        return;
    }
    // What was to be provoked was provoked.
    assert!(total.deliveries > 10 * total.broadcasts && total.lost_links() > 100);
    assert!(total.losses.len() >= 4, "of five ways to lose a copy: {:?}", total.losses);
    assert!(total.full_queues > 100 && total.dropped > 100, "applications that slept were felt");
    assert!(total.given_up > 0, "some messages found no way");
    assert!(!total.refusals.is_empty(), "some memories were too short");
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

#[test]
fn members_that_say_everything_again_and_lie_about_others_break_no_promise() {
    let test = "faults::members_that_say_everything_again_and_lie_about_others_break_no_promise";
    for_each_seed(test, seeds(10), |seed| {
        let topology = Topology::Random { links: 2 };
        let mut world = World::new(seed).topology(topology).nodes(20).byzantine(15..20);
        world.run_for(S(10));
        for number in 0..20 {
            let node = number % 15;
            world.send(node, format!("{number:>1000}")).expect("it runs");
            world.run_for(MS(100));
        }
        settles(&mut world)?;
        let report = world.report();
        assert_eq!(report.complete, 20, "{report}");
        assert!(report.redundancy > 2.0, "the copies came: {report}");
        Ok(())
    });
}

#[test]
fn members_that_withhold_what_they_should_pass_on_keep_no_message_from_the_others() {
    let test =
        "faults::members_that_withhold_what_they_should_pass_on_keep_no_message_from_the_others";
    for_each_seed(test, seeds(10), |seed| {
        // Forty nodes, of which eight take everything, say that they have it, and never give it.
        let mut world = World::new(seed).nodes(40).withholding(32..40);
        world.run_for(S(15));
        for number in 0..60 {
            let size = if number % 2 == 0 { 20 } else { 4000 };
            world.send(number % 32, format!("{number:>size$}")).expect("it runs");
            world.run_for(MS(100));
        }
        settles(&mut world)?;
        let heard = |world: &mut World, node| std::iter::from_fn(|| world.recv(node)).count();
        for node in 0..40 {
            let own = (0..60).filter(|number| number % 32 == node).count();
            assert_eq!(heard(&mut world, node), 60 - own, "seed {seed}, node {node}");
        }
        Ok(())
    });
}

#[test]
fn who_is_linked_to_nobody_but_a_member_that_withholds_hears_of_nothing() {
    let mut world = World::new(1).topology(Topology::Line).nodes(3).withholding(1..2);
    world.run_for(S(10));
    for size in [20, 4000] {
        world.send(0, format!("{size:>size$}")).expect("it runs");
    }
    world.run_for(S(10));
    let heard = [1, 2].map(|node| std::iter::from_fn(|| world.recv(node)).count());
    assert_eq!(heard, [2, 0]);
    world.check().expect("no promise is broken by the others");
}
