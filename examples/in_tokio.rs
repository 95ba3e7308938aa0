//! A socket in an async program: `notify_with` wakes a task, which takes what is there.
//!
//! No thread of the runtime blocks. What can block, such as `send`, goes through `spawn_blocking`, or
//! use `try_send`. Run it with `cargo run --example in_tokio`. It prints:
//!
//!     the task got 1000 messages

use std::sync::Arc;
use std::thread;

use rs2p::MeshSocket;
use rs2p::error::TryRecvError;
use tokio::sync::Notify;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sock = MeshSocket::bind("127.0.0.1:0")?;
    let other = MeshSocket::bind("127.0.0.1:0")?;
    other.connect(sock.local_addr())?;
    let sending = thread::spawn(move || {
        (0..1000).try_for_each(|n| other.send(n.to_string()).map(drop)).map(|()| other)
    });

    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let count = runtime.block_on(receive(&sock, 1000))?;
    println!("the task got {count} messages");
    sending.join().map_err(|_| "the sending thread panicked")??.close()?;
    sock.close()?;
    Ok(())
}

async fn receive(sock: &MeshSocket, count: usize) -> Result<usize, TryRecvError> {
    let news = Arc::new(Notify::new());
    let notify = Arc::clone(&news);
    sock.notify_with(move || notify.notify_one());
    let mut got = 0;
    while got < count {
        match sock.try_recv() {
            Ok(_) => got += 1,
            // A call since the last look makes this return at once.
            Err(TryRecvError::Empty) => news.notified().await,
            Err(error) => return Err(error),
        }
    }
    Ok(got)
}
