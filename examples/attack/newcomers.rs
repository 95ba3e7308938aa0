//! Honest nodes that come while X is attacked: their handshake takes 200 ms, as over a long way.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::link::{Link, Stream, dial};
use crate::target::Target;

/// How many came, and how many of them were let in.
#[derive(Clone, Copy, Debug, Default)]
pub struct Newcomers {
    pub came: u32,
    pub let_in: u32,
}

/// Comes every half second, each time in a new name.
pub fn come(target: &Target) -> Newcomers {
    let mut newcomers = Newcomers::default();
    while target.goes_on() {
        let is_in = try_once(target).is_some();
        // What the end of the attack interrupts does not count.
        if target.goes_on() {
            newcomers.came += 1;
            newcomers.let_in += u32::from(is_in);
        }
        target.pause(300);
    }
    newcomers
}

fn try_once(target: &Target) -> Option<()> {
    let stream = dial(IpAddr::V4(Ipv4Addr::LOCALHOST), target.addr).ok()?;
    let mut link = Link::new(Stream::Plain(stream), target.draw_id(), Arc::clone(&target.is_over));
    target.pause(200);
    target.shake(&mut link, crate::target::NOWHERE);
    link.hears().then_some(())
}
