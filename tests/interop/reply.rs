//! Replies reach the sender: over its link, or over one that is made for it.

use std::time::Duration;

use rs2p::Routed;

use crate::{
    net::{Net, bind, close, id_of, link, link_back, promises, soon},
    node::{Heard, Node},
};

promises![
    a_reply_goes_straight_to_a_neighbour,
    a_reply_finds_a_py2p_several_hops_away,
    a_py2ps_reply_finds_an_rs2p_several_hops_away,
];

const PATIENCE: Duration = Duration::from_secs(20);

fn a_reply_goes_straight_to_a_neighbour(net: Net) {
    let (py, rs) = (net.py2p(), net.rs2p());
    link(&rs, &py);
    rs.send(["did you get this?", "really?"]).expect("sent");
    let question = py.recv(soon()).expect("the question");
    py.reply(&question, ["yes", "I did"]);
    let answer = rs.recv_timeout(PATIENCE).expect("the answer");
    assert_eq!(answer.payload(), ["yes", "I did"]);
    assert_eq!((answer.kind(), answer.sender()), (rs2p::Kind::WHISPER, id_of(&py)));

    py.send(["and you?"]);
    let question = rs.recv_timeout(PATIENCE).expect("the question");
    assert!(matches!(question.reply(["I", "too"]), Ok(Routed::Sent)));
    let answer = Heard::from(py.recv(soon()).expect("the answer"));
    assert_eq!((answer.flag, answer.kind), (2, vec![2]));
    assert_eq!(answer.payload, [&b"I"[..], b"too"]);
    assert_eq!(answer.sender, rs.id().to_string());
}

/// far – informant – py2p – rs2p, with informants of both kinds.
fn a_reply_finds_a_py2p_several_hops_away(net: Net) {
    for informant in [Node::py2p(net.quiet()), Node::Rs2p(net.rs2p())] {
        let (far, near, rs) = (Node::py2p(net.quiet()), Node::py2p(net.quiet()), net.rs2p());
        far.connect(&informant);
        near.connect(&informant);
        let rs = Node::Rs2p(rs);
        rs.connect(&near);
        let (Node::Rs2p(rs), Node::Py2p(far)) = (&rs, &far) else { unreachable!() };

        far.send(["who hears me?"]);
        let question = rs.recv_timeout(PATIENCE).expect("the question");
        assert_eq!(question.sender(), id_of(far));
        assert!(rs.peer(&id_of(far)).is_none(), "several hops away");
        let Ok(Routed::Pending(ticket)) = question.reply(["I do"]) else {
            panic!("there is no direct link");
        };
        ticket.wait(PATIENCE).expect("a route");
        let answer = Heard::from(far.recv(soon()).expect("the answer"));
        assert_eq!((answer.flag, answer.kind), (2, vec![2]));
        assert_eq!((answer.payload, answer.sender), (vec![b"I do".to_vec()], rs.id().to_string()));
        assert!(rs.peer(&id_of(far)).is_some(), "linked, so that the next one is quick");
        // Nobody was harmed.
        near.assert_nominal();
        informant.assert_nominal();
        assert_eq!(far.status(), [""; 0]);
        close(rs);
    }
}

/// The reply arrives and ruins the py2p that sent it: it drops neighbours and asks for peers in a
/// loop. Those rs2p nodes that it is linked to go on.
fn a_py2ps_reply_finds_an_rs2p_several_hops_away(net: Net) {
    let (far, near, py) = (net.rs2p(), bind(net.builder().max_outgoing(0)), net.py2p());
    far.connect(near.local_addr()).expect("a link");
    link_back(&py, &near);
    far.send("who hears me?").expect("sent");
    assert_eq!(near.recv_timeout(PATIENCE).expect("on its way").payload(), ["who hears me?"]);
    let question = py.recv(soon()).expect("the question");
    assert_eq!(question.sender, far.id().to_string());
    py.reply(&question, ["I do"]);
    let answer = far.recv_timeout(PATIENCE).expect("the answer");
    assert_eq!(answer.payload(), ["I do"]);
    assert_eq!((answer.kind(), answer.sender()), (rs2p::Kind::WHISPER, id_of(&py)));
    near.send("still here?").expect("sent");
    assert_eq!(far.recv_timeout(PATIENCE).expect("a message").payload(), ["still here?"]);
}
