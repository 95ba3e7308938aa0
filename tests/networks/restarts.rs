//! Nodes that are killed, and started again at the same address.

use std::time::{Duration, Instant};

use crate::ignoring::tests;
use crate::mesh::{self, Mesh};
use crate::traffic;

tests![a_killed_node_that_starts_again_at_its_address_is_in_the_mesh_by_itself,];

/// Longer than it takes on a busy machine.
const MOST: Duration = Duration::from_secs(30);

fn a_killed_node_that_starts_again_at_its_address_is_in_the_mesh_by_itself() {
    // Somebody was told to connect to the first node, and nobody to the last one.
    for killed in [0, 7] {
        let mut mesh = Mesh::of(8);
        traffic::exchange(&mut mesh.nodes, 20, 0);
        let mut old = mesh.nodes.remove(killed);
        traffic::start(&mut mesh.nodes);
        old.kill();
        mesh.nodes.iter_mut().for_each(|node| node.wait_gone(&old.id));
        let begun = Instant::now();
        // It is told of nobody.
        let mut new = mesh::start(&mesh.hosts[killed]);
        new.wait("a peer", |node| !node.peers.is_empty());
        let back = begun.elapsed();
        println!("node {killed} is back after {back:?}");
        assert!(back < MOST, "{back:?}");
        let sent: Vec<_> = traffic::stop(&mut mesh.nodes).into_iter().map(|sent| 0..sent).collect();
        traffic::wait_heard(&mut mesh.nodes, &sent);
        mesh.nodes.push(new);
        traffic::exchange(&mut mesh.nodes, 20, 0);
        for node in &mut mesh.nodes {
            assert_eq!(
                node.ask("refused", "refused"),
                "0",
                "nothing of the new node is taken for something of the old one"
            );
        }
    }
}
