//! rs2p and real py2p 0.4.516 nodes in one network without a default route.

use std::time::{Duration, Instant};

use crate::ignoring::tests;
use crate::lab::{Family, Host, Lab};
use crate::node::{Bind, Node, talk};
use crate::py2p::options::PeerOptions;
use crate::py2p::peer::Peer;
use crate::py2p::python::{Python, python};

tests![a_mixed_mesh_survives_its_rs2p_hub, a_mixed_mesh_survives_its_py2p_hub,];

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

/// A py2p node on this host. It finds no address by itself without a default route, so it is bound
/// to the one that it has.
fn py2p(python: &'static Python, host: &Host, number: u8) -> Peer {
    let text = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
    let options = PeerOptions {
        host: text(format!("10.77.0.{number}")),
        namespace: Some(text(host.namespace.clone())),
        ..PeerOptions::new(python)
    };
    Peer::start_at(options, 4444, soon())
}

fn addr(number: u8) -> std::net::SocketAddr {
    ([10, 77, 0, number], 4444).into()
}

fn a_mixed_mesh_survives_its_rs2p_hub() {
    let python = python();
    let mut lab = Lab::new();
    let hosts = [1, 2, 3, 4].map(|number| lab.host_up(number, Family::V4));
    let [mut hub, mut a, mut b] =
        [0, 1, 2].map(|n: usize| Node::start(&hosts[n], Bind::at("0.0.0.0:4444")));
    for node in [&mut a, &mut b] {
        assert_eq!(node.ask("connect 10.77.0.1:4444", "connected"), hub.id);
    }
    let py = py2p(python, &hosts[3], 4);
    py.connect(addr(1));
    py.wait_links(soon(), |links| links.link(&a.id).is_some() && links.link(&b.id).is_some());
    a.wait_peers(&[&b.id, py.id()]);
    b.wait_peers(&[&a.id, py.id()]);
    hub.kill();
    a.wait_gone(&hub.id);
    talk(&mut a, &mut b);
    talk_to_py2p(&mut a, &py);
}

fn a_mixed_mesh_survives_its_py2p_hub() {
    let python = python();
    let mut lab = Lab::new();
    let hosts = [1, 2, 3, 4].map(|number| lab.host_up(number, Family::V4));
    let hub = py2p(python, &hosts[0], 1);
    let [mut a, mut b] = [1, 2].map(|n: usize| Node::start(&hosts[n], Bind::at("0.0.0.0:4444")));
    for node in [&mut a, &mut b] {
        assert_eq!(node.ask("connect 10.77.0.1:4444", "connected"), hub.id());
    }
    let py = py2p(python, &hosts[3], 4);
    py.connect(addr(1));
    py.wait_links(soon(), |links| links.link(&a.id).is_some() && links.link(&b.id).is_some());
    a.wait_peers(&[&b.id, py.id()]);
    b.wait_peers(&[&a.id, py.id()]);
    hub.kill();
    a.wait_gone(hub.id());
    talk(&mut a, &mut b);
    talk_to_py2p(&mut a, &py);
}

fn talk_to_py2p(node: &mut Node, py: &Peer) {
    node.tell("send to py2p");
    let heard = std::iter::from_fn(|| py.recv(soon()));
    assert!(heard.take(8).any(|message| message.payload() == [b"to py2p"]));
    py.send(["from py2p"]);
    node.wait_said("got from py2p");
}
