//! A node behind a forwarded port, with peers on its host, in its network, and outside.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::ignoring::tests;
use crate::lab::{Family, Host, Lab};
use crate::node::{Bind, Node};
use crate::support::slow_way;

tests![peers_on_one_host_in_one_network_and_outside_each_get_an_address_that_works,];

/// The address of the router outside, and the port that it forwards.
pub const OUTSIDE: &str = "203.0.113.1";
pub const PORT: u16 = 5555;

/// A router's forwarding, as a process in its namespace.
pub struct Forward(Child);

impl Forward {
    /// With this delay each way.
    pub fn start(router: &Host, delay: Duration) -> Forward {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &router.namespace]);
        command.arg(std::env::current_exe().expect("this test"));
        let child = command
            .env("RS2P_FORWARD", delay.as_millis().to_string())
            .stdout(Stdio::null())
            .spawn();
        Forward(child.expect("a process"))
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        // Killed before or not, it has ended then.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the process of the router runs: the forwarding, with a delay in milliseconds each way.
pub fn one_forward(delay: &str) {
    let listener = TcpListener::bind((OUTSIDE, PORT)).expect("the address of the router");
    let delay = Duration::from_millis(delay.parse().expect("milliseconds"));
    slow_way::pass_on(listener.incoming(), ([10, 77, 0, 2], 4444).into(), delay);
}

/// A host outside.
pub fn outside(lab: &mut Lab, number: u8) -> Host {
    let host = lab.host_up(number, Family::V4);
    host.remove(number, Family::V4);
    host.address("add", &format!("203.0.113.{number}/24"));
    host
}

/// Hosts 1 to 3 are inside: the router, the node, a neighbour. Hosts 4 and 5 are outside.
fn peers_on_one_host_in_one_network_and_outside_each_get_an_address_that_works() {
    let mut lab = Lab::new();
    let [router, inside, near] = [1, 2, 3].map(|number| lab.host_up(number, Family::V4));
    router.address("add", &format!("{OUTSIDE}/24"));
    let outside = [4, 5].map(|number| outside(&mut lab, number));
    let _forward = Forward::start(&router, Duration::ZERO);
    let out_addr = Some((OUTSIDE, PORT));
    let mut node = Node::start(&inside, Bind { out_addr, ..Bind::at("0.0.0.0:4444") });
    assert_eq!(node.ask("out_addr", "out_addr"), format!("{OUTSIDE}:{PORT}"));

    // Of each kind one connects to the node, and a second one hears of the node from the first only.
    let mut here = Node::start(&inside, Bind::at("0.0.0.0:4445"));
    let mut here_too = Node::start(&inside, Bind::at("0.0.0.0:4446"));
    assert_eq!(here.ask("connect 127.0.0.1:4444", "connected"), node.id);
    assert_eq!(here_too.ask("connect 127.0.0.1:4445", "connected"), here.id);
    here_too.wait_peers(&[&node.id]);

    let mut neighbour = Node::start(&near, Bind::at("0.0.0.0:4444"));
    let mut neighbour_too = Node::start(&near, Bind::at("0.0.0.0:4445"));
    assert_eq!(neighbour.ask("connect 10.77.0.2:4444", "connected"), node.id);
    assert_eq!(neighbour_too.ask("connect 10.77.0.3:4444", "connected"), neighbour.id);
    neighbour_too.wait_peers(&[&node.id]);

    let mut far = Node::start(&outside[0], Bind::at("0.0.0.0:4444"));
    let mut far_too = Node::start(&outside[1], Bind::at("0.0.0.0:4444"));
    let forwarded = format!("connect {OUTSIDE}:{PORT}");
    assert_eq!(far.ask(&forwarded, "connected"), node.id);
    assert_eq!(far_too.ask("connect 203.0.113.4:4444", "connected"), far.id);
    far_too.wait_peers(&[&node.id]);
}
