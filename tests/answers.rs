//! Everybody answers one question: every answer arrives, or its ticket says that it did not.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rs2p::{Builder, Encryption, MeshSocket, NodeId, Protocol};

/// The request timeout of a socket with default settings.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// Longer than anything here takes on a busy machine; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(60);

fn builder(encryption: Encryption) -> Builder {
    let builder = MeshSocket::builder().protocol(Protocol::new("answers", encryption));
    #[cfg(feature = "native-tls")]
    if encryption == Encryption::Ssl {
        return builder.tls(rs2p::Tls::new().identity(identity().clone()));
    }
    builder
}

/// One certificate for all nodes: what is tested is not how fast keys are made.
#[cfg(feature = "native-tls")]
fn identity() -> &'static rs2p::TlsIdentity {
    static IDENTITY: std::sync::OnceLock<rs2p::TlsIdentity> = std::sync::OnceLock::new();
    IDENTITY.get_or_init(|| rs2p::TlsIdentity::generate().expect("a key"))
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
