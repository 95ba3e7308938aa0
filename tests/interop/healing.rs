//! A py2p node that comes back is taken back, though nobody calls `connect`.

use std::time::{Duration, Instant};

use rs2p::{MeshEvent, MeshSocket};

use crate::{
    net::{Net, bind, id_of, link, link_back, promises, soon, wait_event, wait_joined, wait_left},
    options::PeerOptions,
    peer::Peer,
};

promises![
    a_py2p_that_dialled_us_is_dialled_when_it_comes_back,
    a_py2p_that_crashed_in_a_mesh_is_back_in_the_mesh,
];

/// A port may stay taken for a minute after its node was killed.
fn start_again(options: PeerOptions, port: u16) -> Peer {
    Peer::start_at(options, port, Instant::now() + Duration::from_secs(90))
}

/// It was the only peer: its node is alone, then healed.
fn a_py2p_that_dialled_us_is_dialled_when_it_comes_back(net: Net) {
    let (rs, py) = (net.rs2p(), net.py2p());
    link_back(&py, &rs);
    let (port, id) = (py.port(), id_of(&py));
    wait_joined(&rs, id, soon());
    py.kill();
    wait_left(&rs, id, soon());
    wait_event(&rs, soon(), |event| matches!(event, MeshEvent::Alone).then_some(()));

    let py = start_again(net.quiet(), port);
    wait_joined(&rs, id_of(&py), soon());
    wait_event(&rs, soon(), |event| matches!(event, MeshEvent::Healed).then_some(()));
    py.wait_peers(1, soon());
    talk(&rs, &py);
}

fn a_py2p_that_crashed_in_a_mesh_is_back_in_the_mesh(net: Net) {
    let nodes = [bind(net.builder()), bind(net.builder())];
    nodes[1].connect(nodes[0].local_addr()).expect("a link");
    let py = Peer::start(net.options());
    link(&nodes[0], &py);
    py.wait_peers(2, soon());
    for node in &nodes {
        node.wait_for_peers(2, PATIENCE).expect("a full mesh");
    }

    // With something unread on each link: so the system resets them, and the port is free at once.
    #[cfg(unix)]
    py.freeze();
    nodes[0].send("unread").expect("sent");
    assert_eq!(nodes[1].recv_timeout(PATIENCE).expect("a message").payload(), ["unread"]);
    nodes[1].whisper("unread, too").expect("sent");
    assert_eq!(nodes[0].recv_timeout(PATIENCE).expect("a message").payload(), ["unread, too"]);
    let (port, id) = (py.port(), id_of(&py));
    py.kill();
    nodes.iter().for_each(|node| drop(wait_left(node, id, soon())));

    let py = start_again(net.options(), port);
    py.wait_peers(2, soon());
    nodes.iter().for_each(|node| wait_joined(node, id_of(&py), soon()));
    talk(&nodes[0], &py);
}

const PATIENCE: Duration = Duration::from_secs(20);

fn talk(rs: &MeshSocket, py: &Peer) {
    rs.send("welcome back").expect("sent");
    assert_eq!(py.recv(soon()).expect("a message").payload(), [b"welcome back"]);
    py.send(["thanks"]);
    assert_eq!(rs.recv_timeout(PATIENCE).expect("a message").payload(), ["thanks"]);
}
