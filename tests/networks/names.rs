//! Names that get another address.

use crate::ignoring::tests;
use crate::lab::{Family, Lab};
use crate::node::{Bind, Node, talk};

tests![a_name_is_looked_up_again_when_its_node_has_moved,];

fn a_name_is_looked_up_again_when_its_node_has_moved() {
    let mut lab = Lab::new();
    let hosts = [1, 2, 3].map(|number| lab.host_up(number, Family::V4));
    let [client, first, second] = &hosts;
    client.write_hosts("10.77.0.2 hub.test\n");
    let mut a = Node::start(client, Bind::at("0.0.0.0:4444"));
    let mut hub = Node::start(first, Bind::at("0.0.0.0:4450"));
    assert_eq!(a.ask("connect hub.test:4450", "connected"), hub.id);
    hub.kill();
    a.wait_gone(&hub.id);
    client.write_hosts("10.77.0.3 hub.test\n");
    let mut hub = Node::start(second, Bind::at("0.0.0.0:4450"));
    a.wait_peers(&[&hub.id]);
    talk(&mut a, &mut hub);
}
