//! A mesh forms by itself, and delivers everything to everyone, once.

use std::collections::BTreeSet;
use std::time::Instant;

use rs2p::{MeshSocket, NodeId};

use super::support::*;

/// Waits until every node can reach every other one over links.
fn wait_connected(nodes: &[MeshSocket]) {
    let deadline = Instant::now() + PATIENCE;
    while !is_one_mesh(nodes) {
        assert!(Instant::now() < deadline, "still in pieces");
        // Any of them may be the next to get a link; the events of all would say no more.
        let _ = nodes[0].events().recv_timeout(std::time::Duration::from_millis(20));
    }
}

fn is_one_mesh(nodes: &[MeshSocket]) -> bool {
    let mut reached: BTreeSet<NodeId> = BTreeSet::from([nodes[0].id()]);
    let mut before = 0;
    while before < reached.len() {
        before = reached.len();
        let known = nodes.iter().filter(|node| reached.contains(&node.id()));
        let next: Vec<NodeId> = known.flat_map(|node| node.routing_table().into_keys()).collect();
        reached.extend(next);
    }
    nodes.iter().all(|node| reached.contains(&node.id()))
}

#[test]
fn eight_nodes_each_told_of_one_other_become_one_mesh_and_lose_nothing() {
    let nodes: Vec<MeshSocket> = (0..8).map(|_| bind()).collect();
    for pair in nodes.windows(2) {
        pair[1].connect(pair[0].local_addr()).expect("a link");
    }
    wait_connected(&nodes);
    let total = 10_000;
    std::thread::scope(|scope| {
        for (n, node) in nodes.iter().enumerate() {
            // Each sends every eighth message, in a pseudo-random order over the nodes.
            scope.spawn(move || {
                for message in (0..total).filter(|message| (message * 7919 + 13) % 8 == n) {
                    let sent = node.send(format!("{message}")).expect("sent");
                    assert!(sent.peers() > 0);
                }
            });
            scope.spawn(move || {
                let counts = recv_counted(node, total - total / 8);
                assert_eq!(counts.len(), total - total / 8, "each exactly once");
            });
        }
    });
    // What is still on its way can only be duplicates, and none of them is delivered.
    for node in &nodes {
        assert_eq!(node.stats().delivered as usize, total - total / 8);
        assert_eq!(node.stats().left, 0, "{}", node.status());
    }
    close_all(&nodes);
}

#[test]
fn nodes_find_others_through_the_one_they_know() {
    let hub = bind();
    let nodes: Vec<MeshSocket> = (0..4).map(|_| bind()).collect();
    nodes.iter().for_each(|node| connect(node, &hub));
    for node in &nodes {
        node.wait_for_peers(4, PATIENCE).expect("a full mesh: nobody has more than four to dial");
    }
    close_all(&nodes);
    close_all(&[hub]);
}

#[test]
fn a_mesh_outlives_the_node_that_held_it_together() {
    let hub = bind();
    let nodes: Vec<MeshSocket> = (0..4).map(|_| bind()).collect();
    nodes.iter().for_each(|node| connect(node, &hub));
    for node in &nodes {
        node.wait_for_peers(2, PATIENCE).expect("peers");
    }
    wait_connected(&nodes);
    hub.close().expect("closed");
    nodes.iter().for_each(|node| drop(wait_left(node, hub.id())));
    nodes[0].send("still here?").expect("sent");
    for node in &nodes[1..] {
        assert_eq!(recv_text(node), ["still here?"]);
    }
    close_all(&nodes);
}
