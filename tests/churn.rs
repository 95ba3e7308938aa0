//! A thousand sockets that are bound, linked and closed leave no thread, no descriptor and no memory
//! behind. A process of its own with one test, because it counts what belongs to the process.
#![cfg(target_os = "linux")]

mod support;

use std::thread;
use std::time::{Duration, Instant};

use rs2p::MeshSocket;
use support::PATIENCE;

#[derive(Clone, Copy, Debug)]
struct Usage {
    threads: usize,
    descriptors: usize,
    resident_kib: u64,
}

fn usage() -> Usage {
    let count = |dir| std::fs::read_dir(dir).expect("procfs").count();
    let status = std::fs::read_to_string("/proc/self/status").expect("procfs");
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
    Usage {
        threads: count("/proc/self/task"),
        descriptors: count("/proc/self/fd"),
        resident_kib: resident.trim().trim_end_matches(" kB").parse().expect("a number"),
    }
}

#[test]
fn a_thousand_cycles_leave_nothing_behind() {
    let hub = MeshSocket::bind(("127.0.0.1", 0)).expect("a port");
    let cycle = |n: usize| {
        let node = MeshSocket::bind(("127.0.0.1", 0)).expect("a port");
        node.connect(hub.local_addr()).expect("a link");
        node.send(format!("cycle {n}")).expect("sent");
        let message = hub.recv_timeout(PATIENCE).expect("a message");
        assert_eq!(message[1], format!("cycle {n}").as_bytes());
        if n.is_multiple_of(2) {
            assert!(node.close().expect("closed").left_behind.is_empty());
        }
        // Every other one is only dropped: its threads end by themselves.
    };
    (0..200).for_each(cycle);
    let before = settled();
    (200..1200).for_each(cycle);
    let after = settled();
    println!("{before:?}\n{after:?}");
    assert_eq!(after.threads, before.threads);
    assert_eq!(after.descriptors, before.descriptors);
    assert!(after.resident_kib < before.resident_kib + 8 * 1024, "{before:?} {after:?}");
    hub.close().expect("closed");
}

/// The usage once the sockets that were dropped have ended: this test's own threads and the hub's
/// two are left, with nothing on its way.
fn settled() -> Usage {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = usage();
        if now.threads <= 4 || Instant::now() > deadline {
            return now;
        }
        thread::park_timeout(Duration::from_millis(1));
    }
}
