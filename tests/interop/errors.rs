//! Who does not belong here is told so, and so are we.

use rs2p::{Cause, Error};

use crate::{
    net::{Net, id_of, link, promises, soon, wait_turned_away},
    options::PeerOptions,
    peer::Peer,
};

promises![a_py2p_of_another_subnet_is_an_error_with_both_ids, a_py2p_that_is_gone_refuses,];

fn a_py2p_of_another_subnet_is_an_error_with_both_ids(net: Net) {
    let stranger = Peer::start(PeerOptions { subnet: "other", ..net.quiet() });
    let (rs, friend) = (net.rs2p(), net.py2p());
    assert_eq!(stranger.protocol_id(), net.protocol("other").id());
    assert_eq!(friend.protocol_id(), rs.protocol().id());

    match rs.connect(stranger.addr()) {
        Err(Error::Connect { cause: Cause::WrongSubnet(mesh), .. }) => {
            let ids = (mesh.ours.as_str(), mesh.theirs.as_str());
            assert_eq!(ids, (rs.protocol().id(), stranger.protocol_id()));
        }
        other => panic!("{other:?}"),
    }
    stranger.connect(rs.local_addr());
    match wait_turned_away(&rs) {
        Cause::WrongSubnet(mesh) => assert_eq!(mesh.theirs, stranger.protocol_id()),
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
        Err(Error::Connect { addr, cause: Cause::Refused }) => assert_eq!(*addr, py.addr().into()),
        other => panic!("{other:?}"),
    }
}
