//! More messages than anybody wants: by size, by rate, by date, by the number of links.

use super::{Attack, flood, trickle};
use crate::forge::{broadcast, whisper};
use crate::link::Link;
use crate::raw::{BROADCAST, message_dated};
use crate::target::Target;

pub fn all() -> Vec<Attack> {
    let mut all = of_sizes();
    all.extend(of_dates());
    all.extend(of_rates());
    all
}

fn of_sizes() -> Vec<Attack> {
    let sizes = [0, 1_000, 64_000, 1_000_000];
    let each = |size: usize| {
        let run = move |t: &Target| flood(t, 1, move |link, n| fresh(link, n, size));
        Attack::new("flood", format!("broadcasts of {size} B, as fast as it can"), run).full()
    };
    let mut all: Vec<Attack> = sizes.map(each).into_iter().collect();
    if let Some(first) = all.first_mut() {
        first.is_short = true;
    }
    all.push(
        Attack::new("flood", "20 links, broadcasts as fast as they can", |t| {
            flood(t, 20, |link, n| fresh(link, n, 100));
        })
        .full(),
    );
    all.push(
        Attack::new("flood", "whispers of 64 kB, as fast as it can", |t| {
            flood(t, 1, |link, n| whisper(&link.id, &n.to_be_bytes(), 64_000));
        })
        .full(),
    );
    all.push(
        Attack::new("flood", "small whispers, as fast as it can", |t| {
            flood(t, 1, |link, n| whisper(&link.id, &n.to_be_bytes(), 10));
        })
        .full(),
    );
    all
}

fn of_dates() -> Vec<Attack> {
    let dates = [(1, "1 s"), (30, "30 s"), (299, "299 s"), (100_000, "a day")];
    let ahead = |(ahead, name): (u64, &str)| {
        Attack::new("ids", format!("small broadcasts dated {name} ahead"), move |t: &Target| {
            flood(t, 2, move |link, n| dated(link, n, ahead));
        })
        .full()
    };
    let mut all: Vec<Attack> = dates.map(ahead).into_iter().collect();
    all.push(
        Attack::new("ids", "300 dates in turn, on 20 links", |t| {
            flood(t, 20, |link, n| dated(link, n, n % 300));
        })
        .full(),
    );
    if let Some(attack) = all.get_mut(2) {
        attack.is_short = true;
    }
    all
}

fn of_rates() -> Vec<Attack> {
    let rate = |rate: u64| {
        let run = move |t: &Target| trickle(t, 1, rate, |link, n| fresh(link, n, 100));
        Attack::new("flood", format!("{rate} broadcasts a second"), run)
    };
    vec![
        rate(1_000),
        rate(10_000),
        Attack::new("flood", "the same broadcast again and again", |t| {
            let same = broadcast(&t.draw_id(), b"same", 100);
            flood(t, 1, move |_, _| same.clone());
        })
        .full(),
        Attack::new("flood", "20 links say the same", |t| {
            let same = t.draw_id();
            flood(t, 20, move |_, n| broadcast(&same, &(n / 20).to_be_bytes(), 100));
        })
        .full(),
        Attack::new("flood", "broadcasts in the name of X", |t| {
            let id = t.id.clone();
            flood(t, 1, move |_, n| broadcast(&id, &n.to_be_bytes(), 100));
        })
        .full(),
    ]
}

fn fresh(link: &Link, number: u64, size: usize) -> Vec<u8> {
    broadcast(&link.id, &number.to_be_bytes(), size)
}

fn dated(link: &Link, number: u64, ahead: u64) -> Vec<u8> {
    message_dated(&link.id, BROADCAST, &[&[0], &number.to_be_bytes()], ahead)
}
