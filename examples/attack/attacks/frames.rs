//! Frames that never end, that are too large, or that are no messages.

use super::{Attack, flood, to_each};
use crate::forge::{body, broadcast, spoilt, unfinished, whisper};
use crate::link::Link;
use crate::raw::{BROADCAST, HANDSHAKE, frame, message};
use crate::target::Target;

const MIB: usize = 1 << 20;

pub fn all() -> Vec<Attack> {
    let mut all = vec![
        held("100 frames of 16 MiB, all but the last byte", 100, 16 * MIB, 16 * MIB - 1),
        held("100 frames of 1 MiB, all but the last byte", 100, MIB, MIB - 1),
        held("100 frames of 16 MiB, 1 MiB of each", 100, 16 * MIB, MIB),
        held("100 frames of 64 KiB, all but the last byte", 100, 65_536, 65_535),
        Attack::new("unfinished", "100 links send a byte of a frame every 100 ms", drip),
        Attack::new("unfinished", "100 links with half a length", |t| {
            let mut links = t.links(100);
            to_each(&mut links, &[0, 0]);
            t.rest();
        }),
        repeated("a length of 4 GiB", |_, _| unfinished(u32::MAX, 0)).named().short(),
        repeated("a frame over the limit", |_, _| unfinished(17 << 20, 100)).named(),
        repeated("65,532 empty packets", |link, n| many_packets(link, n, 65_000)),
        repeated("too many packets", |_, _| body(&vec![0; 4 * 70_000])).named(),
        repeated("1 MB as sender", |link, _| spoilt(&link.id, 1, &vec![b'1'; 1_000_000])).named(),
    ];
    all.extend(malformed());
    all
}

fn held(name: &str, links: usize, announced: usize, sent: usize) -> Attack {
    let announced = u32::try_from(announced).unwrap_or(u32::MAX);
    Attack::new("unfinished", name, move |target| {
        let (mut links, part) = (target.links(links), vec![0; 64 << 10]);
        for link in &mut links {
            let mut left = sent;
            let mut is_open = link.send(&announced.to_be_bytes());
            while left > 0 && is_open && target.goes_on() {
                let now = left.min(part.len());
                is_open = link.send(part.get(..now).unwrap_or_default());
                left -= now;
            }
        }
        target.rest();
    })
    .named()
}

fn drip(target: &Target) {
    let mut links = target.links(100);
    to_each(&mut links, &100_000_u32.to_be_bytes());
    while target.goes_on() {
        to_each(&mut links, &[0]);
        target.pause(100);
    }
}

fn repeated(
    name: &'static str,
    make: impl Fn(&Link, u64) -> Vec<u8> + Copy + Sync + 'static,
) -> Attack {
    Attack::new("frames", name, move |target| flood(target, 1, make)).full()
}

fn many_packets(link: &Link, number: u64, count: usize) -> Vec<u8> {
    let number = number.to_be_bytes();
    let mut packets: Vec<&[u8]> = vec![&[0], &number];
    packets.resize(count, &[]);
    message(&link.id, BROADCAST, &packets)
}

/// What is wrong with a frame, one row each.
fn malformed() -> Vec<Attack> {
    vec![
        repeated("random bytes", |_, n| {
            let mut bytes = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes().repeat(20);
            bytes.iter_mut().zip(0_u8..).for_each(|(byte, at)| *byte = byte.wrapping_mul(at | 1));
            body(&bytes)
        })
        .named()
        .short(),
        repeated("no packets", |_, _| body(&[])).named(),
        repeated("sizes over the frame", |_, _| body(&[0xff; 64])).named(),
        repeated("two bytes of flag", |link, _| spoilt(&link.id, 0, b"xx")).named(),
        repeated("an unknown flag", |link, _| spoilt(&link.id, 0, b"\xee")),
        repeated("no sender", |link, _| spoilt(&link.id, 1, b"")).named(),
        repeated("a sender that is no id", |link, _| spoilt(&link.id, 1, b"0OIl")).named(),
        repeated("a wrong id", |link, _| spoilt(&link.id, 2, &[b'2'; 66])).named(),
        repeated("no date", |link, _| spoilt(&link.id, 3, b"not base58: 0OIl")).named(),
        repeated("no payload", |link, _| frame(&[&[0], link.id.as_bytes(), b"2", b"2"])).named(),
        repeated("a handshake as a broadcast", |link, n| {
            message(&link.id, BROADCAST, &[HANDSHAKE, &n.to_be_bytes()])
        })
        .named(),
        repeated("half a handshake", |link, n| {
            message(&link.id, crate::forge::WHISPER, &[HANDSHAKE, &n.to_be_bytes()])
        })
        .named(),
        repeated("whispers in the name of others", |_, n| {
            let id = crate::forge::id(n);
            whisper(&id, b"trust me", 10)
        })
        .named(),
        repeated("broadcasts in names that are drawn anew", |_, n| {
            let id = crate::forge::id(n);
            broadcast(&id, b"many", 10)
        }),
    ]
}
