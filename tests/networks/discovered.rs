//! Nodes on hosts of their own that are given no address of each other.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::ignoring::tests;
use crate::lab::{Family, Host, Lab};
use crate::node::{Bind, Node, talk};
use crate::support::PATIENCE;
use crate::support::process::{Process, say};

tests![
    three_hosts_are_one_mesh_over_ipv4_and_another_mesh_is_left_alone,
    three_hosts_are_one_mesh_over_ipv6,
    three_hosts_are_one_mesh_over_ipv6_where_each_is_bound_to_its_address,
    an_interface_that_comes_up_late_is_used,
    an_interface_that_was_replaced_is_used_again,
];

const MESH: &str = "the name of this mesh";

fn start(host: &Host, addr: &str, subnet: &str) -> Node {
    Node::start(host, Bind { discover: Some(subnet), ..Bind::at(addr) })
}

fn all_linked(nodes: &mut [Node]) {
    let ids: Vec<String> = nodes.iter().map(|node| node.id.clone()).collect();
    for node in nodes.iter_mut() {
        let others: Vec<&str> =
            ids.iter().filter(|id| **id != node.id).map(String::as_str).collect();
        node.wait_peers(&others);
    }
}

/// A host that hears what goes over the wire: each datagram as a line of hex.
fn overhearing(host: &Host) -> Process {
    let inside = ["ip", "netns", "exec", &host.namespace];
    let process = Process::start_in(&inside, "discovered::overhear", &[("RS2P_OVERHEAR", "1")]);
    process.expect("ready", PATIENCE);
    process
}

/// What its process runs.
pub fn overhear() {
    let open = |domain, addr: SocketAddr| {
        let socket = Socket::new(domain, Type::DGRAM, None).expect("a socket");
        socket.set_reuse_address(true).expect("set");
        if domain == Domain::IPV6 {
            socket.set_only_v6(true).expect("set");
        }
        socket.bind(&addr.into()).expect("bound");
        socket
    };
    let v4 = open(Domain::IPV4, (Ipv4Addr::UNSPECIFIED, 24_582).into());
    v4.join_multicast_v4(&Ipv4Addr::new(239, 255, 82, 50), &Ipv4Addr::new(10, 77, 0, 9))
        .expect("joined");
    let v6 = open(Domain::IPV6, (Ipv6Addr::UNSPECIFIED, 24_582).into());
    let group = Ipv6Addr::new(0xff12, 0, 0, 0, 0, 0, 0x7273, 0x3270);
    // A new namespace gives the numbers 1 to `lo`, and 2 or more to what is added.
    assert!((2..100).any(|index| v6.join_multicast_v6(&group, index).is_ok()), "joined");
    say("ready");
    let listeners = [v4, v6].map(|socket| {
        let socket = std::net::UdpSocket::from(socket);
        thread::spawn(move || {
            let mut buffer = [0; 2048];
            while let Ok((len, from)) = socket.recv_from(&mut buffer) {
                let hex: String = buffer[..len].iter().map(|byte| format!("{byte:02x}")).collect();
                say(&format!("datagram {} {hex}", if from.is_ipv4() { "v4" } else { "v6" }));
            }
        })
    });
    let _ = listeners.map(|listener| listener.join().expect("a listener"));
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

fn three_hosts_are_one_mesh_over_ipv4_and_another_mesh_is_left_alone() {
    let mut lab = Lab::new();
    let spy = lab.host_up(9, Family::Both);
    let spy = overhearing(&spy);
    let hosts = [1, 2, 3, 4].map(|number| lab.host_up(number, Family::Both));
    let mut stranger = start(&hosts[3], "[::]:4444", "another mesh");
    let begun = Instant::now();
    let mut nodes: Vec<Node> =
        hosts[..3].iter().map(|host| start(host, "0.0.0.0:4444", MESH)).collect();
    all_linked(&mut nodes);
    let took = begun.elapsed();
    println!("one mesh after {took:?}");
    // 3 s on a quiet machine; a busy one has ten times as long.
    assert!(took < Duration::from_secs(30), "{took:?}");
    let [one, _, other] = &mut nodes[..] else { panic!("three nodes") };
    talk(one, other);
    assert_eq!(stranger.ask("status", "status"), "Nominal");
    assert!(stranger.peers.is_empty());
    // What everybody on the wire can read: neither the name of a mesh nor anything of its id.
    let id = rs2p::Protocol::new(MESH, rs2p::Encryption::Plaintext).id().to_string();
    for family in ["v4", "v4", "v4", "v6"] {
        let datagram = spy.expect(&format!("datagram {family}"), PATIENCE);
        assert!(datagram.starts_with(&hex("rs2p")), "{datagram}");
        for secret in [MESH, "another mesh", &id] {
            for part in secret.as_bytes().windows(6) {
                let part = hex(std::str::from_utf8(part).expect("ASCII"));
                assert!(!datagram.contains(&part), "{secret} in {datagram}");
            }
        }
    }
}

fn three_hosts_are_one_mesh_over_ipv6() {
    let mut lab = Lab::new();
    let hosts = [1, 2, 3].map(|number| lab.host_up(number, Family::V6));
    let mut nodes = hosts.each_ref().map(|host| start(host, "[::]:4444", MESH));
    all_linked(&mut nodes);
    let [one, _, other] = &mut nodes;
    talk(one, other);
}

fn three_hosts_are_one_mesh_over_ipv6_where_each_is_bound_to_its_address() {
    let mut lab = Lab::new();
    let hosts = [1, 2, 3].map(|number| lab.host_up(number, Family::V6));
    let mut nodes: Vec<Node> = hosts
        .iter()
        .zip(1..)
        .map(|(host, n)| start(host, &format!("[fd77::{n}]:4444"), MESH))
        .collect();
    all_linked(&mut nodes);
}

fn an_interface_that_comes_up_late_is_used() {
    let mut lab = Lab::new();
    let early = lab.host_up(1, Family::V4);
    let late = lab.host(2);
    let mut nodes = [&early, &late].map(|host| start(host, "0.0.0.0:4444", MESH));
    assert!(nodes[1].ask("status", "status").contains("address"), "it has no network");
    late.up(Family::V4);
    all_linked(&mut nodes);
}

fn an_interface_that_was_replaced_is_used_again() {
    let mut lab = Lab::new();
    let hosts = [1, 2].map(|number| lab.host_up(number, Family::V4));
    let first = start(&hosts[0], "0.0.0.0:4444", MESH);
    // Between two beacons, which are 10 s apart once the node has sent some.
    hosts[0].plug_again(Family::V4);
    // Only the first one can dial, and only if it hears the beacons of the second one.
    let bind = Bind { discover: Some(MESH), dials: false, ..Bind::at("0.0.0.0:4444") };
    let second = Node::start(&hosts[1], bind);
    all_linked(&mut [first, second]);
}
