//! Presence: who is in the mesh, beyond the direct peers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rs2p::presence::{Absence, Member, Presence};
use rs2p::{Connection, Error, MeshEvent, MeshSocket, Message, NodeId};

use super::support::*;

fn present(name: &str, role: &str) -> MeshSocket {
    bind_with(builder().max_outgoing(0).presence(Presence::new().name(name).role(role)))
}

fn find(node: &MeshSocket, id: NodeId) -> Option<Member> {
    node.members().into_iter().find(|member| member.id == id)
}

#[test]
fn members_know_each_other_over_a_node_without_presence_whose_program_sees_nothing() {
    let (alice, middle, carol) = (present("alice", "printer"), bind_fixed(), present("carol", ""));
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    middle.register_handler(move |_: &Message, _: &Connection| {
        counter.fetch_add(1, Ordering::SeqCst);
    });
    connect(&alice, &middle);
    connect(&carol, &middle);
    let joined = |node: &MeshSocket| {
        wait_for(node, |event| match event {
            MeshEvent::MemberJoined(member) => Some(member.clone()),
            _ => None,
        })
    };
    // Carol came later: Alice's next announcement tells her.
    let (of_alice, of_carol) = (joined(&alice), joined(&carol));
    assert_eq!((of_alice.id, &*of_alice.name), (carol.id(), "carol"));
    assert_eq!((of_carol.id, &*of_carol.role), (alice.id(), "printer"));
    assert_eq!(find(&alice, middle.id()).map(|member| member.has_presence), Some(false));
    assert_eq!(find(&middle, alice.id()).map(|member| member.has_presence), Some(false));

    carol.close().expect("closed");
    let left = wait_for(&alice, |event| match event {
        MeshEvent::MemberLeft { id, why, .. } => Some((*id, *why)),
        _ => None,
    });
    assert_eq!(left, (carol.id(), Absence::Closed));
    assert_eq!(find(&alice, carol.id()), None);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    assert_eq!(middle.stats().delivered, 0);
    close_all(&[alice, middle]);
}

#[test]
fn a_peer_tells_a_newcomer_who_else_is_there() {
    let (alice, bob) = (present("alice", ""), present("bob", ""));
    connect(&bob, &alice);
    wait_until("bob knows alice", || find(&bob, alice.id()).is_some_and(|it| it.has_presence));
    let carol = present("carol", "");
    connect(&carol, &bob);
    wait_until("carol knows alice, whom she is not linked to", || {
        find(&carol, alice.id()).is_some_and(|member| member.name == "alice")
    });
    wait_until("alice knows carol", || {
        find(&alice, carol.id()).is_some_and(|member| member.name == "carol")
    });
    close_all(&[alice, bob, carol]);
}

#[test]
fn a_name_of_over_64_bytes_is_refused() {
    let bind = |len: usize| {
        builder().presence(Presence::new().name("x".repeat(len))).bind(("127.0.0.1", 0))
    };
    assert!(matches!(bind(65), Err(Error::NameTooLong { len: 65, max: 64 })));
    bind(64).expect("short enough").close().expect("closed");
}
