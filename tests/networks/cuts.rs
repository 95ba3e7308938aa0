//! Networks that are cut and joined again, and cables that are pulled and put back.

use std::time::{Duration, Instant};

use crate::ignoring::tests;
use crate::mesh::Mesh;
use crate::node::Node;
use crate::support::{is_long, let_pass};
use crate::traffic;

tests![
    a_mesh_that_was_cut_in_two_loses_nothing_in_its_halves_and_is_one_again_once_they_are_joined,
    a_node_whose_cable_was_pulled_comes_back_and_costs_the_others_nothing,
    a_node_that_was_cut_off_unseen_comes_back_and_costs_the_others_nothing,
];

/// Longer than it takes on a busy machine. On a quiet one it is a second, and 6 s after a long cut.
const MOST: Duration = Duration::from_secs(30);

/// Waits until no node before this one has a link to another one, and the other way round.
fn wait_parted(mesh: &mut Mesh, first: usize) {
    let ids = mesh.ids();
    for (at, node) in mesh.nodes.iter_mut().enumerate() {
        node.wait_only(if at < first { &ids[..first] } else { &ids[first..] });
    }
}

/// Waits until the nodes before this one hear what the others send from now on, and the other way round.
/// The traffic goes on.
fn wait_hear_again(mesh: &mut Mesh, first: usize) {
    let ids = mesh.ids();
    for (at, node) in mesh.nodes.iter_mut().enumerate() {
        let those = if at < first { &ids[first..] } else { &ids[..first] };
        let before: Vec<_> = those.iter().map(|id| (id, node.heard.latest(id))).collect();
        let is_again = |node: &Node| before.iter().all(|(id, last)| node.heard.latest(id) > *last);
        node.wait("the others", is_again);
    }
}

/// Checks that there is a link to cut, and hears all that was said of links before.
fn assert_linked(nodes: &mut [Node], first: usize) {
    nodes.iter_mut().for_each(|node| drop(node.ask("status", "status")));
    assert!(nodes[first].peers.contains(&nodes[first - 1].id));
}

/// Cuts off the nodes from this one on, while all of them send, and joins them again. Both parts go on
/// without a loss meanwhile.
fn are_one_again(mesh: &mut Mesh, first: usize, cut: impl Fn(&Mesh), join: impl Fn(&Mesh)) {
    traffic::start(&mut mesh.nodes);
    wait_hear_again(mesh, first);
    assert_linked(&mut mesh.nodes, first);
    let begun = Instant::now();
    cut(mesh);
    wait_parted(mesh, first);
    let noticed = begun.elapsed();
    if is_long() {
        // Then nodes that nobody was told to connect to are dialled less often.
        let_pass(Duration::from_secs(150));
    }
    let begun = Instant::now();
    join(mesh);
    wait_hear_again(mesh, first);
    let healed = begun.elapsed();
    println!("the cut was noticed after {noticed:?}; one mesh again after {healed:?}");
    assert!(healed < MOST, "{healed:?}");
    let sent: Vec<_> = traffic::stop(&mut mesh.nodes).into_iter().map(|sent| 0..sent).collect();
    let (these, those) = mesh.nodes.split_at_mut(first);
    traffic::wait_heard(these, &sent[..first]);
    traffic::wait_heard(those, &sent[first..]);
    traffic::exchange(&mut mesh.nodes, 20, 0);
}

fn a_mesh_that_was_cut_in_two_loses_nothing_in_its_halves_and_is_one_again_once_they_are_joined() {
    let mut mesh = Mesh::of(8);
    let cut = |mesh: &Mesh| mesh.lab.cut_off(&mesh.hosts[4..]);
    are_one_again(&mut mesh, 4, cut, |mesh| mesh.lab.join(&mesh.hosts[4..]));
}

fn a_node_whose_cable_was_pulled_comes_back_and_costs_the_others_nothing() {
    let mut mesh = Mesh::of(8);
    let pull = |mesh: &Mesh| mesh.hosts[7].pull_cable();
    are_one_again(&mut mesh, 7, pull, |mesh| mesh.hosts[7].put_cable_back());
}

fn a_node_that_was_cut_off_unseen_comes_back_and_costs_the_others_nothing() {
    let mut mesh = Mesh::of(8);
    let cut = |mesh: &Mesh| mesh.lab.cut_off(&mesh.hosts[7..]);
    are_one_again(&mut mesh, 7, cut, |mesh| mesh.lab.join(&mesh.hosts[7..]));
}
