//! Links that end in unusual ways, or half.

use std::net::Shutdown;

use super::Attack;
use crate::forge::{broadcast, unfinished};
use crate::link::Link;
use crate::target::Target;

pub fn all() -> Vec<Attack> {
    let new = |name, run: fn(&Target)| Attack::new("ends", name, run);
    vec![
        new("link and close, as fast as it can", |t| each(t, drop)).full().short(),
        new("link and reset, as fast as it can", |t| each(t, Link::reset)).full(),
        new("reset in the middle of a frame", |t| {
            each(t, |mut link| {
                link.send(&unfinished(100_000, 50_000));
                link.reset();
            });
        })
        .full(),
        new("close in the middle of a frame", |t| {
            each(t, |mut link| {
                link.send(&unfinished(100_000, 50_000));
            });
        })
        .full(),
        new("reset behind a broadcast", |t| {
            each(t, |mut link| {
                let bytes = broadcast(&link.id, b"last word", 1000);
                link.send(&bytes);
                link.reset();
            });
        })
        .full(),
        new("20 links that close only their writing half", |t| half(t, Shutdown::Write)),
        new("20 links that close only their reading half", |t| half(t, Shutdown::Read)),
        new("100 links that leave at once, every second", |t| {
            while t.goes_on() {
                drop(t.links(100));
                t.pause(1000);
            }
        })
        .full(),
    ]
}

fn each(target: &Target, end: impl Fn(Link)) {
    while target.goes_on() {
        target.link().map_or_else(|| target.pause(5), &end);
    }
}

fn half(target: &Target, which: Shutdown) {
    let links = target.links(20);
    for link in &links {
        let _ = link.tcp().shutdown(which);
    }
    target.rest();
}
