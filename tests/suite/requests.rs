//! Each question gets its own answers, and nothing else gets them.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::bounded;
use rs2p::{Connection, Error, MeshSocket, Message};

use super::support::*;

/// Has the node answer every question, but no answer, with its words and its own id.
fn echo(node: &MeshSocket) {
    let id = node.id().to_string();
    node.register_handler(move |question: &Message, _: &Connection| {
        let answer = || question.reply([question[1].as_bytes(), id.as_bytes()]);
        question.in_reply_to().is_none() && answer().is_ok()
    });
}

#[test]
fn a_question_to_one_node_gets_its_answer_over_any_number_of_hops() {
    let nodes = line(4);
    // A handler at the asking node, and its queue, get no answer.
    let seen = std::sync::Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    nodes[0].register_handler(move |_: &Message, _: &Connection| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    nodes[1..].iter().for_each(echo);
    // Answers go back the way that a message has come, and questions too.
    nodes[0].send("who is there?").expect("sent");
    for node in &nodes[1..] {
        let _ = recv_text(&nodes[0]);
        let answer = nodes[0].request(&node.id(), "one", PATIENCE).expect("an answer");
        assert_eq!(answer.payload(), [b"one".as_slice(), node.id().to_string().as_bytes()]);
        assert_eq!(answer.sender(), node.id());
    }
    assert_eq!(seen.load(Ordering::SeqCst), 3, "only the answers to `send` reach handlers");
    assert!(nodes[0].try_recv().is_err(), "and only they reach the queue");
    assert_eq!(nodes[0].stats().answers, 3);
    close_all(&nodes);
}

#[test]
fn many_threads_ask_many_nodes_and_no_answer_is_crossed() {
    const THREADS: usize = 8;
    let questions = if is_long() { 1250 } else { 250 };
    let nodes = line(5);
    // Questions go back along the path of these.
    for node in &nodes[1..] {
        node.send(node.id().as_str()).expect("sent");
        assert_eq!(recv_text(&nodes[0]), [node.id().as_str()]);
    }
    nodes[1..].iter().for_each(echo);
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let nodes = &nodes;
            scope.spawn(move || {
                for number in 0..questions {
                    let to = nodes[1 + (thread + number) % 4].id();
                    // All threads use the same words at times.
                    let words = match number % 3 {
                        0 => "the same words".to_owned(),
                        _ => format!("{thread}: {number}"),
                    };
                    let answer = nodes[0].request(&to, &words, PATIENCE).expect("an answer");
                    assert_eq!(answer.payload(), [words.as_str(), to.as_str()]);
                }
            });
        }
    });
    assert_eq!(nodes[0].stats().answers, (THREADS * questions) as u64);
    assert_eq!(nodes[0].stats().late_answers, 0);
    assert!(nodes[0].try_recv().is_err(), "recv got none of them");
    close_all(&nodes);
}

#[test]
fn a_question_to_all_is_answered_by_all() {
    let nodes = line(4);
    nodes[1..].iter().for_each(echo);
    let answers = nodes[0].request_all("who is there?", PATIENCE).expect("asked");
    let who: BTreeSet<_> = answers.take(3).map(|answer| answer.sender()).collect();
    assert_eq!(who, nodes[1..].iter().map(MeshSocket::id).collect());
    assert!(nodes[0].try_recv().is_err(), "recv got none of them");
    close_all(&nodes);
}

#[test]
fn answers_to_all_come_until_the_time_is_up() {
    let nodes = line(2);
    echo(&nodes[1]);
    let mut answers = nodes[0].request_all("who?", Duration::from_millis(300)).expect("asked");
    assert!(answers.by_ref().count() <= 1);
    assert!(answers.try_next().is_none());
    close_all(&nodes);
}

#[test]
fn the_first_answer_is_enough_and_the_others_are_counted() {
    let nodes = line(3);
    nodes[1..].iter().for_each(echo);
    let answer = nodes[0].request_any("who is there?", PATIENCE).expect("an answer");
    assert!(answer.sender() != nodes[0].id());
    wait_until("the other answer has come", || nodes[0].stats().late_answers == 1);
    assert!(nodes[0].try_recv().is_err(), "recv did not get it");
    close_all(&nodes);
}

#[test]
fn an_answer_that_comes_too_late_surprises_nobody() {
    let nodes = line(2);
    let error = nodes[0].request(&nodes[1].id(), "now!", Duration::from_millis(50));
    assert!(matches!(error, Err(Error::TimedOut)), "{error:?}");
    recv(&nodes[1]).reply("here it is").expect("sent");
    nodes[1].send("fence").expect("sent");
    assert_eq!(recv_text(&nodes[0]), ["fence"]);
    assert_eq!(nodes[0].stats().late_answers, 1);
    close_all(&nodes);
}

#[test]
fn other_messages_are_no_answers() {
    let nodes = line(2);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| nodes[0].request(&nodes[1].id(), "well?", PATIENCE));
        let question = recv(&nodes[1]);
        nodes[1].send("a broadcast").expect("sent");
        nodes[1].whisper("a whisper").expect("sent");
        nodes[1].send_to(&nodes[0].id(), "a message").expect("sent");
        for words in ["a broadcast", "a whisper", "a message"] {
            assert_eq!(recv_text(&nodes[0]), [words]);
        }
        question.reply("the answer").expect("sent");
        let answer = asking.join().expect("no panic").expect("an answer");
        assert_eq!(answer.payload(), ["the answer"]);
        assert_eq!(answer.in_reply_to(), Some(question.id()));
    });
    close_all(&nodes);
}

#[test]
fn a_message_far_away_that_answers_nothing_is_no_answer() {
    let nodes = line(3);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| nodes[0].request_any("well?", PATIENCE));
        let question = recv(&nodes[2]);
        // It travels back along the path of the question.
        nodes[2].send_to(&nodes[0].id(), "something else").expect("sent");
        assert_eq!(recv_text(&nodes[0]), ["something else"]);
        question.reply("the answer").expect("sent");
        assert_eq!(asking.join().expect("no panic").expect("an answer").payload(), ["the answer"]);
    });
    close_all(&nodes);
}

#[test]
fn a_question_ends_when_its_socket_closes() {
    let nodes = line(2);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| nodes[0].request(&nodes[1].id(), "well?", PATIENCE * 10));
        recv(&nodes[1]);
        nodes[0].close().expect("closed");
        assert!(matches!(asking.join().expect("no panic"), Err(Error::Closed)));
        assert!(matches!(nodes[0].request_any("well?", PATIENCE), Err(Error::Closed)));
    });
    close_all(&nodes);
}

#[test]
fn what_cannot_be_asked_says_so() {
    let nodes = line(2);
    let alone = bind_fixed();
    assert!(matches!(alone.request_any("anybody?", PATIENCE), Err(Error::NoRoute)));
    assert_eq!(alone.request_all("anybody?", PATIENCE).expect("asked").count(), 0);
    let (sender, inside) = bounded(1);
    nodes[1].register_handler(move |msg: &Message, from: &Connection| {
        let me = msg.server().expect("alive");
        sender.send(me.request(&from.id(), "you?", PATIENCE).map(|_| ())).expect("it listens");
        true
    });
    nodes[0].send("go").expect("sent");
    assert!(matches!(inside.recv_timeout(PATIENCE), Ok(Err(Error::WouldDeadlock))));
    close_all(&nodes);
    close_all(&[alone]);
}

#[test]
fn a_question_to_nobody_ends_when_no_way_is_found() {
    let nodes: Vec<_> = (0..2)
        .map(|_| bind_with(builder().max_outgoing(0).request_timeout(Duration::from_millis(100))))
        .collect();
    connect(&nodes[0], &nodes[1]);
    let nobody = bind_fixed();
    let asked = nodes[0].request(&nobody.id(), "are you there?", PATIENCE);
    assert!(matches!(asked, Err(Error::NoRoute)), "{asked:?}");
    close_all(&nodes);
    close_all(&[nobody]);
}
