//! Members that do not take what they are sent: they cannot keep X from sending.

use std::time::Duration;

use rs2p::MeshSocket;

use crate::rig::{Attack, under};
use crate::support::let_pass;
use crate::support::raw::{BROADCAST, REQUEST, Raw, message};

const MS: fn(u64) -> Duration = Duration::from_millis;

/// Requests that a deaf asker sends: their answers are more than the system has buffers for.
const REQUESTS: usize = 20_000;

/// Asks for the address of the honest node, and takes no answer.
fn ask_and_ask(attack: &Attack<'_>, mut raw: Raw) -> Raw {
    let id = raw.id().to_string();
    for n in 0..REQUESTS / 100 {
        let ask = |m: usize| {
            let number = format!("request {n} {m}");
            message(&id, BROADCAST, &[REQUEST, number.as_bytes(), attack.honest.as_bytes()])
        };
        let requests: Vec<u8> = (0..100).flat_map(ask).collect();
        if !attack.goes_on() || !raw.try_send(&requests) {
            break;
        }
    }
    raw
}

/// Each link is followed by another one, in another name, once it may have been noticed.
fn take_turns(attack: &Attack<'_>, link: impl Fn() -> Raw) {
    let mut links = Vec::new();
    while attack.goes_on() {
        links.push(link());
        let_pass(MS(300));
    }
}

#[test]
fn askers_that_take_no_answer_do_not_keep_a_node_from_sending() {
    under(&MeshSocket::builder(), 100, |attack| {
        take_turns(attack, || ask_and_ask(attack, attack.link()));
    })
    .is_calm();
}

#[test]
fn askers_that_never_say_how_far_they_are_do_not_either() {
    under(&MeshSocket::builder(), 100, |attack| {
        take_turns(attack, || ask_and_ask(attack, attack.link_as_rs2p()));
    })
    .is_calm();
}

#[test]
fn links_that_take_turns_at_reading_nothing_cost_no_more_than_one() {
    under(&MeshSocket::builder(), 60_000, |attack| take_turns(attack, || attack.link_as_rs2p()))
        .is_calm();
    // The buffers of the system are full sooner.
    let small = MeshSocket::builder().outbound(256 << 10).max_frame(128 << 10);
    under(&small, 60_000, |attack| take_turns(attack, || attack.link())).is_calm();
}

#[test]
fn a_sip_now_and_then_does_not_keep_a_node_from_sending() {
    under(&MeshSocket::builder(), 60_000, |attack| {
        let mut raws = [attack.link_as_rs2p(), attack.link()];
        while attack.goes_on() {
            raws.iter_mut().for_each(|raw| raw.sip(2000));
            let_pass(MS(100));
        }
    })
    .is_calm();
}
