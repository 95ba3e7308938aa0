//! Members that do not take what they are sent, or not all of it, or not always.

use super::Attack;
use crate::forge::{RS2P, WHISPER, broadcast};
use crate::link::Link;
use crate::raw::{BROADCAST, REQUEST, message};
use crate::target::Target;

/// Honest messages that fill the buffers of the system within seconds.
const LARGE: usize = 20_000;

pub fn all() -> Vec<Attack> {
    let new = |name, run: fn(&Target)| Attack::new("not reading", name, run).size(LARGE);
    vec![
        new("one py2p reads nothing", |t| deaf(t, 1, Target::link)).short().named(),
        new("one rs2p reads nothing", |t| deaf(t, 1, Target::link_rs2p)).short().named(),
        new("20 links read nothing", |t| deaf(t, 20, Target::link)).named(),
        new("a new py2p that reads nothing every 300 ms", |t| take_turns(t, Target::link)).named(),
        new("a new rs2p that reads nothing every 300 ms", |t| take_turns(t, Target::link_rs2p))
            .short()
            .named(),
        new("one name reconnects every 300 ms and reads nothing", same_name),
        new("2 kB every 100 ms", |t| sip(t, 2_000, 100)).named(),
        new("150 kB every second", |t| sip(t, 150_000, 1000)),
        new("everything, but only every 900 ms", |t| sip(t, 64 << 20, 900)).named(),
        new("reads well for 3 s, then nothing", reads_then_not),
        new("says it has taken everything", |t| lies(t, u64::from(u32::MAX))),
        new("says it has taken nothing, again and again", |t| lies(t, 0)),
        new("says it has left X behind, again and again", left_behind),
        new("a new rs2p that reads nothing every 300 ms, 20 MB/s of broadcasts", deaf_in_a_flood)
            .full(),
        new("20 deaf links and 2 MB/s of broadcasts for them", deaf_and_flood).named(),
        Attack::new("not reading", "asks for addresses and takes no answer", ask).full().named(),
        Attack::new("not reading", "a new asker every 300 ms", askers_in_turn).full(),
    ]
}

fn deaf(target: &Target, count: usize, link: fn(&Target) -> Option<Link>) {
    let links: Vec<Link> = (0..count).filter_map(|_| link(target)).collect();
    links.iter().for_each(Link::narrow);
    target.rest();
}

fn take_turns(target: &Target, link: fn(&Target) -> Option<Link>) {
    let mut links = Vec::new();
    while target.goes_on() {
        links.extend(link(target));
        links.last().into_iter().for_each(Link::narrow);
        target.pause(300);
    }
}

/// What each of them does not take was sent at another time.
fn deaf_in_a_flood(target: &Target) {
    std::thread::scope(|scope| {
        scope.spawn(|| take_turns(target, Target::link_rs2p));
        super::trickle(target, 1, 333, |link, n| {
            broadcast(&link.id, format!("bulk {n}").as_bytes(), 60_000)
        });
    });
}

fn same_name(target: &Target) {
    let id = target.draw_id();
    while target.goes_on() {
        let link = target.link_as(id.clone(), 0, None);
        link.iter().for_each(Link::narrow);
        target.pause(300);
    }
}

fn sip(target: &Target, bytes: usize, millis: u64) {
    let mut links: Vec<Link> = [target.link(), target.link_rs2p()].into_iter().flatten().collect();
    links.iter().for_each(Link::narrow);
    while target.goes_on() {
        for link in &mut links {
            link.sip(bytes);
        }
        target.pause(millis);
    }
}

fn reads_then_not(target: &Target) {
    let mut links: Vec<Link> = [target.link(), target.link()].into_iter().flatten().collect();
    for _ in 0..150 {
        for link in &mut links {
            link.drain();
        }
        target.pause(20);
    }
    target.rest();
}

fn lies(target: &Target, taken: u64) {
    let Some(mut link) = target.link_rs2p() else { return };
    link.is_deaf = true;
    while target.goes_on() {
        let numbers = format!("[{taken}, {taken}, {taken}]");
        link.say(WHISPER, &[RS2P, br#"["taken"]"#, numbers.as_bytes()]);
        target.pause(100);
    }
}

fn left_behind(target: &Target) {
    let Some(mut link) = target.link_rs2p() else { return };
    for number in 0.. {
        let numbers = format!("[{number}, {number}]");
        for word in [&br#"["left behind"]"#[..], br#"["caught up"]"#] {
            link.say(WHISPER, &[RS2P, word, numbers.as_bytes()]);
        }
        if !target.goes_on() {
            break;
        }
        target.pause(20);
    }
}

fn deaf_and_flood(target: &Target) {
    let links = target.links(20);
    links.iter().for_each(Link::narrow);
    super::trickle(target, 1, 33, |link, n| {
        broadcast(&link.id, format!("bulk {n}").as_bytes(), 60_000)
    });
    drop(links);
}

fn questions(target: &Target, link: &Link, from: u64) -> Vec<u8> {
    let honest = target.honest.first().map(String::as_bytes).unwrap_or_default();
    let ask = |number: u64| {
        let number = format!("request {number}");
        message(&link.id, BROADCAST, &[REQUEST, number.as_bytes(), honest])
    };
    (from..from + 100).flat_map(ask).collect()
}

fn ask(target: &Target) {
    let Some(mut link) = target.link() else { return };
    (link.is_deaf, _) = (true, link.narrow());
    for number in 0.. {
        let bytes = questions(target, &link, number * 100);
        if !link.send(&bytes) {
            break;
        }
    }
    target.rest();
}

fn askers_in_turn(target: &Target) {
    let mut links = Vec::new();
    while target.goes_on() {
        let Some(mut link) = target.link() else { break };
        (link.is_deaf, _) = (true, link.narrow());
        for number in 0..20 {
            let bytes = questions(target, &link, number * 100);
            link.send(&bytes);
        }
        links.push(link);
        target.pause(300);
    }
}
