//! A chat in as many terminals as you like.
//!
//! In the first: `cargo run --example chat -- alice 127.0.0.1:4444`. In the others, with the
//! address of any that runs already: `cargo run --example chat -- bob 127.0.0.1:0 127.0.0.1:4444`.
//! What you type, everyone sees. `/peers` shows the peers that you are linked with. An empty line,
//! or the end of the input, ends the program.

use std::io::BufRead;
use std::{env, io, thread};

use rs2p::{MeshEvent, MeshSocket};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [name, bind, peers @ ..] = &args[..] else {
        return Err("usage: chat NAME BIND_ADDRESS [PEER_ADDRESS ...]".into());
    };
    let sock = MeshSocket::bind(bind.as_str())?;
    println!("listening on {}", sock.out_addr());
    for peer in peers {
        let connection = sock.connect(peer.as_str())?;
        println!("connected to {}", connection.addr());
    }

    let listener = sock.clone();
    let listening = thread::spawn(move || {
        for msg in &listener {
            if let [who, what] = msg.payload() {
                println!("{}: {}", who.to_text(), what.to_text());
            }
        }
    });
    let events = sock.events();
    thread::spawn(move || {
        // Ends with the program: the socket keeps its events for as long as it lives.
        for event in events {
            match event {
                MeshEvent::Joined { addr, .. } => println!("* {addr} is linked"),
                MeshEvent::Left { id, cause, .. } => {
                    println!("* {:.8}… is gone: {cause}", id.to_string())
                }
                _ => {}
            }
        }
    });

    for line in io::stdin().lock().lines() {
        match line?.as_str() {
            "" => break,
            "/peers" => sock.routing_table().values().for_each(|peer| println!("{peer:?}")),
            text => {
                sock.send([name.as_str(), text])?;
            }
        }
    }
    sock.send([name.as_str(), "goodbye"])?;
    sock.close()?;
    listening.join().map_err(|_| "the listening thread panicked")?;
    Ok(())
}
