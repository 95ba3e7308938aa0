//! Five nodes, py2p – rs2p – py2p – rs2p – py2p: every broadcast reaches the other four once, and
//! whispers go one hop.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
};

use crate::{
    net::{NOWHERE, Net, bind, link, link_back, promises, soon},
    node::{Heard, Node},
    options::PeerOptions,
    peer::Peer,
};

promises![
    a_mesh_of_five_that_connect_by_themselves_hears_each_broadcast_once,
    a_line_of_five_hears_each_broadcast_once,
    large_messages_along_a_mixed_line_and_round_a_mixed_ring_are_heard_once,
    whispers_go_one_hop,
    a_py2p_that_asks_for_peers_links_to_those_it_did_not_know,
];

/// Broadcasts from each node.
const COUNT: usize = 20;

/// Five nodes that nobody can dial: they have the links that a test makes.
fn line(net: Net) -> Vec<Node> {
    let py2p = || {
        let options = PeerOptions { out_addr: Some(NOWHERE), ..net.quiet() };
        Node::py2p(options)
    };
    let rs2p = || Node::Rs2p(bind(net.builder().max_outgoing(0).out_addr(NOWHERE.0, NOWHERE.1)));
    let nodes = vec![py2p(), rs2p(), py2p(), rs2p(), py2p()];
    // Both kinds dial and are dialled.
    nodes[0].connect(&nodes[1]);
    nodes[1].connect(&nodes[2]);
    nodes[2].connect(&nodes[3]);
    nodes[3].connect(&nodes[4]);
    nodes
}

fn a_mesh_of_five_that_connect_by_themselves_hears_each_broadcast_once(net: Net) {
    let py2p = || Node::py2p(net.options());
    let rs2p = || Node::Rs2p(bind(net.builder()));
    let nodes = [py2p(), rs2p(), py2p(), rs2p(), py2p()];
    for n in 1..nodes.len() {
        // Told of one; the others it finds by itself.
        nodes[n].connect(&nodes[n - 1]);
        nodes[..=n].iter().for_each(|node| drop(node.wait_peers(n)));
    }
    everyone_hears_everyone_once(&nodes);
}

fn a_line_of_five_hears_each_broadcast_once(net: Net) {
    let nodes = line(net);
    let heard = everyone_hears_everyone_once(&nodes);
    for (at, heard) in heard.iter().enumerate() {
        for (from, node) in nodes.iter().enumerate().filter(|&(from, _)| from != at) {
            let id = node.id();
            let of_one: Vec<&Heard> = heard.iter().filter(|heard| heard.sender == id).collect();
            let numbers = of_one.iter().map(|heard| heard.payload[1].clone());
            let in_order = (0..COUNT).map(|n| n.to_string().into_bytes());
            assert!(numbers.eq(in_order), "one path, one order: {from} at {at}");
            let flag = u8::from(at.abs_diff(from) > 1);
            assert!(
                of_one.iter().all(|heard| heard.flag == flag),
                "relayed or not: {from} at {at}"
            );
        }
    }
    for (at, node) in nodes.iter().enumerate() {
        let neighbours = if at == 0 || at == 4 { 1 } else { 2 };
        node.wait_peers(neighbours);
    }
}

/// Links that are added to a chain of six: none, one that makes it a ring, and two more that make a ring of
/// the rs2p nodes.
const MORE_LINKS: [&[(usize, usize)]; 3] = [&[], &[(5, 0)], &[(5, 0), (1, 4), (2, 5)]];

fn large_messages_along_a_mixed_line_and_round_a_mixed_ring_are_heard_once(net: Net) {
    for more in MORE_LINKS {
        let py2p = || Node::py2p(PeerOptions { out_addr: Some(NOWHERE), ..net.quiet() });
        let rs2p =
            || Node::Rs2p(bind(net.builder().max_outgoing(0).out_addr(NOWHERE.0, NOWHERE.1)));
        let nodes = [py2p(), rs2p(), rs2p(), py2p(), rs2p(), rs2p()];
        nodes.windows(2).for_each(|pair| pair[0].connect(&pair[1]));
        more.iter().for_each(|&(from, to)| nodes[from].connect(&nodes[to]));
        (0..nodes.len()).for_each(|from| speaks_at_length(&nodes, from));
        nothing_more_comes(&nodes);
        nodes.iter().for_each(Node::assert_nominal);
        if more.len() > 1 {
            let pruned = |node: &Node| matches!(node, Node::Rs2p(it) if it.stats().pruned > 0);
            assert!(nodes.iter().any(pruned), "a ring of rs2p nodes has a lazy link");
        }
        for node in &nodes {
            let Node::Py2p(peer) = node else { continue };
            let (words, is_hello) = (peer.words(), |word: &String| word.contains("links"));
            assert!(!words.is_empty() && words.iter().all(is_hello), "{words:?}");
        }
    }
}

/// One sends large messages, all others hear each once.
fn speaks_at_length(nodes: &[Node], from: usize) {
    for number in 0..COUNT {
        let padding = "x".repeat(2000 + number);
        nodes[from].broadcast([nodes[from].id(), number.to_string(), padding]);
    }
    for (_, node) in nodes.iter().enumerate().filter(|(at, _)| *at != from) {
        let heard: BTreeSet<_> = (0..COUNT).map(|_| node.recv().payload[1].clone()).collect();
        assert_eq!(heard.len(), COUNT, "from {from}");
    }
}

/// Who sends at once: each py2p while the others listen, because it loses messages when it sends
/// and receives at once. rs2p nodes need no such care.
const TURNS: [&[usize]; 4] = [&[1, 3], &[0], &[2], &[4]];

/// Each sends [`COUNT`] broadcasts and hears all those of the others, each once; what each heard,
/// in its order.
fn everyone_hears_everyone_once(nodes: &[Node]) -> Vec<Vec<Heard>> {
    let mut heard = vec![Vec::new(); nodes.len()];
    for speakers in TURNS {
        for (all, turn) in heard.iter_mut().zip(take_turn(nodes, speakers)) {
            all.extend(turn);
        }
    }
    for (node, heard) in nodes.iter().zip(&heard) {
        check_once(nodes, node, heard);
    }
    check_ids_agree(&heard);
    nothing_more_comes(nodes);
    nodes.iter().for_each(Node::assert_nominal);
    heard
}

/// Some speak, all listen.
fn take_turn(nodes: &[Node], speakers: &[usize]) -> Vec<Vec<Heard>> {
    let speak = |node: &Node| (0..COUNT).for_each(|n| node.broadcast([node.id(), n.to_string()]));
    let listen = |at: usize| -> Vec<Heard> {
        let others = speakers.iter().filter(|&&speaker| speaker != at).count();
        (0..COUNT * others).map(|_| nodes[at].recv()).collect()
    };
    thread::scope(|scope| {
        for &speaker in speakers {
            scope.spawn(move || speak(&nodes[speaker]));
        }
        let listeners: Vec<_> =
            (0..nodes.len()).map(|at| scope.spawn(move || listen(at))).collect();
        listeners.into_iter().map(|listener| listener.join().expect("all messages")).collect()
    })
}

fn check_once(nodes: &[Node], node: &Node, heard: &[Heard]) {
    let mut by_payload = BTreeMap::new();
    for heard in heard {
        let copy = (heard.id.as_str(), heard.time, heard.flag);
        // Another id and date: its sender has made two messages of it.
        let first = by_payload.insert(&heard.payload, copy);
        assert_eq!(first, None, "heard before by {}: {copy:?} of {}", node.id(), heard.sender);
    }
    for heard in heard {
        assert_eq!(heard.text(), heard.sender, "its sender is who sent it");
        assert_eq!((heard.kind.as_slice(), heard.payload.len()), (&b"\x00"[..], 2));
        assert_ne!(heard.sender, node.id());
        assert!(nodes.iter().any(|node| node.id() == heard.sender));
    }
}

/// A message has the same id and date wherever it was heard.
fn check_ids_agree(heard: &[Vec<Heard>]) {
    let mut ids = BTreeMap::new();
    for heard in heard.iter().flatten() {
        let first = ids.entry(&heard.payload).or_insert((&heard.id, heard.time));
        assert_eq!(*first, (&heard.id, heard.time));
    }
    let different: BTreeSet<_> = ids.values().map(|(id, _)| id).collect();
    assert_eq!(different.len(), ids.len(), "an id is the id of one message");
}

/// Everybody has heard everything, so every relay is on its link already: what a neighbour whispers
/// now comes behind them all.
fn nothing_more_comes(nodes: &[Node]) {
    for node in nodes {
        node.whisper([format!("the end from {}", node.id())]);
    }
    for node in nodes {
        let peers = match node {
            Node::Py2p(peer) => peer.table().ids().len(),
            Node::Rs2p(socket) => socket.routing_table().len(),
        };
        for _ in 0..peers {
            let last = node.recv();
            assert_eq!(last.text(), format!("the end from {}", last.sender));
        }
    }
}

fn whispers_go_one_hop(net: Net) {
    let nodes = line(net);
    for from in 0..nodes.len() {
        let text = format!("psst from {from}");
        nodes[from].whisper([&text]);
        let near = || (0..nodes.len()).filter(move |at| at.abs_diff(from) == 1);
        for at in near() {
            let heard = nodes[at].recv();
            assert_eq!((heard.text(), heard.sender), (text.clone(), nodes[from].id()));
            assert_eq!((heard.flag, heard.kind), (2, vec![2]));
        }
        // Had a neighbour passed it on, then ahead of this.
        let speaker = near().next().expect("nobody is alone in a line");
        nodes[speaker].broadcast([format!("after {from}")]);
        for (_, node) in nodes.iter().enumerate().filter(|&(at, _)| at != speaker) {
            assert_eq!(node.recv().text(), format!("after {from}"));
        }
    }
}

fn a_py2p_that_asks_for_peers_links_to_those_it_did_not_know(net: Net) {
    let (curious, middle) = (Peer::start(net.options()), net.rs2p());
    link(&middle, &curious);
    let (rs, py) = (net.rs2p(), net.py2p());
    rs.connect(middle.local_addr()).expect("a link");
    link_back(&py, &middle);
    assert_eq!(curious.table().ids(), [middle.id().to_string()], "nobody told it of the others");
    curious.request_peers();
    for id in [rs.id().to_string(), py.id().to_owned()] {
        curious.wait_links(soon(), |links| links.link(&id).is_some());
    }
}
