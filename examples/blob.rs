//! A file of 10 MB to five nodes, in pieces, with a progress bar.
//!
//! `send` blocks while a receiver is behind, so the pieces need no confirmation. Run it with
//! `cargo run --release --example blob`. It prints:
//!
//!     5 nodes have all 10485760 bytes

use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rs2p::{MeshSocket, SendOptions};

const SIZE: usize = 10 << 20;
const PIECE: usize = 64 << 10;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let blob: Vec<u8> = (0..SIZE).map(|n| (n * 31 % 251) as u8).collect();
    let sender = MeshSocket::bind("127.0.0.1:0")?;
    let mut receivers = Vec::new();
    for _ in 0..5 {
        let node = MeshSocket::bind("127.0.0.1:0")?;
        node.connect(sender.local_addr())?;
        receivers.push((node.subscribe("blob")?, node));
    }

    let bar = ProgressBar::new(SIZE as u64);
    bar.set_style(ProgressStyle::with_template("{bar:40} {bytes}/{total_bytes} {bytes_per_sec}")?);
    let complete = thread::scope(|scope| {
        let receiving: Vec<_> = receivers
            .iter()
            .map(|(pieces, _)| {
                let blob = &blob;
                scope.spawn(move || {
                    let mut copy = vec![0; SIZE];
                    let mut missing = SIZE;
                    while missing > 0 {
                        let piece = pieces.recv_timeout(Duration::from_secs(60)).ok()?;
                        // Pieces may take different paths, so each says where it belongs.
                        let at: usize = piece[1].to_text().parse().ok()?;
                        copy.get_mut(at..at + piece[2].len())?.copy_from_slice(&piece[2]);
                        missing -= piece[2].len();
                    }
                    Some(copy == *blob)
                })
            })
            .collect();
        for (number, piece) in blob.chunks(PIECE).enumerate() {
            let at = (number * PIECE).to_string();
            sender.send_with(SendOptions::new().kind("blob"), (at, piece))?;
            bar.inc(piece.len() as u64);
        }
        let complete = receiving.into_iter().filter_map(|it| it.join().ok()?).filter(|it| *it);
        Ok::<_, rs2p::Error>(complete.count())
    })?;
    bar.finish();
    println!("{complete} nodes have all {SIZE} bytes");
    for (_, node) in receivers {
        node.close()?;
    }
    sender.close()?;
    Ok(())
}
