//! A way on which everything takes its time: connections are passed on, with a delay each way.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use super::let_pass;

/// Passes connections on to this address, each in threads of its own, until there are no more of them.
pub fn pass_on(
    connections: impl Iterator<Item = io::Result<TcpStream>>,
    to: SocketAddr,
    delay: Duration,
) {
    for near in connections {
        let near = near.expect("a connection");
        thread::spawn(move || {
            let_pass(delay);
            // Without anybody there the near end is closed too.
            let Ok(far) = TcpStream::connect(to) else { return };
            let (near_too, far_too) = (near.try_clone(), far.try_clone());
            copy(near, far, delay);
            copy(far_too.expect("a handle"), near_too.expect("a handle"), delay);
        });
    }
}

/// Copies what is read after the delay, in order. The end of it is passed on as well.
fn copy(mut from: TcpStream, mut to: TcpStream, delay: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(len) = from.read(&mut bytes)
            && len > 0
            && sender.send((Instant::now() + delay, bytes[..len].to_vec())).is_ok()
        {}
    });
    thread::spawn(move || {
        for (at, bytes) in receiver {
            let_pass(at.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                break;
            }
        }
        // The other side may have closed it already.
        let _ = to.shutdown(Shutdown::Write);
    });
}
