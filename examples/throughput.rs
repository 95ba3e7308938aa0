//! How fast a pair of nodes is: messages per second and round trips, over loopback.
//!
//! Run it with `cargo run --release --example throughput -- 64 200000`: payload bytes and messages.
//! You will see a rate one way and the median round trip.

use std::time::{Duration, Instant};

use rs2p::{MeshSocket, Message};

const PATIENCE: Duration = Duration::from_secs(60);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let size: usize = args.next().map_or(Ok(64), |arg| arg.parse())?;
    let count: u64 = args.next().map_or(Ok(200_000), |arg| arg.parse())?;
    let (a, b) = (MeshSocket::bind("127.0.0.1:0")?, MeshSocket::bind("127.0.0.1:0")?);
    a.connect(b.local_addr())?;

    let begun = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| (0..count).try_for_each(|n| a.send(payload(n, size)).map(drop)));
        (0..count).try_for_each(|_| b.recv_timeout(PATIENCE).map(drop))
    })?;
    let took = begun.elapsed();
    let rate = count as f64 / took.as_secs_f64();
    println!("{size} B: {rate:.0} messages/s, {:.1} MB/s", rate * size as f64 / 1e6);

    println!("{size} B: round trip p50 {:?}", median_round_trip(&a, &b, size)?);
    println!("{}", b.stats());
    a.close()?;
    b.close()?;
    Ok(())
}

/// Returns a payload that no other message has.
fn payload(n: u64, size: usize) -> Vec<u8> {
    let mut payload = n.to_be_bytes().to_vec();
    payload.resize(size.max(8), 0);
    payload
}

fn median_round_trip(a: &MeshSocket, b: &MeshSocket, size: usize) -> rs2p::Result<Duration> {
    b.register_handler(|msg: &Message, _: &rs2p::Connection| msg.reply(&msg[1]).is_ok());
    let mut times = Vec::new();
    for n in 0..2000 {
        let begun = Instant::now();
        a.whisper(payload(u64::MAX - n, size))?;
        a.recv_timeout(PATIENCE)?;
        times.push(begun.elapsed());
    }
    times.sort();
    Ok(times[times.len() / 2])
}
