//! Questions of rs2p nodes that py2p nodes answer, and the other way round.

use std::time::Duration;

use crate::net::{Net, bind, id_of, link, link_back, promises, soon};

promises![
    a_py2p_answers_a_question_by_its_reply,
    py2p_and_rs2p_nodes_answer_the_same_question,
    a_py2p_several_hops_away_answers_a_question,
];

const PATIENCE: Duration = Duration::from_secs(20);

fn a_py2p_answers_a_question_by_its_reply(net: Net) {
    let (py, rs) = (net.py2p(), net.rs2p());
    link(&rs, &py);
    for (number, words) in ["one", "two", "two"].into_iter().enumerate() {
        std::thread::scope(|scope| {
            let asking = scope.spawn(|| rs.request(&id_of(&py), words, PATIENCE));
            let question = py.recv(soon()).expect("the question");
            assert_eq!(question.payload(), [words.as_bytes()]);
            py.reply(&question, [format!("answer {number}")]);
            let answer = asking.join().expect("no panic").expect("an answer");
            assert_eq!(answer.payload(), [format!("answer {number}").as_str()]);
            assert_eq!((answer.sender(), answer.in_reply_to()), (id_of(&py), None));
        });
    }
    // Nobody asks any more: this is an ordinary message.
    py.whisper(["by the way"]);
    assert_eq!(rs.recv_timeout(PATIENCE).expect("a message").payload(), ["by the way"]);
    assert_eq!(py.status(), [""; 0]);
}

fn py2p_and_rs2p_nodes_answer_the_same_question(net: Net) {
    let (py, rs, other) = (net.py2p(), net.rs2p(), bind(net.builder().max_outgoing(0)));
    link(&rs, &py);
    rs.connect(other.local_addr()).expect("a link");
    let answers = rs.request_all("who is there?", PATIENCE).expect("asked");
    let question = py.recv(soon()).expect("the question");
    py.reply(&question, ["py2p"]);
    other.recv_timeout(PATIENCE).expect("the question").reply("rs2p").expect("sent");
    let mut words: Vec<_> = answers.take(2).map(|answer| answer[1].to_vec()).collect();
    words.sort();
    assert_eq!(words, [b"py2p", b"rs2p"]);
    assert!(rs.try_recv().is_err(), "recv got none of them");
}

/// The reply arrives over a link that the py2p makes for it, and ruins that py2p: see `reply.rs`.
fn a_py2p_several_hops_away_answers_a_question(net: Net) {
    let (far, near, py) = (net.rs2p(), bind(net.builder().max_outgoing(0)), net.py2p());
    far.connect(near.local_addr()).expect("a link");
    link_back(&py, &near);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| far.request_any("who hears me?", PATIENCE));
        let question = py.recv(soon()).expect("the question");
        py.reply(&question, ["I do"]);
        let answer = asking.join().expect("no panic").expect("an answer");
        assert_eq!((answer.payload(), answer.sender()), (&["I do".into()][..], id_of(&py)));
    });
}
