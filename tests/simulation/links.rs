//! However two nodes meet, one usable link joins them, and nothing is lost over it.

use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Network, Topology, World};

use crate::seeds::{Outcome, for_each_seed, seeds, settles};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

/// Two to five nodes that dial each other at the same moment, and send as soon as they are linked.
fn meet(seed: u64) -> Outcome {
    let delays = [MS(0)..=MS(1), MS(1)..=MS(50), MS(100)..=MS(400)];
    let delay = delays[(seed / 4) as usize % 3].clone();
    let network = Network { delay, ..Network::default() };
    let count = 2 + (seed % 4) as usize;
    let mut world = World::new(seed).network(network).topology(Topology::Full).nodes(count);
    for number in 0..50 {
        let pause = world.draw(60);
        world.run_for(MS(pause));
        let node = number % count;
        if !world.peers(node).is_empty() {
            world.send(node, format!("message {number}"))?;
        }
    }
    world.run_for(S(10));
    world.check_calm()?;
    world.check_lossless()?;
    world.rest_for(S(5))?;
    for node in 0..count {
        assert_eq!(world.peers(node).len(), count - 1, "node {node} is linked to all others");
    }
    Ok(())
}

#[test]
fn simultaneous_dials_end_with_exactly_one_usable_link() {
    for_each_seed("simultaneous_dials_end_with_exactly_one", seeds(1000), meet);
}

#[test]
fn connecting_again_changes_nothing() {
    for_each_seed("connecting_again_changes_nothing", seeds(100), |seed| {
        let mut world = World::new(seed).topology(Topology::Line).nodes(2);
        world.run_for(S(2));
        let joined = world.report().joined;
        world.connect(0, 1);
        world.connect(1, 0);
        world.run_for(S(10));
        assert_eq!(world.report().joined, joined);
        Ok(world.check_calm()?)
    });
}

/// Eight nodes that all dial each other, and have room for four links each.
#[test]
fn who_has_no_room_takes_nobody_in() {
    for_each_seed("who_has_no_room_takes_nobody_in", seeds(100), |seed| {
        let few = MeshSocket::builder().max_links(4).max_handshaking(2);
        let mut world = World::new(seed).settings(&few).topology(Topology::Full).nodes(8);
        world.run_for(S(90));
        let full = (0..8).filter(|&node| world.peers(node).len() == 4).count();
        assert!(full >= 4, "{full} of 8 nodes are full");
        world.send(0, "who is there?")?;
        settles(&mut world)?;
        // They may be in two parts: four that are full, and the rest.
        Ok(world.rest_for(S(10))?)
    });
}
