//! What TLS costs: the same work over plaintext and over SSL, measured alternately in one run.
//!
//! Run it with `cargo run --release --features native-tls --example encryption_cost`. You will see
//! a table of medians: rates one way, and round trips of a whisper and its reply.

use std::time::{Duration, Instant};

use rs2p::{Encryption, MeshSocket, Message, Protocol};

const PATIENCE: Duration = Duration::from_secs(60);
const ROUNDS: usize = 7;
const ROUND_TRIPS: u64 = 3000;
/// Payload bytes, and messages of a round: about half a second each.
const WORK: [(usize, u64); 4] = [(64, 50_000), (1024, 40_000), (16 * 1024, 6_000), (1 << 20, 150)];

fn main() -> rs2p::Result<()> {
    let pairs = [Encryption::Plaintext, Encryption::Ssl].map(Pair::new);
    let [plain, ssl] = pairs.map(|pair| pair.expect("two sockets on this machine"));
    println!("| median of {ROUNDS} | plaintext | SSL | SSL / plaintext |\n|---|---|---|---|");
    for (size, count) in WORK {
        let [plain, ssl] = in_turns([&plain, &ssl], |pair| pair.rate(size, count))?;
        println!(
            "| {size} B one way | {} | {} | {:.2} |",
            shown(plain, size),
            shown(ssl, size),
            ssl / plain
        );
    }
    let [plain_us, ssl_us] = in_turns([&plain, &ssl], Pair::round_trip)?;
    println!("| 64 B and back | {plain_us:.1} µs | {ssl_us:.1} µs | {:.2} |", ssl_us / plain_us);
    plain.close()?;
    ssl.close()
}

/// Measures both, round by round, so that a busy moment hits both; their medians.
fn in_turns(
    pairs: [&Pair; 2],
    measure: impl Fn(&Pair) -> rs2p::Result<f64>,
) -> rs2p::Result<[f64; 2]> {
    let mut results = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (pair, results) in pairs.iter().zip(&mut results) {
            results.push(measure(pair)?);
        }
    }
    Ok(results.map(median))
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}

fn shown(rate: f64, size: usize) -> String {
    format!("{rate:.0} messages/s, {:.0} MB/s", rate * size as f64 / 1e6)
}

struct Pair {
    a: MeshSocket,
    b: MeshSocket,
}

impl Pair {
    fn new(encryption: Encryption) -> rs2p::Result<Self> {
        let bind = || {
            let protocol = Protocol::new("mesh", encryption);
            MeshSocket::builder().protocol(protocol).bind("127.0.0.1:0")
        };
        let (a, b) = (bind()?, bind()?);
        a.connect(b.local_addr())?;
        Ok(Pair { a, b })
    }

    /// Messages per second from one node to the other.
    fn rate(&self, size: usize, count: u64) -> rs2p::Result<f64> {
        let begun = Instant::now();
        std::thread::scope(|scope| {
            let sender = scope
                .spawn(|| (0..count).try_for_each(|n| self.a.whisper(payload(n, size)).map(drop)));
            (0..count).try_for_each(|_| self.b.recv_timeout(PATIENCE).map(drop))?;
            sender.join().expect("it does not panic")
        })?;
        Ok(count as f64 / begun.elapsed().as_secs_f64())
    }

    /// Returns the median time of a message and its reply, in microseconds.
    fn round_trip(&self) -> rs2p::Result<f64> {
        let echo = self
            .b
            .register_handler(|msg: &Message, _: &rs2p::Connection| msg.reply(&msg[1]).is_ok());
        let mut times = Vec::new();
        for n in 0..ROUND_TRIPS {
            let begun = Instant::now();
            self.a.whisper(payload(n, 64))?;
            self.a.recv_timeout(PATIENCE)?;
            times.push(begun.elapsed().as_secs_f64() * 1e6);
        }
        echo.unregister();
        Ok(median(times))
    }

    fn close(self) -> rs2p::Result<()> {
        self.a.close()?;
        self.b.close()?;
        Ok(())
    }
}

/// Returns a payload that no other message has.
fn payload(n: u64, size: usize) -> Vec<u8> {
    let mut payload = n.to_be_bytes().to_vec();
    payload.resize(size.max(8), 0);
    payload
}
