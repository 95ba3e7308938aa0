//! Topics: each part of a program receives only what it is interested in.
//!
//! Run it with `cargo run --example topics`. It prints:
//!
//!     weather: rain
//!     price of tea: 3.50
//!     price of coffee: 4.20
//!     alarm: the kettle boils
//!     nothing was left for recv

use std::time::Duration;

use rs2p::{Connection, MeshSocket, Message, SendOptions};

const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let publisher = MeshSocket::bind("127.0.0.1:0")?;
    let reader = MeshSocket::bind("127.0.0.1:0")?;
    reader.connect(publisher.local_addr())?;

    // Two queues, which two threads could read, and a handler.
    let prices = reader.subscribe("prices")?;
    let weather = reader.subscribe("weather")?;
    let (tell, told) = std::sync::mpsc::channel();
    reader.register_handler_for("alarm", move |msg: &Message, _: &Connection| {
        tell.send(msg[1].to_text().into_owned()).is_ok()
    });

    publish(&publisher, "prices", ["tea", "3.50"])?;
    publish(&publisher, "weather", ["rain"])?;
    publish(&publisher, "alarm", ["the kettle boils"])?;
    publish(&publisher, "gossip", ["did you hear?"])?; // relayed by every node, read by none
    publish(&publisher, "prices", ["coffee", "4.20"])?;

    println!("weather: {}", weather.recv_timeout(PATIENCE)?[1].to_text());
    for _ in 0..2 {
        let price = prices.recv_timeout(PATIENCE)?;
        println!("price of {}: {}", price[1].to_text(), price[2].to_text());
    }
    println!("alarm: {}", told.recv_timeout(PATIENCE)?);
    if reader.try_recv().is_err() {
        println!("nothing was left for recv");
    }
    reader.close()?;
    publisher.close()?;
    Ok(())
}

fn publish<const N: usize>(node: &MeshSocket, topic: &str, packets: [&str; N]) -> rs2p::Result<()> {
    node.send_with(SendOptions::new().kind(topic), packets).map(drop)
}
