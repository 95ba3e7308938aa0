//! Questions and answers: to one node, to whoever answers first, to everybody.
//!
//! Run it with `cargo run --example request_reply`. It prints:
//!
//!     one node: 6 * 7 = 42
//!     the first of three: 9 * 9 = 81
//!     3 nodes answered
//!     nobody: timed out

use std::time::Duration;

use rs2p::{Connection, Error, MeshSocket, Message};

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> rs2p::Result<()> {
    // Three nodes that can multiply, in a line behind the one that asks.
    let asker = MeshSocket::bind("127.0.0.1:0")?;
    let mut nodes = vec![asker.clone()];
    for _ in 0..3 {
        let node = MeshSocket::builder().max_outgoing(0).bind("127.0.0.1:0")?;
        node.connect(nodes[nodes.len() - 1].local_addr())?;
        node.register_handler(multiply);
        nodes.push(node);
    }

    let answer = asker.request(&nodes[1].id(), ("multiply", "6", "7"), PATIENCE)?;
    println!("one node: 6 * 7 = {}", answer[1].to_text());

    let answer = asker.request_any(("multiply", "9", "9"), PATIENCE)?;
    println!("the first of three: 9 * 9 = {}", answer[1].to_text());

    // Without `take` it ends when the time is up.
    let answers = asker.request_all(("multiply", "2", "2"), PATIENCE)?.take(3);
    println!("{} nodes answered", answers.filter(|answer| answer[1] == b"4").count());

    match asker.request_any("can anybody sing?", Duration::from_millis(200)) {
        Err(Error::TimedOut) => println!("nobody: timed out"),
        other => println!("unexpected: {other:?}"),
    }
    for node in nodes {
        node.close()?;
    }
    Ok(())
}

/// Answers a question that it understands, and keeps it from `recv`.
fn multiply(question: &Message, _from: &Connection) -> bool {
    let [what, a, b] = question.payload() else { return false };
    let number = |text: &rs2p::Packet| text.to_text().parse::<u64>().ok();
    match (what.as_bytes(), number(a), number(b)) {
        (b"multiply", Some(a), Some(b)) => {
            let product = a.saturating_mul(b).to_string();
            question.reply(product).is_ok()
        }
        _ => false,
    }
}
