//! Everybody answers one question: every answer arrives, or its ticket says that it did not.

mod support;

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rs2p::{Builder, Encryption, MeshSocket, NodeId};
use support::{PATIENCE, builder_of};

/// The request timeout of a socket with default settings.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
fn builder(encryption: Encryption) -> Builder {
    builder_of("answers", encryption)
}

/// A tree of nodes with default settings, each connected to an earlier one, which find more peers
/// by themselves.
fn mesh(encryption: Encryption, count: usize) -> Vec<MeshSocket> {
    let mut nodes: Vec<MeshSocket> = Vec::new();
    for n in 0..count {
        let node = builder(encryption).bind(("127.0.0.1", 0)).expect("a free port");
        if n > 0 {
            node.connect(nodes[(n - 1) / 3].local_addr()).expect("a link");
        }
        nodes.push(node);
    }
    nodes
}

/// What became of one answer, as its ticket says.
type Outcome = (NodeId, rs2p::Result<()>);

/// The last node asks, all others answer at once and wait on their tickets: what they were told,
/// and how often the answer of each came.
fn ask(nodes: &[MeshSocket]) -> (Vec<Outcome>, BTreeMap<NodeId, usize>) {
    let (asker, others) = nodes.split_last().expect("a node");
    let all_know = Barrier::new(others.len());
    thread::scope(|scope| {
        let answering: Vec<_> = others
            .iter()
            .map(|node| {
                let all_know = &all_know;
                scope.spawn(move || {
                    let question = node.recv_timeout(PATIENCE).expect("the question");
                    all_know.wait();
                    let reply = question.reply(node.id().to_string());
                    (node.id(), reply.and_then(|reply| reply.wait(REQUEST_TIMEOUT * 2)))
                })
            })
            .collect();
        asker.send("who is there?").expect("sent");
        let mut heard = BTreeMap::new();
        let deadline = Instant::now() + REQUEST_TIMEOUT * 2;
        while heard.len() < others.len() {
            let Ok(answer) = asker.recv_timeout(deadline.saturating_duration_since(Instant::now()))
            else {
                break;
            };
            assert_eq!(answer.payload(), [answer.sender().as_str()]);
            assert_eq!(answer.kind(), rs2p::Kind::WHISPER);
            *heard.entry(answer.sender()).or_default() += 1;
            if heard.len() == others.len() {
                break;
            }
        }
        let outcomes = answering.into_iter().map(|thread| thread.join().expect("no panic"));
        (outcomes.collect(), heard)
    })
}

fn everybody_is_heard(encryption: Encryption, count: usize) {
    let nodes = mesh(encryption, count);
    let begun = Instant::now();
    let (outcomes, heard) = ask(&nodes);
    println!("{count} nodes, {encryption:?}: {} answers in {:?}", heard.len(), begun.elapsed());
    let failed: Vec<&Outcome> = outcomes.iter().filter(|(_, sent)| sent.is_err()).collect();
    let lied: Vec<&NodeId> = outcomes
        .iter()
        .filter(|(id, sent)| sent.is_ok() && !heard.contains_key(id))
        .map(|(id, _)| id)
        .collect();
    assert!(lied.is_empty(), "{} said to be sent, and never arrived", lied.len());
    assert!(failed.is_empty(), "{} failed, the first: {:?}", failed.len(), failed[0]);
    assert_eq!(heard.len(), count - 1, "answers that arrived");
    assert!(heard.values().all(|&times| times == 1), "an answer came twice");
    close_all(&nodes);
}

fn close_all(nodes: &[MeshSocket]) {
    thread::scope(|scope| {
        for node in nodes {
            scope.spawn(|| drop(node.close().expect("closed")));
        }
    });
}

/// `a` asks, `c` answers over `b` and closes at once.
#[test]
fn an_answer_that_is_followed_by_the_end_arrives() {
    let bind = || builder(Encryption::Plaintext).max_outgoing(0).bind(("127.0.0.1", 0));
    for _ in 0..5 {
        let [a, b, c] = std::array::from_fn(|_| bind().expect("a free port"));
        a.connect(b.local_addr()).expect("a link");
        c.connect(b.local_addr()).expect("a link");
        a.send("the question").expect("sent");
        let question = c.recv_timeout(PATIENCE).expect("the question");
        question.reply("the answer").expect("on its way");
        let report = c.close().expect("closed");
        let answer = a.recv_timeout(PATIENCE).expect("the answer");
        assert_eq!((answer.payload()[0].as_bytes(), answer.sender()), (&b"the answer"[..], c.id()));
        assert_eq!((report.unsent_frames, report.unsent_replies), (0, 0));
        assert_eq!((c.stats().replies_taken, c.stats().replies_lost()), (1, 0));
        close_all(&[a, b]);
    }
}

#[test]
fn what_is_given_up_at_the_end_is_in_the_report_and_counted() {
    let [a, b] = std::array::from_fn(|_| {
        builder(Encryption::Plaintext).bind(("127.0.0.1", 0)).expect("a free port")
    });
    a.connect(b.local_addr()).expect("a link");
    let nobody = "6VnYj9LjoVLTvU3uPhy4nxm6yv2wEvhaRtGHeV9wwFngWGGqKAzuZ8jK6gFuvq737V";
    a.send_to(&nobody.parse().expect("an id"), "are you there?").expect("kept");
    assert_eq!(a.close().expect("closed").unsent_replies, 1);
    assert_eq!(a.stats().replies_lost_for(rs2p::report::ReplyLoss::Closed), 1);
    assert!(!a.status().is_nominal());
    close_all(&[b]);
}

/// The last node has seen a message of the first one: it finds it though it is no peer, without a
/// link being made.
#[test]
fn a_message_to_a_node_that_was_heard_before_needs_no_link() {
    let nodes: Vec<MeshSocket> = (0..5)
        .map(|_| builder(Encryption::Plaintext).max_outgoing(0).bind(("127.0.0.1", 0)))
        .map(|node| node.expect("a free port"))
        .collect();
    for pair in nodes.windows(2) {
        pair[0].connect(pair[1].local_addr()).expect("a link");
    }
    let (first, last) = (&nodes[0], &nodes[4]);
    first.send("here I am").expect("sent");
    last.recv_timeout(PATIENCE).expect("the message");
    last.send_to(&first.id(), "I see").and_then(|reply| reply.wait(PATIENCE)).expect("taken");
    let answer = first.recv_timeout(PATIENCE).expect("the answer");
    assert_eq!((answer.payload()[0].as_bytes(), answer.sender()), (&b"I see"[..], last.id()));
    // And back: the answer has left a way, too.
    let reply = answer.reply("good").and_then(|reply| reply.wait(PATIENCE));
    reply.expect("taken");
    assert_eq!(last.recv_timeout(PATIENCE).expect("the reply").sender(), first.id());
    assert_eq!((first.links(), last.links()), (1, 1), "no link was made");
    close_all(&nodes);
}

#[test]
fn sixty_answers_to_one_question_arrive() {
    everybody_is_heard(Encryption::Plaintext, 61);
}

#[test]
fn more_answers_than_the_asker_may_have_links_arrive() {
    everybody_is_heard(Encryption::Plaintext, 301);
}

#[cfg(feature = "native-tls")]
#[test]
fn sixty_answers_to_one_question_arrive_over_ssl() {
    everybody_is_heard(Encryption::Ssl, 61);
}

#[cfg(feature = "native-tls")]
#[test]
fn more_answers_than_the_asker_may_have_links_arrive_over_ssl() {
    everybody_is_heard(Encryption::Ssl, 301);
}
