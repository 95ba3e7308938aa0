//! Messages of the protocol that are in order, and come without end.

use super::{Attack, flood};
use crate::forge::{RS2P, WHISPER, id};
use crate::link::Link;
use crate::raw::{BROADCAST, RENEGOTIATE, REQUEST, RESEND, RESPONSE, message};
use crate::target::{NOWHERE, Target};

pub fn all() -> Vec<Attack> {
    let mut all = vec![
        words("requests for a node that nobody knows", |link, n| {
            let (number, id) = (format!("request {n}"), id(n));
            message(&link.id, BROADCAST, &[REQUEST, number.as_bytes(), id.as_bytes()])
        }),
        Attack::new("words", "requests for A, whose answers are read", |t| {
            let a = t.honest.first().cloned().unwrap_or_default();
            flood(t, 1, move |link, n| {
                let number = format!("request {n}");
                message(&link.id, BROADCAST, &[REQUEST, number.as_bytes(), a.as_bytes()])
            });
        })
        .full(),
        words("answers that nobody asked for", |link, n| {
            let (number, entry) = (format!("request {n}"), format!(r#"[{NOWHERE},"{}"]"#, id(n)));
            message(&link.id, WHISPER, &[RESPONSE, number.as_bytes(), entry.as_bytes()])
        }),
        words("renegotiations", |link, n| {
            let methods: &[u8] = if n % 2 == 0 { b"[]" } else { br#"["\u0011"]"# };
            message(&link.id, RENEGOTIATE, &[b"\x01", methods])
        })
        .named(),
        words("`resend` without end", |link, _| message(&link.id, RENEGOTIATE, &[RESEND])).named(),
        words("hellos", |link, n| {
            hello(link, &format!(r#"["links","at 127.0.0.1:{}"]"#, 1 + n % 9))
        })
        .named()
        .short(),
        words("challenges and proofs", |link, n| {
            let nonce = n.to_be_bytes().repeat(4);
            let word: &[u8] = if n % 2 == 0 { br#"["challenge"]"# } else { br#"["proof"]"# };
            message(&link.id, WHISPER, &[RS2P, word, &nonce])
        })
        .named(),
        words("`how far`", |link, _| hello(link, r#"["how far"]"#)),
        words("receipts for what nobody sent", |link, n| {
            let word: &[u8] = if n % 2 == 0 { br#"["reply-taken"]"# } else { br#"["reply-lost"]"# };
            message(&link.id, WHISPER, &[RS2P, word, id(n).as_bytes()])
        }),
    ];
    all.extend(of_rs2p());
    all
}

/// Words that only a peer with the right hello may say.
fn of_rs2p() -> [Attack; 6] {
    [
        rs2p("announces of 1,024 ids each that never come", |_, n| lazy(b"have", n, 1024)),
        rs2p("wants of 1,024 ids each that nobody has", |_, n| lazy(b"want", n, 1024)),
        rs2p("prunes", |_, _| vec![br#"["prune"]"#.to_vec()]),
        rs2p("replies to nodes that nobody knows", |link, n| {
            let (to, about, number) = (id(n), id(n + 1), n.to_string());
            let words: [&[u8]; 7] = [
                br#"["reply"]"#,
                to.as_bytes(),
                about.as_bytes(),
                number.as_bytes(),
                link.id.as_bytes(),
                &[2],
                b"reply",
            ];
            words.map(<[u8]>::to_vec).into()
        }),
        rs2p("direct answers to nothing", |_, n| {
            [br#"["direct"]"#, &b""[..], n.to_string().as_bytes(), &[2], b"answer"]
                .map(<[u8]>::to_vec)
                .into()
        }),
        Attack::new("words", "lists of members", |t| {
            flood(t, 1, |link, n| {
                let row =
                    |m: u64| [id(n * 256 + m).into_bytes(), vec![0; 8], vec![0; 8], vec![], vec![]];
                let rows: Vec<Vec<u8>> = (0..256).flat_map(row).collect();
                let head: [&[u8]; 2] = [b"rs2p-members", b"rows"];
                let packets: Vec<&[u8]> =
                    head.into_iter().chain(rows.iter().map(Vec::as_slice)).collect();
                message(&link.id, WHISPER, &packets)
            });
        })
        .full(),
    ]
}

fn words(
    name: &'static str,
    make: impl Fn(&Link, u64) -> Vec<u8> + Copy + Sync + 'static,
) -> Attack {
    Attack::new("words", name, move |target: &Target| flood(target, 1, make)).full()
}

/// Repeats a whisper of kind `rs2p` on a link that said the hello of an rs2p node.
fn rs2p(
    name: &'static str,
    make: impl Fn(&Link, u64) -> Vec<Vec<u8>> + Copy + Sync + 'static,
) -> Attack {
    let run = move |target: &Target| {
        while target.goes_on() {
            let Some(mut link) = target.link_lazy() else {
                target.pause(20);
                continue;
            };
            let mut number = 0;
            loop {
                let packets = make(&link, number);
                let packets: Vec<&[u8]> =
                    std::iter::once(RS2P).chain(packets.iter().map(Vec::as_slice)).collect();
                number += 1;
                if !target.goes_on() || !link.say(WHISPER, &packets) {
                    break;
                }
            }
        }
    };
    Attack::new("words", name, run).full()
}

fn hello(link: &Link, list: &str) -> Vec<u8> {
    message(&link.id, WHISPER, &[RS2P, list.as_bytes()])
}

fn lazy(word: &[u8], number: u64, count: u64) -> Vec<Vec<u8>> {
    let date = (crate::traffic::now() / 1_000_000_000).to_be_bytes();
    let id = |m: u64| [&(number * count + m).to_be_bytes().repeat(6)[..], &date].concat();
    let word = [b"[\"", word, b"\"]"].concat();
    vec![word, (0..count).flat_map(id).collect()]
}
