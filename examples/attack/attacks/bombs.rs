//! Small frames that are large when they are unpacked.

use super::{Attack, flood, trickle};
use crate::forge::{Packer, body, broadcast, whisper};
use crate::link::Link;
use crate::target::Target;

const MIB: usize = 1 << 20;

pub fn all() -> Vec<Attack> {
    let mut all: Vec<Attack> = Packer::ALL.iter().flat_map(|packer| of(*packer)).collect();
    all.push(
        Attack::new("bombs", "60 links, 60 MiB of zlib each", |t| {
            let bomb = Packer::Zlib.packed(&vec![0; 60 * MIB]);
            flood(t, 60, move |_, _| bomb.clone());
        })
        .full()
        .named(),
    );
    all.push(
        Attack::new("bombs", "40 links, valid whispers of 15 MiB", |t| {
            let mut links = t.links(40);
            for link in links.iter_mut() {
                let bomb = Packer::Zlib.packed(&whisper(&link.id, b"large", 15 * MIB));
                link.send(&bomb);
            }
            t.rest();
        })
        .short(),
    );
    all.push(Attack::new("bombs", "4,000 streams in one frame", many_streams).full().named());
    all.push(
        Attack::new("bombs", "a stream that breaks off at its end", broken_off).full().named(),
    );
    all
}

/// Bombs over the limit, and bombs that are valid and have to be relayed.
fn of(packer: Packer) -> [Attack; 2] {
    let name = packer.name();
    [
        Attack::new("bombs", format!("{name}: 64 MiB, over the limit"), move |t| {
            let bomb = packer.packed(&vec![0; 64 * MIB]);
            flood(t, 1, move |_, _| bomb.clone());
        })
        .full()
        .named(),
        Attack::new("bombs", format!("{name}: broadcasts of 8 MiB, two a second"), move |t| {
            trickle(t, 1, 2, move |link, number| valid(packer, link, number));
        }),
    ]
}

fn valid(packer: Packer, link: &Link, number: u64) -> Vec<u8> {
    packer.packed(&broadcast(&link.id, &number.to_be_bytes(), 8 * MIB))
}

fn many_streams(target: &Target) {
    let stream = Packer::Zlib.pack(b"");
    let bomb = body(&stream.repeat(4000));
    flood(target, 1, move |_, _| bomb.clone());
}

fn broken_off(target: &Target) {
    let mut packed = Packer::Zlib.pack(&vec![0; 15 * MIB]);
    packed.truncate(packed.len().saturating_sub(6));
    let bomb = body(&packed);
    flood(target, 1, move |_, _| bomb.clone());
}
