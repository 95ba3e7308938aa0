//! Who does not belong here is told so, and so are we.

use rs2p::{Cause, Error};

use crate::{
    net::{Net, bind, id_of, link, promises, soon, wait_turned_away},
    options::PeerOptions,
    peer::Peer,
};

promises![
    a_py2p_of_another_subnet_is_an_error_with_both_ids,
    a_py2p_that_is_gone_refuses,
    a_py2p_that_finds_no_room_is_turned_away_unhurt,
];

fn a_py2p_of_another_subnet_is_an_error_with_both_ids(net: Net) {
    let stranger = Peer::start(PeerOptions { subnet: "other", ..net.quiet() });
    let (rs, friend) = (net.rs2p(), net.py2p());
    assert_eq!(stranger.protocol_id(), net.protocol("other").id());
    assert_eq!(friend.protocol_id(), rs.protocol().id());

    match rs.connect(stranger.addr()) {
        Err(Error::WrongSubnet { ours, theirs }) => {
            assert_eq!((&*ours, &*theirs), (rs.protocol().id(), stranger.protocol_id()));
        }
        other => panic!("{other:?}"),
    }
    stranger.connect(rs.local_addr());
    match wait_turned_away(&rs) {
        Cause::WrongSubnet { theirs } => assert_eq!(theirs, stranger.protocol_id()),
        other => panic!("{other}"),
    }
    stranger.wait_links(soon(), |links| links.peers.is_empty() && links.awaiting == 0);
    assert_eq!(stranger.status(), [""; 0], "it was turned away, not hurt");

    // The node goes on.
    link(&rs, &friend);
    assert_eq!(rs.routing_table().into_keys().collect::<Vec<_>>(), [id_of(&friend)]);
}

fn a_py2p_that_is_gone_refuses(net: Net) {
    let (rs, mut py) = (net.rs2p(), net.py2p());
    py.close();
    match rs.connect(py.addr()) {
        Err(Error::Refused { addr }) => assert_eq!(addr, py.addr()),
        other => panic!("{other:?}"),
    }
}

/// It dials because it was told of us, and so has us in its table from the start. Closed without
/// an answer, it would try to read and write that row for ever.
fn a_py2p_that_finds_no_room_is_turned_away_unhurt(net: Net) {
    let full = bind(net.builder().max_outgoing(0).max_links(1));
    let only = net.rs2p();
    full.connect(only.local_addr()).expect("a link");
    let (informant, py) = (net.py2p(), Peer::start(net.options()));
    informant.connect(py.addr());
    py.wait_links(soon(), |links| links.link(informant.id()).is_some());
    informant.tell_of(full.id().as_str(), full.local_addr());
    let cause = wait_turned_away(&full);
    assert!(matches!(cause, Cause::TooManyLinks), "{cause}");
    py.wait_links(soon(), |links| links.ids() == [informant.id()] && links.awaiting == 0);
    py.settle();
    assert_eq!(py.status(), [""; 0]);
    assert_eq!(py.table().awaiting, 0);
}
