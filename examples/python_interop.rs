//! rs2p and py2p in one mesh. The Python half is `python_interop.py`.
//!
//! `cargo run --example python_interop` prints an address and waits for one py2p node. Run the other
//! half with a Python from 3.8 to 3.11 that has py2p:
//! `pip install py2p==0.4.516`, then `python examples/python_interop.py PORT`. It prints:
//!
//!     listening on
//!     Python says: hello from Python
//!     Python answers: 1764

use std::io::Write;
use std::time::Duration;

use rs2p::MeshSocket;

const PATIENCE: Duration = Duration::from_secs(120);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sock = MeshSocket::bind("127.0.0.1:0")?;
    println!("listening on {}", sock.local_addr());
    std::io::stdout().flush()?;

    let hello = sock.recv_timeout(PATIENCE)?;
    println!("Python says: {}", hello[1].to_text());
    hello.reply("hello from Rust")?;

    // A py2p node answers as any other does: with `msg.reply`.
    let answer = sock.request(&hello.sender(), ("square", "42"), PATIENCE)?;
    println!("Python answers: {}", answer[1].to_text());
    sock.send("bye")?;
    sock.close()?;
    Ok(())
}
