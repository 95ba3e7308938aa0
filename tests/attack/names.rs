//! Members that use the name of another one, which is linked and alive.

use std::time::{Duration, Instant};

use rs2p::report::Refusal;
use rs2p::{MeshSocket, NodeId};

use crate::support::raw::{BROADCAST, HANDSHAKE, Raw, WHISPER};
use crate::support::{PATIENCE, wait_until};

const COUNT: usize = 50;
const CHOICE: Duration = Duration::from_secs(2);

/// A second link in the name of `id`, which offers the choice between its links or does not.
fn impostor(x: &MeshSocket, id: NodeId, offers_choice: bool) -> Raw {
    let until = Instant::now() + PATIENCE;
    let mut raw = Raw::connect_as(x.local_addr(), id);
    raw.say(WHISPER, &[b"rs2p", br#"["links","pace"]"#]);
    raw.shake_hands(x.protocol().id());
    while raw.next(until).expect("a handshake").payload[0] != HANDSHAKE {}
    if offers_choice {
        raw.say(WHISPER, &[b"rs2p", br#"["links","spare"]"#]);
    }
    raw
}

#[test]
fn what_an_impostor_says_in_the_name_of_a_linked_peer_is_not_delivered() {
    for offers_choice in [false, true] {
        // Who does not offer the choice is waited for twice as long.
        let builder = MeshSocket::builder().max_outgoing(0).handshake_timeout(CHOICE);
        let bind = || builder.clone().bind(("127.0.0.1", 0)).expect("a port");
        let (x, a) = (bind(), bind());
        a.connect(x.local_addr()).expect("a link");
        let mut raw = impostor(&x, a.id(), offers_choice);
        for number in 0..COUNT {
            let forged = format!("forged {number}");
            raw.say(WHISPER, &[&[2], forged.as_bytes()]);
            raw.say(BROADCAST, &[&[0], forged.as_bytes()]);
            a.send(format!("honest {number}")).expect("sent");
        }
        for number in 0..COUNT {
            let heard = x.recv_timeout(PATIENCE).expect("what A says");
            assert_eq!(heard[1], format!("honest {number}").as_bytes());
        }
        // The end of the false link: what was kept back is decided on.
        drop(raw);
        let refused = || x.stats().refused_for(Refusal::SecondLink);
        wait_until("what was read of it is refused", || refused() > 0);
        assert!(x.try_recv().is_err());
        assert_eq!(x.routing_table().len(), 1, "A is linked");
        for node in [x, a] {
            node.close().expect("closed");
        }
    }
}
