//! Attacks on a node with TLS: handshakes that are half done, and the others through TLS.

use std::io::Write;

use super::strangers::silent;
use super::{Attack, flood, to_each};
use crate::forge::{broadcast, unfinished};
use crate::target::Target;

/// The head of a record with a ClientHello of 508 bytes, without these.
const HALF_HELLO: &[u8] = b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03";

pub fn all() -> Vec<Attack> {
    let new = |name, run: fn(&Target)| Attack::new("TLS", name, run).tls();
    vec![
        new("200 that say nothing", |t| silent(t, 200, b"")),
        new("200 with half a ClientHello", |t| silent(t, 200, HALF_HELLO)).short(),
        new("200 with 16 KiB of a record that is no TLS", |t| {
            silent(t, 200, &[&b"\x16\x03\x03\x40\0"[..], &[0; 16_384]].concat());
        }),
        new("speak plainly, as fast as it can", |t| {
            while t.goes_on() {
                let spoken = t.tcp().and_then(|mut tcp| tcp.write_all(&unfinished(300, 100)));
                spoken.unwrap_or_else(|_| t.pause(5));
            }
        })
        .full(),
        new("whole handshakes without end", |t| {
            while t.goes_on() {
                t.connect().map_or_else(|| t.pause(5), drop);
            }
        })
        .full(),
        new("whole handshakes, then silence", |t| {
            let mut links = Vec::new();
            while t.goes_on() {
                links.extend(t.connect());
                t.pause(5);
            }
        }),
        new("close in the middle of the handshake", |t| {
            while t.goes_on() {
                let spoken = t.tcp().and_then(|mut tcp| tcp.write_all(HALF_HELLO));
                spoken.unwrap_or_else(|_| t.pause(5));
            }
        })
        .full(),
        new("broadcasts as fast as it can", |t| {
            flood(t, 1, |link, n| broadcast(&link.id, &n.to_be_bytes(), 100));
        })
        .full(),
        new("60 frames of 16 MiB, all but the last byte", |t| {
            let (mut links, bytes) = (t.links(60), unfinished(16 << 20, (16 << 20) - 1));
            to_each(&mut links, &bytes);
            t.rest();
        }),
        new("five links that read nothing", |t| {
            let links = t.links(5);
            links.iter().for_each(crate::link::Link::narrow);
            t.rest();
        })
        .size(20_000)
        .named(),
    ]
}
