//! A handler of your own, tested in a simulated mesh of 50 nodes: in one thread, in virtual time, with
//! crashes and cut links, and the same every time.
//!
//! Run it with `cargo run --features sim --example test_your_handler`; the tests at the end run with
//! `cargo test --features sim --example test_your_handler`. It prints:
//!
//!     49 of 49 nodes voted in a calm mesh
//!     every vote was counted once in a troubled one

use std::collections::BTreeSet;
use std::time::Duration;

use rs2p::sim::{Faults, World};
use rs2p::{Message, NodeId};

const S: fn(u64) -> Duration = Duration::from_secs;

/// What is tested: it counts the votes for a proposal, each node's once.
#[derive(Default)]
struct Ballot {
    voted: BTreeSet<NodeId>,
    twice: usize,
}

impl Ballot {
    /// Takes a message as a handler would.
    fn handle(&mut self, message: &Message) -> bool {
        let is_vote = message.payload().first().is_some_and(|packet| packet == b"aye");
        if is_vote && !self.voted.insert(message.sender()) {
            self.twice += 1;
        }
        is_vote
    }
}

/// Has node 0 propose something, and all others vote.
fn vote(world: &mut World, time: Duration) -> Result<Ballot, Box<dyn std::error::Error>> {
    let mut ballot = Ballot::default();
    world.run_for(S(10));
    world.send(0, "shall we?")?;
    let end = world.now() + time;
    while world.now() < end {
        world.run_for(Duration::from_millis(100));
        while let Some(message) = world.recv(0) {
            ballot.handle(&message);
        }
        for node in 1..world.len() {
            while let Some(question) = world.recv(node) {
                // It may be down again, or its answer may have no way: then it did not vote.
                let _ = world.reply(node, &question, "aye");
            }
        }
    }
    Ok(ballot)
}

fn calm() -> Result<usize, Box<dyn std::error::Error>> {
    Ok(vote(&mut World::new(1).nodes(50), S(10))?.voted.len())
}

fn troubled(seed: u64) -> Result<Ballot, Box<dyn std::error::Error>> {
    let mut world = World::new(seed).nodes(50);
    world.plan_faults(&Faults::of_every_kind(2, S(20)));
    let ballot = vote(&mut world, S(20))?;
    world.check()?;
    Ok(ballot)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("{} of 49 nodes voted in a calm mesh", calm()?);
    for seed in 0..10 {
        if troubled(seed)?.twice > 0 {
            return Err(format!("a vote was counted twice with seed {seed}").into());
        }
    }
    println!("every vote was counted once in a troubled one");
    Ok(())
}

#[test]
fn everybody_votes_in_a_calm_mesh() {
    assert_eq!(calm().expect("every promise holds"), 49);
}

#[test]
fn no_vote_is_counted_twice_whatever_goes_wrong() {
    for seed in 0..10 {
        assert_eq!(troubled(seed).expect("every promise holds").twice, 0, "seed {seed}");
    }
}
