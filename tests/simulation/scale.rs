//! Large worlds, and our relay rule against py2p's.

use std::time::Duration;

use rs2p::sim::{RelayRule, Report, World};

const S: fn(u64) -> Duration = Duration::from_secs;

/// So many broadcasts among so many nodes that have found each other.
fn broadcasts(seed: u64, nodes: usize, count: u64, rule: RelayRule) -> Report {
    let mut world = World::new(seed).without_accounts().nodes(nodes);
    world.run_for(S(20));
    assert!(world.is_connected(), "{} parts", world.components());
    // Both rules in the same mesh.
    world.set_relay_rule(rule);
    for number in 0..count {
        let node = world.some_node();
        world.send(node, format!("broadcast {number}")).expect("it runs");
        world.run_for(Duration::from_millis(100));
    }
    assert!(world.settle(S(30)));
    world.check().expect("all promises");
    world.check_lossless().expect("nothing is lost");
    world.report()
}

#[test]
fn a_thousand_nodes_all_get_a_hundred_broadcasts() {
    let report = broadcasts(1, 1000, 100, RelayRule::Rs2p);
    println!("{report}");
    assert_eq!((report.complete, report.deliveries), (100, 99_900));
}

/// Several meshes, because hops and times differ more from mesh to mesh than from rule to rule.
#[test]
fn our_relay_rule_saves_a_copy_per_delivery() {
    let mut sums = [(0.0, 0.0); 2];
    println!("rule   redundancy  hops  most   to all p50   to all p99  bytes per node");
    for seed in 2..6 {
        for (rule, sum) in [RelayRule::Rs2p, RelayRule::Py2p].into_iter().zip(&mut sums) {
            let report = broadcasts(seed, 200, 100, rule);
            print(rule, &report);
            *sum = (sum.0 + report.redundancy / 4.0, sum.1 + report.hops / 4.0);
        }
    }
    let [ours, theirs] = sums;
    println!(
        "on average: copies {:.2} and {:.2}, hops {:.2} and {:.2}",
        ours.0, theirs.0, ours.1, theirs.1
    );
    let saved = theirs.0 - ours.0;
    assert!((0.9..1.1).contains(&saved), "{saved}");
    assert!((ours.1 - theirs.1).abs() < 0.2, "the same ways");
}

fn print(rule: RelayRule, report: &Report) {
    println!(
        "{rule:<6?} {:>10.2} {:>5.2} {:>5} {:>12.1?} {:>12.1?} {:>15.0}",
        report.redundancy,
        report.hops,
        report.most_hops,
        report.full_coverage_p50,
        report.full_coverage_p99,
        report.bytes_per_node,
    );
}
