//! Places and names: many names, the names of others, the same name again and again.

use super::{Attack, trickle};
use crate::forge::{RS2P, WHISPER, broadcast, whisper};
use crate::link::Link;
use crate::raw::{BROADCAST, message};
use crate::target::Target;
use crate::traffic::FORGED;

pub fn all() -> Vec<Attack> {
    let new = |name, run: fn(&Target)| Attack::new("names", name, run);
    vec![
        new("300 names from one address take links", |t| fill(t, 300, |_| 0)).newcomers().short(),
        new("300 names from 300 addresses of one network", |t| fill(t, 300, |n| n % 250))
            .newcomers(),
        new("300 names from 300 networks", |t| fill(t, 300, |n| n * 256)).newcomers(),
        new("two links in each of 150 names", |t| {
            fill_as(t, 300, |t, n| {
                let id = crate::forge::id(u64::from(n / 2));
                t.link_as(id, n % 250, None)
            });
        })
        .newcomers(),
        new("a new name every 5 ms, the old one leaves", |t| {
            while t.goes_on() {
                drop(t.link());
                t.pause(5);
            }
        })
        .newcomers(),
        new("whispers on a second link in the name of A", |t| impostor(t, WHISPER)).short(),
        new("broadcasts on a second link in the name of A", |t| impostor(t, BROADCAST)),
        new("a silent second link in the name of A", |t| {
            let link = t.link_as(honest(t), 0, None);
            t.rest();
            drop(link);
        }),
        new("a second link in the name of A every 50 ms", |t| {
            while t.goes_on() {
                drop(t.link_as(honest(t), 0, Some(r#"["links","pace"]"#)));
                t.pause(50);
            }
        }),
        new("a link in the name of X", |t| {
            while t.goes_on() {
                drop(t.link_as(t.id.clone(), 0, None));
                t.pause(50);
            }
        })
        .named(),
        new("says `spare` again and again on a second link", spares).full().named(),
        new("broadcasts in the name of A on an own link", |t| {
            let id = honest(t);
            trickle(t, 1, 50, move |_, n| broadcast(&id, format!("n {n}").as_bytes(), 10));
        }),
        new("replies that no question asked for, in the name of A", |t| {
            let (id, to) = (honest(t), t.id.clone());
            trickle(t, 1, 1000, move |_, n| {
                let number = n.to_string();
                let reply: [&[u8]; 8] = [
                    RS2P,
                    br#"["reply"]"#,
                    to.as_bytes(),
                    b"",
                    number.as_bytes(),
                    id.as_bytes(),
                    &[2],
                    b"n",
                ];
                message(&id, WHISPER, &reply)
            });
        }),
    ]
}

fn honest(target: &Target) -> String {
    target.honest.first().cloned().unwrap_or_default()
}

fn fill(target: &Target, count: u32, address: fn(u32) -> u32) {
    fill_as(target, count, |target, number| {
        target.link_as(target.draw_id(), address(number), None)
    });
}

/// Takes as many links as X gives, keeps them, and takes what becomes free.
fn fill_as(target: &Target, count: u32, link: impl Fn(&Target, u32) -> Option<Link>) {
    let mut links = Vec::new();
    let mut number = 0;
    while target.goes_on() {
        links.retain_mut(|link: &mut Link| link.send(b"") && !is_gone(link));
        while links.len() < count as usize && target.goes_on() {
            number += 1;
            match link(target, number % count) {
                Some(link) => links.push(link),
                None => break,
            }
        }
        target.pause(20);
    }
}

/// Reads what there is. A link is gone when X has closed it.
fn is_gone(link: &mut Link) -> bool {
    link.drain();
    let _ = link.tcp().set_nonblocking(true);
    let is_gone = matches!(link.tcp().peek(&mut [0]), Ok(0));
    let _ = link.tcp().set_nonblocking(false);
    is_gone
}

fn impostor(target: &Target, main: u8) {
    let id = honest(target);
    while target.goes_on() {
        let Some(mut link) = target.link_as(id.clone(), 0, None) else {
            target.pause(50);
            continue;
        };
        for number in 0..100_u32 {
            let text = [FORGED, &number.to_be_bytes()].concat();
            let bytes =
                if main == WHISPER { whisper(&id, &text, 10) } else { broadcast(&id, &text, 10) };
            if !link.send(&bytes) {
                break;
            }
            target.pause(2);
        }
    }
}

fn spares(target: &Target) {
    let id = bs58::encode([1_u8; 48]).into_string();
    let first = target.link_as(id.clone(), 0, Some(r#"["links"]"#));
    while target.goes_on() {
        let Some(mut second) = target.link_as(id.clone(), 0, Some(r#"["links"]"#)) else {
            target.pause(20);
            continue;
        };
        while target.goes_on() && second.say(WHISPER, &[RS2P, br#"["links","spare"]"#]) {}
    }
    drop(first);
}
