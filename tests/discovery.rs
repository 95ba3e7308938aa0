//! Nodes find each other without an address: on the loopback interface, where beacons stay.

use std::time::Duration;

use rs2p::discovery::Discovery;
use rs2p::{Encryption, MeshSocket, Protocol};

mod support;
use support::{PATIENCE, close_all, wait_until};

fn bind(subnet: &str) -> MeshSocket {
    let protocol = Protocol::new(subnet, Encryption::Plaintext);
    let builder = MeshSocket::builder().protocol(protocol).discover(Discovery::new());
    builder.bind(("127.0.0.1", 0)).expect("a free port")
}

/// A name that no other run of this test uses.
fn fresh(name: &str) -> String {
    format!("{name} {}", std::process::id())
}

#[test]
fn three_nodes_that_know_no_address_are_one_mesh_and_leave_another_mesh_alone() {
    let stranger = bind(&fresh("another mesh"));
    let nodes: Vec<MeshSocket> = (0..3).map(|_| bind(&fresh("a mesh"))).collect();
    for node in &nodes {
        node.wait_for_peers(1, PATIENCE).expect("somebody");
    }
    wait_until("all are linked with all", || {
        nodes.iter().all(|node| node.routing_table().len() == 2)
    });
    nodes[0].send("is anybody there?").expect("sent");
    for node in &nodes[1..] {
        assert_eq!(node.recv_timeout(PATIENCE).expect("it")[1], b"is anybody there?");
    }
    assert!(stranger.routing_table().is_empty());
    assert!(nodes.iter().all(|node| node.status().is_nominal()), "{}", nodes[0].status());
    close_all(&nodes);
    close_all(&[stranger]);
}

#[test]
fn a_node_that_comes_late_is_found_though_nobody_has_room_to_dial() {
    let subnet = fresh("a quiet mesh");
    let quiet = || {
        let protocol = Protocol::new(subnet.as_str(), Encryption::Plaintext);
        let builder = MeshSocket::builder().protocol(protocol).discover(Discovery::new());
        builder.max_outgoing(0).bind(("127.0.0.1", 0)).expect("a free port")
    };
    let first = quiet();
    let late = bind(&subnet);
    late.wait_for_peers(1, PATIENCE).expect("the first one");
    assert!(late.peer(&first.id()).is_some());
    close_all(&[first, late]);
}

#[test]
fn closing_does_not_wait_for_the_next_beacon() {
    let node = bind(&fresh("a mesh that closes"));
    let report = node.close().expect("closed");
    assert_eq!(report.left_behind, Vec::<String>::new());
    assert!(node.wait_for_peers(1, Duration::ZERO).is_err());
}
