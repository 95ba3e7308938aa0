//! Many that connect in the same moment: all get in, and nobody who only takes up room keeps them
//! out.

mod support;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use rs2p::{Encryption, MeshSocket};
use support::{builder_of, slow_way};

/// How long a packet takes, each way.
const DELAY: Duration = Duration::from_millis(50);
const CROWD: usize = 100;

fn bind(encryption: Encryption) -> MeshSocket {
    builder_of("crowd", encryption).max_outgoing(0).bind(("127.0.0.1", 0)).expect("a free port")
}

/// A way to the node. Its threads end with the connections; the one that accepts ends after so many of
/// them.
fn slow_way(to: SocketAddr, most: usize) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
    let addr = listener.local_addr().expect("bound");
    thread::spawn(move || slow_way::pass_on(listener.incoming().take(most), to, DELAY));
    addr
}

/// A hundred nodes connect at once, beside so many strangers that say nothing. `connect` itself
/// fails after five seconds.
fn all_get_in(encryption: Encryption, silent: usize) {
    let hub = bind(encryption);
    let strangers: Vec<TcpStream> =
        (0..silent).map(|_| TcpStream::connect(hub.local_addr()).expect("listening")).collect();
    // A dial that finds no room is repeated, over another connection.
    let addr = slow_way(hub.local_addr(), 5 * CROWD);
    let nodes: Vec<MeshSocket> = (0..CROWD).map(|_| bind(encryption)).collect();
    let start = Barrier::new(CROWD);
    let failed: Vec<String> = thread::scope(|scope| {
        let connects: Vec<_> = nodes
            .iter()
            .map(|node| {
                scope.spawn(|| {
                    start.wait();
                    let begun = Instant::now();
                    node.connect(addr).map(|_| begun.elapsed())
                })
            })
            .collect();
        let outcomes: Vec<_> =
            connects.into_iter().map(|connect| connect.join().expect("no panic")).collect();
        let longest = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).max();
        println!("{encryption:?} beside {silent}: the slowest took {longest:?}");
        outcomes.into_iter().filter_map(Result::err).map(|error| error.to_string()).collect()
    });
    assert!(failed.is_empty(), "{} of {CROWD} failed, the first: {}", failed.len(), failed[0]);
    assert_eq!((hub.routing_table().len(), hub.stats().left), (CROWD, 0), "{}", hub.status());
    assert!(hub.links() <= 128 + 64, "strangers hold no threads: {}", hub.links());
    drop(strangers);
    thread::scope(|scope| {
        for node in nodes.iter().chain([&hub]) {
            scope.spawn(|| drop(node.close().expect("closed")));
        }
    });
}

#[test]
fn a_hundred_connects_at_once_succeed() {
    all_get_in(Encryption::Plaintext, 0);
}

#[test]
fn a_hundred_connects_at_once_succeed_beside_silent_strangers() {
    all_get_in(Encryption::Plaintext, 200);
}

#[test]
fn a_thousand_silent_strangers_keep_nobody_out() {
    all_get_in(Encryption::Plaintext, 1000);
}

#[cfg(feature = "native-tls")]
#[test]
fn a_hundred_connects_at_once_succeed_over_ssl() {
    all_get_in(Encryption::Ssl, 0);
}

#[cfg(feature = "native-tls")]
#[test]
fn a_hundred_connects_at_once_succeed_over_ssl_beside_silent_strangers() {
    all_get_in(Encryption::Ssl, 200);
}
