//! All attacks, by kind. Each is a function of what it attacks, or a row with the frame that it repeats.

mod bombs;
mod ends;
mod floods;
mod frames;
mod lists;
mod names;
mod readers;
mod strangers;
#[cfg(feature = "native-tls")]
mod tls;
mod words;

use crate::link::Link;
use crate::target::Target;

/// Bytes that a flood writes at once.
const CHUNK: usize = 64 << 10;
/// How often in a second a flood with a rate writes.
const BEATS: u64 = 50;

type Run = Box<dyn Fn(&Target) + Sync>;

pub struct Attack {
    pub kind: &'static str,
    pub name: String,
    pub run: Run,
    /// Whether CI runs it.
    pub is_short: bool,
    /// Whether the attacker takes all the processor time that it can get.
    pub is_full: bool,
    /// Whether X has to say who it is and what it does.
    pub is_named: bool,
    pub is_tls: bool,
    /// Whether honest newcomers have to be let in meanwhile.
    pub has_newcomers: bool,
    /// Bytes of each honest message.
    pub size: usize,
}

impl Attack {
    fn new(
        kind: &'static str,
        name: impl Into<String>,
        run: impl Fn(&Target) + Sync + 'static,
    ) -> Attack {
        Attack {
            kind,
            name: name.into(),
            run: Box::new(run),
            is_short: false,
            is_full: false,
            is_named: false,
            is_tls: false,
            has_newcomers: false,
            size: 100,
        }
    }

    fn short(mut self) -> Attack {
        self.is_short = true;
        self
    }

    fn full(mut self) -> Attack {
        self.is_full = true;
        self
    }

    fn named(mut self) -> Attack {
        self.is_named = true;
        self
    }

    #[cfg(feature = "native-tls")]
    fn tls(mut self) -> Attack {
        self.is_tls = true;
        self
    }

    fn newcomers(mut self) -> Attack {
        self.has_newcomers = true;
        self
    }

    fn size(mut self, bytes: usize) -> Attack {
        self.size = bytes;
        self
    }
}

pub fn all() -> Vec<Attack> {
    let mut all = vec![Attack::new("control", "nothing", Target::rest).short()];
    all.extend(readers::all());
    all.extend(floods::all());
    all.extend(frames::all());
    all.extend(bombs::all());
    all.extend(strangers::all());
    all.extend(names::all());
    all.extend(lists::all());
    all.extend(words::all());
    all.extend(ends::all());
    #[cfg(feature = "native-tls")]
    all.extend(tls::all());
    all
}

/// Links so often, and sends what `make` makes of a link and a number as fast as X takes it. A link that X
/// has closed is replaced by another one in another name.
fn flood(target: &Target, links: usize, make: impl Fn(&Link, u64) -> Vec<u8>) {
    let (mut links, mut number) = (target.links(links), 0);
    while target.goes_on() {
        if links.is_empty() {
            target.pause(50);
            links.extend(target.link());
        }
        for link in &mut links {
            let mut bytes = Vec::new();
            while bytes.len() < CHUNK {
                bytes.extend(make(link, number));
                number += 1;
            }
            send_or_replace(target, link, &bytes);
        }
    }
}

/// The same, at a rate: so many frames in a second, on all links together.
fn trickle(target: &Target, links: usize, rate: u64, make: impl Fn(&Link, u64) -> Vec<u8>) {
    let (mut links, mut number) = (target.links(links), 0);
    let mut owed = 0;
    while target.goes_on() {
        target.pause(1000 / BEATS);
        owed += rate;
        let count = links.len();
        for _ in 0..owed / BEATS {
            let Some(link) = links.get_mut(number as usize % count.max(1)) else { break };
            let bytes = make(link, number);
            send_or_replace(target, link, &bytes);
            number += 1;
        }
        owed %= BEATS;
    }
}

fn send_or_replace(target: &Target, link: &mut Link, bytes: &[u8]) {
    if !link.send(bytes) {
        target.pause(5);
        if let Some(new) = target.link() {
            *link = new;
        }
    }
    link.drain();
}

fn to_each(links: &mut [Link], bytes: &[u8]) {
    for link in links {
        link.send(bytes);
    }
}
