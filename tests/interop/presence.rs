//! Presence of rs2p nodes in a mesh with a py2p node between them.

use rs2p::presence::Presence;

use crate::net::{Net, bind, id_of, link, promises, soon, wait_until};

promises![members_know_each_other_over_a_py2p_whose_program_receives_nothing];

fn members_know_each_other_over_a_py2p_whose_program_receives_nothing(net: Net) {
    let present = |name| bind(net.builder().max_outgoing(0).presence(Presence::new().name(name)));
    let (alice, py, bob) = (present("alice"), net.py2p(), present("bob"));
    link(&alice, &py);
    link(&bob, &py);
    for (node, other, name) in [(&alice, &bob, "bob"), (&bob, &alice, "alice")] {
        wait_until(node, "the other member", soon(), || {
            node.members().iter().any(|member| member.id == other.id() && member.name == name)
        });
        let members = node.members();
        let found = members.iter().find(|member| member.id == id_of(&py));
        assert_eq!(found.map(|member| member.has_presence), Some(false));
    }
    // The first message that its `recv` gets is not one about presence.
    alice.send("hello").expect("sent");
    assert_eq!(py.recv(soon()).expect("a message").payload(), [b"hello"]);
    assert_eq!(py.status(), [""; 0]);
}
