//! Connections that never become links.

use std::io::Write;
use std::net::TcpStream;

use socket2::SockRef;

use super::Attack;
use crate::forge::{RS2P, WHISPER, broadcast, unfinished};
use crate::link::Link;
use crate::raw::HANDSHAKE;
use crate::target::{NOWHERE, Target};

pub fn all() -> Vec<Attack> {
    let new = |name, run: fn(&Target)| Attack::new("strangers", name, run);
    vec![
        new("200 that say nothing", |t| silent(t, 200, b"")).newcomers().short(),
        new("1,000 that say nothing", |t| silent(t, 1000, b"")).newcomers(),
        new("200 with half a handshake", |t| silent(t, 200, b"\0\0\x01\0\0\0\0\x01")).newcomers(),
        new("200 with one byte", |t| silent(t, 200, b"\0")).newcomers(),
        new("200 with 60 kB of a frame", |t| silent(t, 200, &unfinished(65_000, 60_000)))
            .newcomers(),
        new("200 that say a hello and no more", |t| {
            keep_open(t, 200, |link| link.say(WHISPER, &[RS2P, br#"["links"]"#]));
        })
        .newcomers(),
        new("200 that send a byte every second", drip).newcomers(),
        new("connect and close, as fast as it can", |t| come_and_go(t, drop)).full().newcomers(),
        new("connect and reset, as fast as it can", |t| {
            come_and_go(t, |stream| {
                let _ = SockRef::from(&stream).set_linger(Some(std::time::Duration::ZERO));
            });
        })
        .full()
        .newcomers()
        .short(),
        new("speak HTTP", |t| speak(t, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")).full().newcomers(),
        new("speak TLS to a plain node", |t| speak(t, b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03"))
            .full()
            .newcomers(),
        new("speak of another mesh, with escapes in its name", other_mesh)
            .full()
            .newcomers()
            .named(),
        new("talk before the handshake", |t| {
            come_as_link(t, |link| {
                let bytes = broadcast(&link.id, b"early", 1000).repeat(50);
                link.send(&bytes)
            });
        })
        .full()
        .newcomers(),
        new("20,000 hellos before the handshake", |t| {
            come_as_link(t, |link| {
                (0..20_000).all(|_| link.say(WHISPER, &[RS2P, br#"["links"]"#]))
            });
        })
        .full()
        .newcomers(),
    ]
}

/// Keeps so many connections that have said this, and replaces those that X closes.
pub(super) fn silent(target: &Target, count: u32, bytes: &[u8]) {
    let connect = |number| {
        let mut stream = target.tcp_as(number % 50).ok()?;
        stream.write_all(bytes).ok()?;
        stream.set_nonblocking(true).ok().map(|()| stream)
    };
    let mut streams: Vec<Option<TcpStream>> = (0..count).map(connect).collect();
    while target.goes_on() {
        for (stream, number) in streams.iter_mut().zip(0..) {
            if stream.as_ref().is_none_or(has_ended) && target.goes_on() {
                *stream = connect(number);
            }
        }
        target.pause(50);
    }
}

fn has_ended(stream: &TcpStream) -> bool {
    match stream.peek(&mut [0]) {
        Ok(count) => count == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    }
}

fn keep_open(target: &Target, count: usize, say: impl Fn(&mut Link) -> bool) {
    let mut links: Vec<Link> = Vec::new();
    while target.goes_on() {
        links.retain(|link| {
            let _ = link.tcp().set_nonblocking(true);
            !has_ended(link.tcp())
        });
        while links.len() < count && target.goes_on() {
            let Some(mut link) = target.connect() else { break };
            say(&mut link);
            links.push(link);
        }
        target.pause(50);
    }
}

fn drip(target: &Target) {
    let mut streams: Vec<TcpStream> = (0..200).filter_map(|n| target.tcp_as(n % 50).ok()).collect();
    while target.goes_on() {
        streams.retain_mut(|stream| stream.write_all(b"\0").is_ok());
        while streams.len() < 200 && target.goes_on() {
            streams.extend(target.tcp());
        }
        target.pause(1000);
    }
}

fn come_and_go(target: &Target, go: impl Fn(TcpStream)) {
    while target.goes_on() {
        target.tcp().map_or_else(|_| target.pause(5), &go);
    }
}

fn speak(target: &Target, words: &[u8]) {
    come_and_go(target, |mut stream| {
        let _ = stream.write_all(words);
    });
}

fn come_as_link(target: &Target, say: impl Fn(&mut Link) -> bool) {
    while target.goes_on() {
        let Some(mut link) = target.connect() else { return target.pause(5) };
        say(&mut link);
    }
}

fn other_mesh(target: &Target) {
    come_as_link(target, |link| {
        let (id, name) = (link.id.clone(), b"\x1b[2J\nERROR root login ok");
        let packets = [HANDSHAKE, id.as_bytes(), name, NOWHERE.as_bytes(), b"[]"];
        link.say(WHISPER, &packets);
        link.hears()
    });
}
