//! Closing leaves no thread. A process of its own with one test, because it counts all threads of the
//! process.
#![cfg(target_os = "linux")]

mod support;

use rs2p::{Encryption, MeshSocket};
use support::{builder_of, close_all, wait_until};

/// Counts the threads of this process whose names are those of a socket's threads.
fn threads() -> usize {
    let tasks = std::fs::read_dir("/proc/self/task").expect("procfs");
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("rs2p-"))
        .count()
}

fn line(encryption: Encryption, count: usize) -> Vec<MeshSocket> {
    let bind = || builder_of("mesh", encryption).max_outgoing(0).bind(("127.0.0.1", 0));
    let nodes: Vec<MeshSocket> = (0..count).map(|_| bind().expect("a free port")).collect();
    for pair in nodes.windows(2) {
        pair[0].connect(pair[1].local_addr()).expect("a link");
    }
    nodes
}

#[test]
fn no_thread_is_left() {
    let encryptions = [
        Encryption::Plaintext,
        #[cfg(feature = "native-tls")]
        Encryption::Ssl,
    ];
    for encryption in encryptions {
        let nodes = line(encryption, 5);
        // A thread names itself, when it first runs.
        let all_run = || threads() >= 5 * 2 + 4 * 2;
        wait_until("two threads per socket and one per end of a link run", all_run);
        close_all(&nodes);
        // A thread that was joined may stand in procfs a moment longer.
        wait_until("the threads of closed sockets are gone", || threads() == 0);
        let nodes = line(encryption, 5);
        wait_until("all threads run", all_run);
        drop(nodes);
        wait_until("the threads of sockets that were only dropped end", || threads() == 0);
    }
}
