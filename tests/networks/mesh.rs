//! Hosts with a node each, in one mesh.

use crate::lab::{Family, Host, Lab};
use crate::node::{Bind, Node};

/// What is dropped first comes first.
pub struct Mesh {
    pub nodes: Vec<Node>,
    pub hosts: Vec<Host>,
    pub lab: Lab,
}

impl Mesh {
    /// So many hosts. Each node but the first is told to connect to the one before it; what other links
    /// there are is their own choice.
    pub fn of(count: u8) -> Mesh {
        let mut lab = Lab::new();
        let hosts: Vec<Host> = (1..=count).map(|number| lab.host_up(number, Family::V4)).collect();
        let mut nodes: Vec<Node> = hosts.iter().map(start).collect();
        for (before, node) in (1..).zip(&mut nodes[1..]) {
            node.ask(&format!("connect {}", Host::addr(before, Family::V4)), "connected");
        }
        Mesh { nodes, hosts, lab }
    }

    pub fn ids(&self) -> Vec<String> {
        self.nodes.iter().map(|node| node.id.clone()).collect()
    }
}

/// Starts the node of a host, which connects to nobody.
pub fn start(host: &Host) -> Node {
    Node::start(host, Bind::at("0.0.0.0:4444"))
}
