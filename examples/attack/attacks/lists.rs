//! Peers lists: long, often, false, malformed. Every address in them is a loopback address.

use super::{Attack, flood, trickle};
use crate::forge::{WHISPER, id};
use crate::link::Link;
use crate::raw::{PEERS, message};
use crate::target::Target;

pub fn all() -> Vec<Attack> {
    let mut all: Vec<Attack> = MALFORMED.iter().map(malformed).collect();
    // Of the other lists only the wrong entries are refused.
    all.iter_mut().take(3).for_each(|attack| attack.is_named = true);
    all.extend([
        Attack::new("lists", "100,000 nodes in each", |t| {
            let list = list(100_000, 0);
            flood(t, 1, move |link, n| tell(link, &with_number(&list, n)));
        })
        .full()
        .named(),
        Attack::new("lists", "100 new nodes at closed ports, as fast as it can", |t| {
            flood(t, 1, |link, n| tell(link, list(100, n).as_bytes()));
        })
        .full()
        .short(),
        Attack::new("lists", "100 new nodes at closed ports a second", |t| {
            trickle(t, 1, 1, |link, n| tell(link, list(100, n).as_bytes()));
        }),
        Attack::new("lists", "nodes at one port that listens and says nothing", silent_places),
        Attack::new("lists", "the address of X in many names", |t| {
            let port = t.addr.port();
            trickle(t, 1, 10, move |link, n| {
                let entry = |m: u64| format!(r#"[["127.0.0.1",{port}],"{}"]"#, id(n * 100 + m));
                let entries: Vec<String> = (0..100).map(entry).collect();
                tell(link, format!("[{}]", entries.join(",")).as_bytes())
            });
        }),
    ]);
    all
}

/// What is wrong, and the list.
const MALFORMED: &[(&str, &str)] = &[
    ("that is no JSON", "[[[\"127.0.0.1\","),
    ("that is a number", "7"),
    ("that is an object", r#"{"127.0.0.1": 4}"#),
    ("with ports that are text", r#"[[["127.0.0.1","9"],"id"]]"#),
    ("with ports over 65535", r#"[[["127.0.0.1",99999],"id"]]"#),
    ("with port 0 and no host", r#"[[["",0],""]]"#),
    ("with null", "[null,[null,null],[[null,null],null]]"),
    ("with ids that are none", r#"[[["127.0.0.1",9],"0OIl"]]"#),
];

fn malformed((name, list): &(&str, &'static str)) -> Attack {
    let list = *list;
    Attack::new("lists", format!("a list {name}"), move |target| {
        flood(target, 1, move |link, n| tell(link, &with_number(list, n)));
    })
    .full()
}

/// The same list in other words: another number of blanks behind it.
fn with_number(list: &str, number: u64) -> Vec<u8> {
    let blanks = |bit: u32| if number >> bit & 1 == 0 { b' ' } else { b'\t' };
    list.bytes().chain((0..32).map(blanks)).collect()
}

fn tell(link: &Link, list: &[u8]) -> Vec<u8> {
    message(&link.id, WHISPER, &[PEERS, list])
}

/// So many nodes, each at a place of its own in 127.99.0.0/16, where nobody listens.
fn list(count: u64, number: u64) -> String {
    let entry = |m: u64| {
        let place = number.wrapping_mul(count).wrapping_add(m);
        let [.., high, low] = place.to_be_bytes();
        format!(r#"[["127.99.{high}.{low}",9],"{}"]"#, id(place))
    };
    let entries: Vec<String> = (0..count).map(entry).collect();
    format!("[{}]", entries.join(","))
}

fn silent_places(target: &Target) {
    let Ok(trap) = std::net::TcpListener::bind("127.66.0.1:0") else { return };
    let Ok(addr) = trap.local_addr() else { return };
    trickle(target, 1, 5, move |link, n| {
        let port = addr.port();
        let entry = |m: u64| format!(r#"[["127.66.0.1",{port}],"{}"]"#, id(n * 20 + m));
        let entries: Vec<String> = (0..20).map(entry).collect();
        tell(link, format!("[{}]", entries.join(",")).as_bytes())
    });
    drop(trap);
}
