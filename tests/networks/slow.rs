//! Wires that are slow, and ways that are long.

use std::time::{Duration, Instant};

use crate::forwarded::{Forward, OUTSIDE, PORT, outside};
use crate::ignoring::tests;
use crate::lab::{Family, Lab};
use crate::mesh::{self, Mesh};
use crate::node::{Bind, Node};
use crate::traffic;

tests![
    all_that_is_sent_over_a_slow_wire_arrives_once,
    all_that_is_sent_over_a_long_way_arrives_once,
];

fn all_that_is_sent_over_a_slow_wire_arrives_once() {
    let mut mesh = Mesh::of(3);
    mesh.hosts[1].limit_rate("2mbit");
    let begun = Instant::now();
    traffic::exchange(&mut mesh.nodes, 50, 4096);
    let took = begun.elapsed();
    println!("over the slow wire in {took:?}");
    // 100 messages to this host are 400 KiB, at 250 KB/s.
    assert!(took > Duration::from_secs(1), "the wire is not slow: {took:?}");
    assert_nobody_left(&mut mesh.nodes);
}

/// Two nodes on either side of a router, with 100 ms each way.
fn all_that_is_sent_over_a_long_way_arrives_once() {
    let mut lab = Lab::new();
    let [router, hub, near] = [1, 2, 3].map(|number| lab.host_up(number, Family::V4));
    router.address("add", &format!("{OUTSIDE}/24"));
    let away = [4, 5].map(|number| outside(&mut lab, number));
    let _forward = Forward::start(&router, Duration::from_millis(100));
    let out_addr = Some((OUTSIDE, PORT));
    let mut nodes = vec![Node::start(&hub, Bind { out_addr, ..Bind::at("0.0.0.0:4444") })];
    nodes.extend([&near, &away[0], &away[1]].map(mesh::start));
    let forwarded = format!("{OUTSIDE}:{PORT}");
    for (at, addr) in [(1, "10.77.0.2:4444"), (2, &forwarded), (3, "203.0.113.4:4444")] {
        nodes[at].ask(&format!("connect {addr}"), "connected");
    }
    let begun = Instant::now();
    traffic::exchange(&mut nodes, 200, 1024);
    let took = begun.elapsed();
    println!("over the long way in {took:?}");
    assert!(took > Duration::from_millis(100), "the way is not long: {took:?}");
    assert_nobody_left(&mut nodes);
}

fn assert_nobody_left(nodes: &mut [Node]) {
    for node in nodes {
        assert_eq!(node.ask("lost", "lost"), "0", "a link that is slow stays");
    }
}
