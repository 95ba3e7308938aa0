//! A program that keeps the node: what others send each other goes on through it.

use crossbeam_channel::bounded;
use rs2p::{Connection, MeshSocket, Message, Trouble};

use crate::support::{PATIENCE, wait_until};

const COUNT: usize = 300;
/// All of them are more than a link may read ahead of the program.
const SIZE: usize = 10_000;

fn bind() -> MeshSocket {
    MeshSocket::builder().max_outgoing(0).bind(("127.0.0.1", 0)).expect("a port")
}

#[test]
fn a_handler_that_blocks_stops_no_relay_and_is_told_while_it_does() {
    let (x, from, to) = (bind(), bind(), bind());
    from.connect(x.local_addr()).expect("a link");
    to.connect(x.local_addr()).expect("a link");
    let (entered, inside) = bounded(1);
    let (release, gate) = bounded::<()>(0);
    x.register_handler(move |_: &Message, _: &Connection| {
        // Nobody listens after the first time. The handler ends when the test drops its side.
        let _ = entered.try_send(());
        let _ = gate.recv();
    });
    from.send("stay in the handler").expect("sent");
    inside.recv_timeout(PATIENCE).expect("in the handler");
    for number in 0..COUNT {
        from.send([number.to_string().into_bytes(), vec![7; SIZE]]).expect("sent");
    }
    assert_eq!(to.recv_timeout(PATIENCE).expect("the first one")[1], b"stay in the handler");
    for number in 0..COUNT {
        let heard = to.recv_timeout(PATIENCE).expect("relayed while the handler blocks");
        assert_eq!(heard[1], number.to_string().as_bytes(), "in order");
    }
    let says_so = || x.status().current().contains(&Trouble::HandlerBlocks);
    wait_until("the status names the handler", says_so);
    drop(release);
    wait_until("all is delivered", || x.stats().queued == COUNT as u64 + 1);
    wait_until("the trouble is over", || !says_so());
    assert_eq!(from.stats().missed_frames, 0, "{}", from.stats());
    for node in [x, from, to] {
        node.close().expect("closed");
    }
}

#[test]
fn a_program_that_receives_nothing_stops_no_relay() {
    let builder = MeshSocket::builder().max_outgoing(0).queue_messages(1);
    let x = builder.bind(("127.0.0.1", 0)).expect("a port");
    let (from, to) = (bind(), bind());
    from.connect(x.local_addr()).expect("a link");
    to.connect(x.local_addr()).expect("a link");
    // From now on a full queue waits for this program.
    assert!(x.try_recv().is_err());
    for number in 0..COUNT {
        from.send([number.to_string().into_bytes(), vec![7; SIZE]]).expect("sent");
    }
    for number in 0..COUNT {
        let heard = to.recv_timeout(PATIENCE).expect("relayed while nobody receives");
        assert_eq!(heard[1], number.to_string().as_bytes(), "in order");
    }
    assert!(x.stats().queued < COUNT as u64, "{}", x.stats());
    for node in [x, from, to] {
        node.close().expect("closed");
    }
}
