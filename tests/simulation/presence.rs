//! Presence: who is in the mesh, how soon everybody knows, and what that costs at rest.

use std::collections::BTreeSet;
use std::time::Duration;

use rs2p::presence::Presence;
use rs2p::sim::{Topology, World};
use rs2p::{MeshSocket, NodeId};

use crate::seeds::is_long;

const S: fn(u64) -> Duration = Duration::from_secs;

fn world(seed: u64) -> World {
    let presence = Presence::new().name("a node").role("worker");
    World::new(seed).settings(&MeshSocket::builder().presence(presence))
}

/// The members that a node knows and that have announced themselves.
fn known(world: &World, node: usize) -> BTreeSet<NodeId> {
    let members = world.members(node).into_iter().filter(|member| member.has_presence);
    members.map(|member| member.id).collect()
}

/// How many nodes do not know exactly the others that run.
fn wrong(world: &World) -> usize {
    let up: Vec<usize> = (0..world.len()).filter(|&node| world.is_up(node)).collect();
    let ids: BTreeSet<NodeId> = up.iter().filter_map(|&node| world.id(node)).collect();
    let is_wrong = |node: &&usize| {
        let others = ids.iter().filter(|id| world.id(**node) != Some(**id));
        !known(world, **node).iter().eq(others)
    };
    up.iter().filter(is_wrong).count()
}

/// Lets time pass until all nodes know exactly who is there. Returns how long it took.
fn all_know(world: &mut World, within: Duration) -> Duration {
    let begun = world.now();
    loop {
        let (wrong, took) = (wrong(world), world.now() - begun);
        if wrong == 0 {
            break;
        }
        assert!(took < within, "{wrong} of {} nodes are wrong after {took:?}", world.len());
        world.run_for(Duration::from_millis(250));
    }
    world.check().expect("all promises");
    world.now() - begun
}

/// How many nodes.
fn size() -> usize {
    if is_long() { 1000 } else { 100 }
}

#[test]
fn a_tenth_of_the_nodes_crashes_and_all_others_know_within_fifteen_seconds() {
    let mut world = world(1).without_accounts().nodes(size());
    println!("all know all after {:?}", all_know(&mut world, S(40)));
    world.run_for(S(60));
    for node in 0..world.len() / 10 {
        world.crash(node * 10);
    }
    println!("all know who crashed after {:?}", all_know(&mut world, S(15)));
    // And nobody is missed who only lost its links.
    world.run_for(S(60));
    assert_eq!(wrong(&world), 0);
}

#[test]
fn a_node_that_joins_late_knows_all_and_is_known_to_all_within_five_seconds() {
    let mut world = world(2).nodes(30);
    all_know(&mut world, S(40));
    world.run_for(S(60));
    world = world.nodes(1);
    world.connect(30, 7);
    println!("known after {:?}", all_know(&mut world, S(5)));
}

#[test]
fn hosts_that_are_switched_off_are_gone_once_their_peers_notice() {
    let mut world = world(3).nodes(30);
    all_know(&mut world, S(40));
    world.run_for(S(60));
    (0..3).for_each(|node| world.power_off(node));
    println!("gone after {:?}", all_know(&mut world, S(60)));
}

#[test]
fn two_halves_that_meet_again_know_each_other() {
    let mut world = world(4).nodes(30);
    all_know(&mut world, S(40));
    let half: Vec<usize> = (0..15).collect();
    // Long enough that the halves have given each other up.
    world.partition(&half, S(300));
    world.run_for(S(299));
    assert!(known(&world, 0).len() < 29, "the other half is gone");
    world.run_for(S(1));
    println!("all again after {:?}", all_know(&mut world, S(60)));
}

#[test]
fn a_node_behind_a_line_that_breaks_is_gone_when_it_was_silent_too_long() {
    let mut world = world(5).topology(Topology::Line).nodes(5);
    all_know(&mut world, S(40));
    let last = world.id(4).expect("it runs");
    // Nobody who stays was linked to the last node.
    world.power_off(3);
    world.power_off(4);
    world.run_for(S(100));
    assert!(known(&world, 0).contains(&last), "nobody has lost it");
    world.run_for(S(100));
    assert!(!known(&world, 0).contains(&last));
}

#[test]
fn presence_costs_little_at_rest() {
    let rate = |mut world: World, span: u64| {
        world = world.without_accounts().nodes(size());
        world.run_for(S(120));
        world.count_from_now();
        world.run_for(S(span));
        world.report().bytes_per_node / span as f64
    };
    let span = if is_long() { 1800 } else { 400 };
    let (with, without) = (rate(world(6), span), rate(World::new(6), span));
    println!("{} nodes: {without:.0} bytes per node and second without, {with:.0} with", size());
    assert!(with < without + 3000.0, "{with} and {without}");
}
