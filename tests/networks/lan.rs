//! A network without a default route: a lab, a robot, a factory cell.

use crate::ignoring::tests;
use crate::lab::{Family, Host, Lab};
use crate::node::{Bind, Node, talk};

tests![
    a_mesh_over_ipv4_survives_its_hub,
    a_mesh_over_ipv6_survives_its_hub,
    a_listener_of_both_families_where_there_is_only_ipv4,
    a_listener_of_both_families_where_there_are_both,
    a_node_on_loopback_that_dials_out_does_not_announce_it,
];

/// Three nodes, two of which connect to the first: all are linked, and stay one mesh without it.
fn survives_its_hub(bind: &str, family: Family) {
    let mut lab = Lab::new();
    let hosts = [1, 2, 3].map(|number| lab.host_up(number, family));
    let mut nodes = hosts.each_ref().map(|host| Node::start(host, Bind::at(bind)));
    for (node, number) in nodes.iter_mut().zip(1..) {
        assert_eq!(node.ask("out_addr", "out_addr"), Host::addr(number, family));
        assert_eq!(node.ask("status", "status"), "Nominal");
    }
    let [hub, a, b] = &mut nodes;
    for node in [&mut *a, &mut *b] {
        assert_eq!(node.ask(&format!("connect {}", Host::addr(1, family)), "connected"), hub.id);
    }
    a.wait_peers(&[&hub.id, &b.id]);
    b.wait_peers(&[&hub.id, &a.id]);
    b.wait_said(&format!("joined {} {}", a.id, Host::addr(2, family)));
    a.wait_said(&format!("joined {} {}", b.id, Host::addr(3, family)));
    hub.kill();
    a.wait_gone(&hub.id);
    b.wait_gone(&hub.id);
    talk(a, b);
}

fn a_mesh_over_ipv4_survives_its_hub() {
    survives_its_hub("0.0.0.0:4444", Family::V4);
}

fn a_mesh_over_ipv6_survives_its_hub() {
    survives_its_hub("[::]:4444", Family::V6);
}

fn a_listener_of_both_families_where_there_is_only_ipv4() {
    survives_its_hub("[::]:4444", Family::V4);
}

fn a_listener_of_both_families_where_there_are_both() {
    survives_its_hub("[::]:4444", Family::Both);
}

fn a_node_on_loopback_that_dials_out_does_not_announce_it() {
    let mut lab = Lab::new();
    let hosts = [1, 2].map(|number| lab.host_up(number, Family::V4));
    let mut hub = Node::start(&hosts[0], Bind::at("0.0.0.0:4444"));
    let mut hidden = Node::start(&hosts[1], Bind::at("127.0.0.1:4444"));
    assert_eq!(hidden.ask("connect 10.77.0.1:4444", "connected"), hub.id);
    hub.wait_said(&format!("joined {} ", hidden.id));
    hidden.wait_said("no out_addr");
    assert!(hidden.ask("status", "status").contains("`out_addr`"));
    talk(&mut hub, &mut hidden);
}
