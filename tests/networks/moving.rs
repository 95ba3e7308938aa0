//! Addresses that change while nodes run, and interfaces that come up after them.

use crate::ignoring::tests;
use crate::lab::{Family, Host, Lab};
use crate::node::{Bind, Node, talk};

tests![
    nodes_that_move_find_each_other_again_over_ipv4,
    nodes_that_move_find_each_other_again_over_ipv6,
    nodes_that_move_find_each_other_again_over_both,
    nodes_that_start_before_their_interface_is_up_end_in_one_mesh,
];

fn bind(family: Family) -> &'static str {
    if family == Family::V4 { "0.0.0.0:4444" } else { "[::]:4444" }
}

fn find_each_other_after_they_moved(family: Family) {
    let mut lab = Lab::new();
    let hosts = [1, 2, 3].map(|number| lab.host_up(number, family));
    let mut nodes = hosts.each_ref().map(|host| Node::start(host, Bind::at(bind(family))));
    let [hub, a, b] = &mut nodes;
    for node in [&mut *a, &mut *b] {
        assert_eq!(node.ask(&format!("connect {}", Host::addr(1, family)), "connected"), hub.id);
    }
    a.wait_peers(&[&hub.id, &b.id]);
    b.wait_peers(&[&hub.id, &a.id]);
    for (host, number) in hosts[1..].iter().zip(2..) {
        host.remove(number, family);
        host.add(10 + number, family);
    }
    a.wait_said(&format!("joined {} {}", b.id, Host::addr(13, family)));
    b.wait_said(&format!("joined {} {}", a.id, Host::addr(12, family)));
    assert_eq!(a.ask("out_addr", "out_addr"), Host::addr(12, family));
    hub.kill();
    a.wait_gone(&hub.id);
    b.wait_gone(&hub.id);
    a.wait_peers(&[&b.id]);
    b.wait_peers(&[&a.id]);
    talk(a, b);
}

fn nodes_that_move_find_each_other_again_over_ipv4() {
    find_each_other_after_they_moved(Family::V4);
}

fn nodes_that_move_find_each_other_again_over_ipv6() {
    find_each_other_after_they_moved(Family::V6);
}

fn nodes_that_move_find_each_other_again_over_both() {
    find_each_other_after_they_moved(Family::Both);
}

fn nodes_that_start_before_their_interface_is_up_end_in_one_mesh() {
    for family in Family::ALL {
        let mut lab = Lab::new();
        let hub_host = lab.host_up(1, family);
        let hosts = [2, 3].map(|number| lab.host(number));
        let seed = Host::addr(1, family);
        let start = Bind { seed: Some(&seed), ..Bind::at(bind(family)) };
        let [mut a, mut b] = hosts.each_ref().map(|host| Node::start(host, start));
        for node in [&mut a, &mut b] {
            node.wait_said("no out_addr");
            assert!(node.ask("status", "status").contains("`out_addr`"));
        }
        let mut hub = Node::start(&hub_host, Bind::at(bind(family)));
        hosts.iter().for_each(|host| host.up(family));
        a.wait_said(&format!("seed {seed} {}", hub.id));
        b.wait_said(&format!("seed {seed} {}", hub.id));
        a.wait_said(&format!("new out_addr {}", Host::addr(2, family)));
        a.wait_peers(&[&b.id]);
        b.wait_peers(&[&a.id]);
        hub.kill();
        a.wait_gone(&hub.id);
        b.wait_gone(&hub.id);
        talk(&mut a, &mut b);
    }
}
