//! Several sources in one thread: messages, a topic, events, a ticker, and Ctrl-C.
//!
//! Run it with `cargo run --example select`. It ends after five ticks, or on Ctrl-C. It prints:
//!
//!     somebody is linked
//!     message: hello
//!     topic: news
//!     tick 5
//!     closed

use std::time::Duration;

use rs2p::crossbeam_channel::{bounded, select, tick};
use rs2p::{MeshEvent, MeshSocket, SendOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let sock = MeshSocket::bind("127.0.0.1:0")?;
    let (stop, stopped) = bounded(1);
    ctrlc::set_handler(move || _ = stop.try_send(()))?;

    // Somebody to listen to.
    let other = MeshSocket::bind("127.0.0.1:0")?;
    let news = sock.subscribe("news")?;
    other.connect(sock.local_addr())?;
    other.send("hello")?;
    other.send_with(SendOptions::new().kind("news"), "there is a mesh")?;

    let (messages, topic, events) = (sock.receiver(), news.receiver(), sock.events());
    let ticks = tick(Duration::from_millis(100));
    let mut count = 0;
    while count < 5 {
        select! {
            recv(messages) -> msg => println!("message: {}", msg?[1].to_text()),
            recv(topic) -> msg => println!("topic: {}", msg?.kind().as_bytes().escape_ascii()),
            recv(events) -> event => if let MeshEvent::Joined { .. } = event? {
                println!("somebody is linked");
            },
            recv(ticks) -> _ => {
                count += 1;
                println!("tick {count}");
            },
            recv(stopped) -> _ => {
                println!("interrupted");
                break;
            }
        }
    }
    sock.close()?;
    other.close()?;
    println!("closed");
    Ok(())
}
