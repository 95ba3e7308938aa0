//! Questions to all, and an answer from everybody who hears one.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rs2p::Message;
use rs2p::sim::{Faults, Topology, World};

use crate::seeds::{Outcome, for_each_seed, seeds, settles, the_seed};

const S: fn(u64) -> Duration = Duration::from_secs;
const MS: fn(u64) -> Duration = Duration::from_millis;

fn world(seed: u64, nodes: usize) -> World {
    let topologies =
        [Topology::Mesh, Topology::Tree, Topology::Random { links: 2 }, Topology::Line];
    World::new(seed).topology(topologies[(seed % 4) as usize]).nodes(nodes)
}

/// Lets time pass, in which every node answers what it is asked: answers given, answers got. Each
/// names its question.
fn answer_for(world: &mut World, span: Duration) -> Result<(u64, u64), Box<dyn Error>> {
    let (mut given, mut got) = (0, 0);
    let end = world.now() + span;
    while world.now() < end {
        world.run_for(MS(100));
        world.check()?;
        for node in 0..world.len() {
            while let Some(message) = world.recv(node) {
                if message.kind() == rs2p::Kind::WHISPER {
                    got += 1;
                    names_its_question(&message)?;
                } else {
                    let words = message.id().to_string();
                    given += u64::from(world.reply(node, &message, words).is_ok());
                }
            }
        }
    }
    Ok((given, got))
}

fn names_its_question(answer: &Message) -> Result<(), String> {
    let named = answer.in_reply_to().map(|id| id.to_string());
    if named.as_deref().map(str::as_bytes) == Some(answer[1].as_bytes()) {
        return Ok(());
    }
    Err(format!("an answer to {:?} names {named:?}", answer[1]))
}

fn calm(seed: u64) -> Outcome {
    let mut world = world(seed, 61);
    world.run_for(S(8));
    let asker = world.some_node();
    world.send(asker, "who hears me?")?;
    let (given, got) = answer_for(&mut world, S(10))?;
    if (given, got) != (60, 60) {
        return Err(format!("{given} answers given, {got} got").into());
    }
    Ok(world.check_lossless()?)
}

#[test]
fn sixty_answers_to_one_question_all_arrive() {
    for_each_seed("sixty_answers_to_one_question_all_arrive", seeds(100), calm);
}

/// That each answer comes once, and that none is said to be sent that was not taken, is asked all
/// the time: `World::check`.
fn churn(seed: u64, totals: &[AtomicU64; 2]) -> Outcome {
    let mut world = world(seed, 20);
    world.run_for(S(5));
    world.plan_faults(&Faults::of_every_kind(1, S(15)));
    for question in 0..5 {
        let asker = world.some_node();
        // Equal messages of two nodes whose clocks show the same second would be one.
        world.send(asker, format!("question {question}"))?;
        let (given, got) = answer_for(&mut world, S(3))?;
        totals[0].fetch_add(given, Ordering::Relaxed);
        totals[1].fetch_add(got, Ordering::Relaxed);
    }
    let (given, got) = answer_for(&mut world, S(15))?;
    totals[0].fetch_add(given, Ordering::Relaxed);
    totals[1].fetch_add(got, Ordering::Relaxed);
    settles(&mut world)
}

#[test]
fn answers_arrive_once_or_are_counted_as_lost_whatever_goes_wrong() {
    let totals = [AtomicU64::new(0), AtomicU64::new(0)];
    let test = "answers_arrive_once_or_are_counted_as_lost_whatever_goes_wrong";
    for_each_seed(test, seeds(1000), |seed| churn(seed, &totals));
    let [given, got] = totals.map(AtomicU64::into_inner);
    println!("{given} answers given, {got} got");
    assert!(the_seed().is_some() || got * 10 > given * 8, "{got} of {given} answers");
}
