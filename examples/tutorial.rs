//! The tutorial as a program: several nodes on loopback, in one process.
//!
//! Run it with `cargo run --example tutorial`. You will see what the tutorial shows: a mesh that
//! forms, a message that everyone gets, a reply to its sender, answers to a whole batch, a handler
//! that relays transactions, and what `connect` says when the other mesh is another mesh.

use std::time::Duration;

use rs2p::{
    Cause, Connection, Encryption, Error, Kind, MeshSocket, Message, Protocol, SendOptions,
};

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> rs2p::Result<()> {
    env_logger::init();

    println!("# Basic usage");
    let sock = MeshSocket::bind("127.0.0.1:0")?;
    println!("sock is {sock:?}");
    let alice = MeshSocket::bind(("127.0.0.1", 0))?;
    let bob = MeshSocket::builder().out_addr("127.0.0.1", 44565).bind(("127.0.0.1", 0))?;
    println!("bob announces {}", bob.out_addr());

    // `connect` returns when both ends have the link, so no sleep is needed.
    sock.connect(alice.local_addr())?;
    bob.connect(alice.local_addr())?;
    println!("alice has {} peers", alice.routing_table().len());
    wrong_subnet(&sock);

    println!("\n# Sending and receiving");
    sock.send(["this is", "a test"])?;
    println!("alice: {}", alice.recv_timeout(PATIENCE)?);
    println!("bob:   {}", bob.recv_timeout(PATIENCE)?);

    sock.send("Did you get this?")?;
    alice.recv_timeout(PATIENCE)?.reply(["yes", "I did"])?;
    let msg = sock.recv_timeout(PATIENCE)?;
    println!("{msg}");
    println!("{:?}", msg.packets());
    replies_to_a_list(&sock, &alice)?;

    println!("\n# A handler");
    bob.register_handler(relay_tx);
    sock.send_with(SendOptions::new().kind(Kind::new("tx_relay")), b"\x01\x02 a transaction")?;
    sock.send("after the transaction")?;
    // The question to alice and its list came to bob as well; skip them.
    while bob.recv_timeout(PATIENCE)?[1] != b"after the transaction" {}
    println!("bob's handlers kept {} message", bob.stats().handled);

    println!("\n# Closing");
    println!("alice is {}", alice.status());
    for node in [&sock, &alice, &bob] {
        let report = node.close()?;
        println!("{node:?} left {} frames unsent", report.unsent_frames);
    }
    Ok(())
}

/// Shows that another mesh is an error that says so.
fn wrong_subnet(sock: &MeshSocket) {
    let other = Protocol::new("mesh2", Encryption::Plaintext);
    let stranger = MeshSocket::builder().protocol(other).bind(("127.0.0.1", 0));
    match stranger.and_then(|stranger| sock.connect(stranger.local_addr())) {
        Err(error @ Error::Connect { cause: Cause::WrongSubnet(_), .. }) => {
            println!("as it should: {error}");
        }
        other => println!("unexpected: {other:?}"),
    }
}

/// Receives three messages as a batch and answers each.
fn replies_to_a_list(sock: &MeshSocket, alice: &MeshSocket) -> rs2p::Result<()> {
    for n in 1..=3 {
        sock.send(format!("number {n}"))?;
    }
    let mut answered = 0;
    while answered < 3 {
        // Blocks until there is one message, then takes what else is there.
        let first = alice.recv_timeout(PATIENCE)?;
        for msg in [first].into_iter().chain(alice.recv_many(10)?) {
            msg.reply("Replying to a list")?;
            answered += 1;
        }
    }
    for _ in 0..3 {
        println!("{}", sock.recv_timeout(PATIENCE)?);
    }
    Ok(())
}

/// Relays transactions to various services.
fn relay_tx(msg: &Message, _handler: &Connection) -> bool {
    let packets = msg.packets(); // all packets: the kind, then the payload
    let server = msg.server(); // the socket that received it
    if packets[0] == b"tx_relay" {
        println!("relay_tx on {server:?} sends {:?} to the services", packets[1]);
        return true; // no other handler needs to see it
    }
    false
}
