//! The table in `BOUNDS.md` has the numbers of the code, and names settings that exist.

use super::*;

mod presence;

const TABLE: &str = include_str!("../../BOUNDS.md");
const BUILDER: &str = concat!(
    include_str!("../builder/bind.rs"),
    include_str!("../builder/lazy.rs"),
    include_str!("../builder/links.rs"),
    include_str!("../builder/mesh.rs"),
    include_str!("../builder/queues.rs"),
    include_str!("../builder/timing.rs"),
);

/// The cells of each row: what, default, at the bound, setting.
fn rows() -> Vec<Vec<&'static str>> {
    let cells = |line: &'static str| line.trim_matches('|').split('|').map(str::trim).collect();
    TABLE.lines().filter(|line| line.starts_with('|')).skip(2).map(cells).collect()
}

/// Returns the number of a constant, as its source has it: a product, a shift, or a duration in
/// seconds or milliseconds.
fn number(source: &str, name: &str) -> u64 {
    let line = source.lines().find(|line| line.contains(&format!("const {name}: ")));
    let value = line.and_then(|line| line.split_once(" = ")).map(|(_, value)| value);
    let value = value.unwrap_or_else(|| panic!("no constant {name}"));
    let value = value.trim_end_matches([';', ')']).replace('_', "");
    let value = value.trim_start_matches("Duration::fromsecs(");
    let value = value.trim_start_matches("Duration::frommillis(");
    let parse = |text: &str| -> u64 {
        text.trim().parse().unwrap_or_else(|_| panic!("{name} is {value}, which is not a number"))
    };
    match value.split_once("<<") {
        Some((one, by)) => parse(one) << parse(by),
        None => value.split('*').map(parse).product(),
    }
}

/// Formats a number with commas between thousands.
fn many(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Formats bytes in the largest unit that divides them.
fn bytes(count: impl TryInto<u64>) -> String {
    match count.try_into().unwrap_or(u64::MAX) {
        count if count.is_multiple_of(1 << 20) => format!("{} MiB", count >> 20),
        count if count.is_multiple_of(1 << 10) => format!("{} KiB", count >> 10),
        count => format!("{count} bytes"),
    }
}

fn secs(span: Duration) -> String {
    assert_eq!(span.subsec_nanos(), 0, "whole seconds");
    format!("{} s", span.as_secs())
}

macro_rules! constant {
    ($file:literal, $name:literal) => {
        number(include_str!(concat!("../", $file)), $name)
    };
}

/// Each row that there must be: what, and its default.
fn expected() -> Vec<(&'static str, String)> {
    let config = Config::default();
    let secs_of = |number: u64| format!("{number} s");
    vec![
        ("a frame, also after decompression", bytes(config.max_frame)),
        ("a frame before the handshake", bytes(config.stranger_frame)),
        ("packets in a message", many(crate::wire::MAX_PAYLOAD)),
        ("JSON in a message", bytes(constant!("wire/json.rs", "MAX_LEN"))),
        (
            "messages that wait for `recv`",
            format!("{} or {}", bytes(config.queue_bytes), many(config.queue_messages)),
        ),
        ("a program that takes nothing from a full queue", secs(config.queue_timeout)),
        (
            "messages that wait for a handler, or for room in the queue, and whose links read on",
            bytes(constant!("runtime/backlog.rs", "MOST")),
        ),
        (
            "memory of messages of more than 64 KiB beside the program's queue, of all links together",
            format!("{}, of which half is for messages that arrive", bytes(config.memory)),
        ),
        (
            "bodies that are unpacked at the same time",
            format!(
                "half of the processors, at most {}",
                many(constant!("runtime/memory.rs", "MOST_AT_ONCE"))
            ),
        ),
        (
            "bytes that a link reads ahead of the daemon",
            format!("{}, or one frame", bytes(config.link_credit)),
        ),
        ("bytes that wait for one peer", bytes(config.outbound)),
        (
            "bytes below TLS, per link",
            format!(
                "{} out, {} in",
                bytes(constant!("runtime/tls.rs", "ROOM")),
                bytes(constant!("runtime/below_tls.rs", "INPUT"))
            ),
        ),
        ("a `send` that blocks", secs(config.send_timeout)),
        (
            "a peer that takes fewer bytes and fewer messages a second",
            format!("{}, {}", bytes(config.pace_floor.bytes), many(config.pace_floor.frames)),
        ),
        (
            "waiting for peers that take less and have not kept to that pace before, all of them together",
            format!("{}, and 1 s a minute", secs_of(constant!("node/waits.rs", "STRANGERS"))),
        ),
        (
            "waiting for peers that pause and have kept to that pace before, all of them together",
            format!("{}, and a third of the time", secs(config.pace_window)),
        ),
        (
            "answers to a peer's requests for the addresses of nodes",
            format!(
                "{}, then {} a second; while 8 KiB wait for it, none",
                many(constant!("node/allowances.rs", "ANSWERS")),
                1000 / constant!("node/allowances.rs", "ANSWER_EARNED")
            ),
        ),
        (
            "hellos, renegotiations and requests to send a frame again of a peer, and its notices that it left this node behind or waits again",
            format!(
                "{}, then {} a second",
                many(constant!("node/allowances.rs", "NOTICES")),
                1000 / constant!("node/allowances.rs", "NOTICE_EARNED")
            ),
        ),
        (
            "faults of a peer: frames that are no messages, whispers in another name, messages sent too often",
            format!(
                "{}, then {} a second",
                many(constant!("node/allowances.rs", "FAULTS")),
                1000 / constant!("node/allowances.rs", "FAULT_EARNED")
            ),
        ),
        (
            "a peer for which something waits and that shows no sign of life, or takes nothing",
            format!("{}, {}", secs(config.stall), secs(config.stall_py2p)),
        ),
        ("message ids that are remembered", many(config.seen_ids)),
        (
            "of these, dated over 5 s ahead",
            format!("1/{}", constant!("node/seen.rs", "AHEAD_PART")),
        ),
        ("age of a broadcast", secs(config.max_age)),
        ("a broadcast from the future", secs(config.max_ahead)),
        ("links, in and out", many(config.max_links)),
        (
            "of these, kept for the node's own dials",
            format!("1/{}", constant!("node/admission.rs", "RESERVED_PART")),
        ),
        (
            "links from one network (/24, or /48 of IPv6) while less than a quarter is free",
            "1/4".into(),
        ),
        ("incoming links in their handshake", many(config.max_handshaking)),
        (
            "connections that wait for that, or are silent",
            format!("{}, {}", many(config.max_waiting_strangers()), secs(config.handshake_timeout)),
        ),
        ("links that are opened automatically", many(config.max_outgoing)),
        ("a handshake, name look-up and encryption included", secs(config.handshake_timeout)),
        ("an unfinished frame", secs(config.frame_timeout)),
        (
            "links to one peer",
            format!("{}, of which one stays", constant!("node/handshake.rs", "MAX_SPARES") + 1),
        ),
        (
            "a message to a node that is not a peer",
            format!(
                "{}, {} addresses",
                secs(config.request_timeout),
                constant!("node/find_node.rs", "MAX_ADDRESSES")
            ),
        ),
        (
            "such messages at the same time",
            format!(
                "{}, {}",
                many(constant!("node/requests.rs", "MAX_WAITING")),
                bytes(constant!("node/requests.rs", "MAX_WAITING_BYTES"))
            ),
        ),
        (
            "messages whose way back is remembered",
            format!(
                "{}, {}",
                many(constant!("node/routes.rs", "MAX_WAYS")),
                secs_of(constant!("node/routes.rs", "KEEP"))
            ),
        ),
        (
            "replies of other nodes on their way through this node",
            format!(
                "{}, of one peer {}, {}",
                many(constant!("node/reply_paths.rs", "MAX_PASSAGES")),
                many(constant!("node/reply_paths.rs", "MAX_OF_ONE")),
                secs_of(constant!("node/reply_paths.rs", "KEEP"))
            ),
        ),
        (
            "replies remembered as taken",
            format!(
                "{}, {}",
                many(constant!("node/reply_paths.rs", "MAX_TAKEN")),
                secs_of(constant!("node/reply_paths.rs", "KEEP_TAKEN"))
            ),
        ),
        (
            "beacons in a local network that are looked at in a second",
            many(constant!("discovery/announcer.rs", "MAX_HEARD")),
        ),
        ("questions that wait for answers", many(constant!("delivery/questions.rs", "MAX_OPEN"))),
        (
            "answers to one question that the program has not taken",
            format!("{} or {}", bytes(config.queue_bytes), many(config.queue_messages)),
        ),
        (
            "questions that are remembered when they are over",
            many(constant!("delivery/questions.rs", "MAX_OVER")),
        ),
        (
            "frames that are announced on links outside the tree",
            config
                .lazy_from
                .map_or_else(|| "none".into(), |least| format!("{} or more", bytes(least))),
        ),
        (
            "announced messages that are kept for peers that ask for them",
            format!(
                "{}, {}, {}",
                bytes(config.lazy_bytes),
                many(constant!("node/tree/bodies.rs", "MAX_BODIES")),
                secs_of(constant!("node/tree/bodies.rs", "KEEP"))
            ),
        ),
        (
            "announced messages that did not come yet",
            format!(
                "{}, {}",
                many(constant!("node/tree/missing.rs", "MAX_MISSING")),
                secs_of(constant!("node/tree/bodies.rs", "KEEP"))
            ),
        ),
        (
            "announced messages that one peer is asked for at one time",
            many(constant!("node/tree/missing.rs", "MAX_OPEN")),
        ),
        (
            "the id in a request for a route",
            bytes(constant!("node/find_node.rs", "MAX_REQUEST_ID")),
        ),
        ("events and status entries", format!("{}, {}", many(config.events), many(config.status))),
        ("remembered addresses", many(constant!("node/address_book.rs", "MAX_CONTACTS"))),
        (
            "samples of the mesh from one peer",
            format!(
                "{}, then {} a second; {} addresses, {} hops each",
                constant!("node/allowances.rs", "SAMPLES"),
                1000 / constant!("node/allowances.rs", "SAMPLE_EARNED"),
                constant!("node/samples.rs", "TOLD"),
                constant!("node/samples.rs", "HOPS")
            ),
        ),
        (
            "links with which a node has enough",
            format!(
                "{} × `max_outgoing`, at most 3/4 of `max_links`",
                constant!("node/exchange.rs", "ENOUGH")
            ),
        ),
        (
            "exchanges of links",
            format!("one in 1 to {} s", constant!("node/exchange.rs", "EXCHANGE_EVERY")),
        ),
        ("addresses of one name", many(constant!("runtime/dial.rs", "MAX_ADDRESSES"))),
        (
            "name look-ups at the same time",
            format!("{} threads", constant!("runtime/resolver.rs", "MAX_THREADS")),
        ),
    ]
}

#[test]
fn the_table_of_bounds_has_the_numbers_of_the_code() {
    let found: Vec<(&str, String)> =
        rows().iter().map(|row| (row[0], row[1].to_string())).collect();
    assert_eq!(found, [expected(), presence::expected()].concat());
}

#[test]
fn numbers_in_the_text_of_the_table_are_those_of_the_code() {
    let text = |what: &str| rows().iter().find(|row| row[0] == what).expect("a row")[2];
    assert_eq!(crate::link::flow::MAX_EXTRA, 8);
    assert!(text("bytes that wait for one peer").contains("throttled sources, at most 8)"));
    assert_eq!(constant!("link/pace.rs", "TARGET"), 500);
    assert!(text("bytes that wait for one peer").contains("takes in 0.5 s"));
    let window = format!("after {} ", secs(Config::default().pace_window));
    let floor = "a peer that takes fewer bytes and fewer messages a second";
    assert!(text(floor).starts_with(&window));
    assert_eq!(constant!("node/admission.rs", "SILENCE"), 500);
    assert!(text("incoming links in their handshake").contains("for 0.5 s"));
    let backlog = many(constant!("runtime/listener.rs", "BACKLOG"));
    assert!(text("connections that wait for that, or are silent").ends_with(&backlog));
}

#[test]
fn every_setting_in_the_table_of_bounds_is_one_of_the_builder() {
    for row in rows() {
        for setting in row[3].split(',').map(|name| name.trim().trim_matches('`')) {
            let is_there = BUILDER.contains(&format!("pub fn {setting}("));
            assert!(setting.is_empty() || is_there, "{}: {setting}", row[0]);
        }
    }
}
