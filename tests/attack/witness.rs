//! Whoever attacks is named: by its address in events, by its own counters.

use std::io::Write;
use std::net::TcpStream;
use std::time::Instant;

use rs2p::report::Refusal;
use rs2p::{MeshEvent, MeshSocket};

use crate::support::raw::{Raw, WHISPER};
use crate::support::{PATIENCE, wait_until};

const STRANGERS: u64 = 500;
const FORGED: u64 = 100;

fn bind() -> MeshSocket {
    MeshSocket::builder().max_outgoing(0).bind(("127.0.0.1", 0)).expect("a port")
}

#[test]
fn many_strangers_share_a_few_events_and_none_goes_uncounted() {
    let node = bind();
    for _ in 0..STRANGERS {
        let mut stranger = TcpStream::connect(node.local_addr()).expect("it listens");
        // The node may have closed the connection before the last byte.
        let _ = stranger.write_all(b"GET / HTTP/1.1\r\n\r\n");
    }
    wait_until("all are turned away", || node.stats().turned_away == STRANGERS);
    let (mut events, mut folded) = (0, 0);
    for event in node.events().try_iter() {
        if let MeshEvent::TurnedAway { addr, others, .. } = event {
            assert!(addr.starts_with("127.0.0.1:"), "{addr}");
            events += 1;
            folded += others;
        }
    }
    assert!(events >= 64 && events + folded <= STRANGERS, "{events} and {folded}");
    assert!(events < STRANGERS / 2, "{events}");
    node.close().expect("closed");
}

#[test]
fn what_a_member_does_wrong_is_counted_for_it_and_for_nobody_else() {
    let (x, honest) = (bind(), bind());
    honest.connect(x.local_addr()).expect("a link");
    let mut raw = Raw::link(x.local_addr(), x.protocol().id(), Instant::now() + PATIENCE);
    for number in 0..FORGED {
        let text = format!("forged {number}");
        raw.say_as(honest.id().as_str(), WHISPER, &[&[2], text.as_bytes()]);
    }
    let of = |id| x.peer_stats().into_iter().find(|peer| peer.id == id).expect("a peer");
    let refused = || of(raw.id()).refused_for(Refusal::ForeignWhisper);
    wait_until("all that is forged is counted", || refused() == FORGED);
    let forger = of(raw.id());
    assert!(forger.received >= FORGED && forger.bytes > 100 * FORGED, "{forger:?}");
    assert!(forger.remote.starts_with("127.0.0.1:"), "{forger:?}");
    assert_eq!(of(honest.id()).refused(), 0);
    for node in [x, honest] {
        node.close().expect("closed");
    }
}
