//! `debug_level`, as in the tutorial: at 5 one sees every handler entered and every message in and
//! out, per socket, through the `log` crate.

mod support;

use std::sync::{Mutex, OnceLock};

use log::{Level, LevelFilter, Log, Metadata, Record};
use rs2p::{Connection, MeshSocket, Message};
use support::PATIENCE;

/// Keeps all records, so that a test can look at those of its own sockets.
#[derive(Default)]
struct Records(Mutex<Vec<(String, Level, String)>>);

impl Log for Records {
    fn enabled(&self, metadata: &Metadata) -> bool {
        metadata.target().starts_with("rs2p::")
    }

    fn log(&self, record: &Record) {
        let entry = (record.target().to_string(), record.level(), record.args().to_string());
        self.0.lock().expect("no panic").push(entry);
    }

    fn flush(&self) {}
}

fn records() -> &'static Records {
    static RECORDS: OnceLock<Records> = OnceLock::new();
    static INSTALLED: OnceLock<()> = OnceLock::new();
    let records = RECORDS.get_or_init(Records::default);
    INSTALLED.get_or_init(|| {
        log::set_logger(records).expect("the first logger");
        log::set_max_level(LevelFilter::Trace);
    });
    records
}

/// Has two sockets of this level talk; what each target of the second one logged.
fn talk(level: Option<u8>) -> Vec<(String, Level, String)> {
    let records = records();
    let builder = || match level {
        Some(level) => MeshSocket::builder().debug_level(level),
        None => MeshSocket::builder(),
    };
    let a = builder().bind(("127.0.0.1", 0)).expect("a port");
    let b = builder().bind(("127.0.0.1", 0)).expect("a port");
    b.register_handler(|msg: &Message, _: &Connection| {
        assert!(msg[1] != b"poison", "choked");
    });
    a.connect(b.local_addr()).expect("a link");
    a.send("hello").expect("sent");
    b.recv_timeout(PATIENCE).expect("hello").reply("hi").expect("sent");
    a.send("poison").expect("sent");
    b.recv_timeout(PATIENCE).expect("poison");
    a.close().expect("closed");
    b.close().expect("closed");
    let prefix = format!("[{}] ", b.local_addr().port());
    let all = records.0.lock().expect("no panic");
    let own = all.iter().filter(|(_, _, text)| text.starts_with(&prefix));
    own.map(|(target, level, text)| (target.clone(), *level, text.replace(&prefix, ""))).collect()
}

fn has(records: &[(String, Level, String)], target: &str, text: &str) -> bool {
    records.iter().any(|(of, _, what)| of == target && what.contains(text))
}

#[test]
fn at_5_every_handler_and_every_message_in_and_out_shows() {
    for level in [Some(5), None] {
        let records = talk(level);
        assert!(has(&records, "rs2p::handlers", "entering handler 0 with b'broadcast'"));
        assert!(has(
            &records,
            "rs2p::messages",
            "received message(type=b'broadcast', packets=[b'hello']"
        ));
        assert!(has(&records, "rs2p::messages", "B of ours"), "the reply went out");
        assert!(has(&records, "rs2p::messages", "handshake"), "in and out");
        assert!(has(&records, "rs2p::links", "accepted a connection"));
        assert!(has(&records, "rs2p::peers", "Joined"));
        assert!(has(&records, "rs2p::handlers", "choked panicked"));
    }
}

#[test]
fn at_1_peers_come_and_go_and_no_message_shows() {
    let records = talk(Some(1));
    assert!(has(&records, "rs2p::peers", "Joined"));
    assert!(has(&records, "rs2p::peers", "Left"));
    assert!(
        records
            .iter()
            .all(|(target, level, _)| { target != "rs2p::messages" && *level <= Level::Info })
    );
}

#[test]
fn at_0_only_errors_show() {
    let records = talk(Some(0));
    assert_eq!(records.len(), 1, "{records:?}");
    assert!(has(&records, "rs2p::handlers", "choked panicked"));
}

#[test]
fn who_says_nothing_is_logged_at_2_with_its_address() {
    let records = records();
    let node = MeshSocket::builder().debug_level(2).bind(("127.0.0.1", 0)).expect("a port");
    let probe = std::net::TcpStream::connect(node.local_addr()).expect("a connection");
    let text = format!("{} connected and said nothing", probe.local_addr().expect("an address"));
    drop(probe);
    let until = std::time::Instant::now() + PATIENCE;
    let found = || {
        let all = records.0.lock().expect("no panic");
        all.iter().any(|(of, level, what)| {
            of == "rs2p::links" && *level == Level::Debug && what.ends_with(&text)
        })
    };
    while !found() {
        assert!(std::time::Instant::now() < until, "no {text:?}");
        std::thread::yield_now();
    }
    node.close().expect("closed");
}
