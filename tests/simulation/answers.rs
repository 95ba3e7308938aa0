//! Questions to all, and an answer from everybody who hears one.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rs2p::sim::{Faults, Topology, World};
use rs2p::{Message, MessageId};

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
    // Where links are exchanged, one may be given up while a question is on it. Then the answer is turned down on
    // its way, and takes another one.
    let keeps_links = !seed.is_multiple_of(4);
    Ok(if keeps_links { world.check_lossless() } else { world.check() }?)
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

/// Eight nodes ask four others, over one to some hops, while links break and nodes stop and crash.
const ASKERS: std::ops::Range<usize> = 0..8;
const RESPONDERS: std::ops::Range<usize> = 16..20;

/// What became of the questions, by their words.
#[derive(Default)]
struct Questions {
    asked: usize,
    /// The ids under which they were received.
    received: BTreeMap<String, MessageId>,
    answered: BTreeSet<String>,
}

impl Questions {
    fn ask(&mut self, world: &mut World, asker: usize) {
        let responder = RESPONDERS.start + self.asked % RESPONDERS.len();
        if let Some(id) = world.id(responder) {
            let words = format!("{asker} asks {}", self.asked);
            self.asked += usize::from(world.send_to(asker, &id, words).is_ok());
        }
    }

    fn answer(&mut self, world: &mut World) {
        for node in RESPONDERS {
            while let Some(question) = world.recv(node) {
                let words = question[1].to_text().into_owned();
                // A node that is down cannot answer.
                let _ = world.reply(node, &question, words.as_str());
                assert_eq!(self.received.insert(words, question.id()), None, "received twice");
            }
        }
    }

    fn take(&mut self, world: &mut World) {
        for asker in ASKERS {
            while let Some(answer) = world.recv(asker) {
                let words = answer[1].to_text().into_owned();
                assert!(words.starts_with(&format!("{asker} asks ")), "{asker} got: {words}");
                assert_eq!(answer.in_reply_to(), self.received.get(&words).copied(), "{words}");
                assert!(self.answered.insert(words), "answered twice");
            }
        }
    }
}

#[test]
fn of_ten_thousand_questions_none_is_answered_twice_or_with_the_answer_of_another() {
    let mut world = World::new(1).topology(Topology::Random { links: 2 }).nodes(20);
    world.run_for(S(5));
    world.plan_faults(&Faults { resets: 20, freezes: 3, crashes: 3, ..Faults::within(S(25)) });
    let mut questions = Questions::default();
    while questions.asked < 10_000 || world.now() < S(90) {
        if questions.asked < 10_000 {
            ASKERS.for_each(|asker| questions.ask(&mut world, asker));
        }
        world.run_for(MS(20));
        questions.answer(&mut world);
        questions.take(&mut world);
    }
    world.check().expect("all promises");
    let (asked, answered) = (questions.asked, questions.answered.len());
    println!("{asked} questions asked, {} received, {answered} answered", questions.received.len());
    assert!(asked >= 10_000 && answered * 10 > asked * 8, "{answered} of {asked}");
}
