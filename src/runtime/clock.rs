//! The one place where the clock is read.

#[cfg(test)]
use std::sync::atomic::AtomicI64;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::node::Now;

/// The wall clock is read again when this much time has passed. It dates by seconds.
const READ_AGAIN: Duration = Duration::from_millis(10);

/// Both clocks of this machine, counted from when the socket was made.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    /// When the wall clock was read last, and what it said, in microseconds; plus one, as zero
    /// stands for never.
    read_at: AtomicU64,
    wall: AtomicU64,
    /// By how many seconds the date of a test's socket is wrong.
    #[cfg(test)]
    shift: AtomicI64,
}

impl Clock {
    pub fn start() -> Self {
        Clock {
            start: Instant::now(),
            read_at: AtomicU64::new(0),
            wall: AtomicU64::new(0),
            #[cfg(test)]
            shift: AtomicI64::new(0),
        }
    }

    pub fn now(&self) -> Now {
        let mono = self.mono();
        let wall = self.wall(mono);
        #[cfg(test)]
        let wall = self.shifted(wall);
        Now { mono, wall }
    }

    /// Monotonic time only: cheaper where no date is needed.
    pub fn mono(&self) -> Duration {
        self.start.elapsed()
    }

    fn wall(&self, mono: Duration) -> Duration {
        let read_at = self.read_at.load(Ordering::Acquire);
        let now = mono.as_micros() as u64 + 1;
        if read_at == 0 || now.saturating_sub(read_at) >= READ_AGAIN.as_micros() as u64 {
            let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            self.wall.store(wall.as_micros() as u64, Ordering::Relaxed);
            self.read_at.store(now, Ordering::Release);
            return wall;
        }
        // Two threads may read it at once: what each of them sees is 10 ms old at most.
        Duration::from_micros(self.wall.load(Ordering::Relaxed))
    }

    #[cfg(test)]
    fn shifted(&self, wall: Duration) -> Duration {
        let shift = self.shift.load(Ordering::Relaxed);
        let by = Duration::from_secs(shift.unsigned_abs());
        if shift < 0 { wall.saturating_sub(by) } else { wall + by }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Refusal;
    use crate::{MeshEvent, MeshSocket, Trouble};

    const PATIENCE: Duration = Duration::from_secs(20);

    fn shift(node: &MeshSocket, secs: i64) {
        node.core().clock.shift.store(secs, Ordering::Relaxed);
    }

    fn wait_for(node: &MeshSocket, wanted: impl Fn(&MeshEvent) -> bool) {
        let (events, until) = (node.events(), Instant::now() + PATIENCE);
        while !wanted(&events.recv_deadline(until).expect("the event in time")) {}
    }

    #[test]
    fn a_clock_that_jumps_is_told_at_both_ends_and_so_is_its_return() {
        let nodes = [(); 2].map(|()| MeshSocket::bind(("127.0.0.1", 0)).expect("a port"));
        nodes[0].connect(nodes[1].local_addr()).expect("a link");
        for (by, why) in [(-120, Refusal::TooOld), (400, Refusal::TooFarAhead)] {
            shift(&nodes[0], by);
            nodes[0].send(format!("dated {by} s from now")).expect("sent");
            for node in &nodes {
                wait_for(
                    node,
                    |event| matches!(event, MeshEvent::TroubleBegan(Trouble::ClockSkew { by: found, .. }) if found.as_secs().abs_diff(by.unsigned_abs()) < 30),
                );
                let text = node.status().to_string();
                assert!(text.contains("the clocks of peer") && text.contains("NTP"), "{text}");
                assert!(matches!(node.status().current(), [Trouble::ClockSkew { .. }]));
            }
            assert_eq!(nodes[1].stats().refused_for(why), 1);
            shift(&nodes[0], 0);
            nodes[0].send(format!("dated right after {by}")).expect("sent");
            nodes[1].recv_timeout(PATIENCE).expect("it is taken");
            for node in &nodes {
                wait_for(node, |event| matches!(event, MeshEvent::TroubleEnded(_)));
                assert_eq!(node.status().current(), []);
            }
            // One peer is told once a minute.
            break_in_between(&nodes);
        }
        nodes.iter().for_each(|node| assert!(node.close().is_ok()));
    }

    /// A new link, which nothing has been told on yet.
    fn break_in_between(nodes: &[MeshSocket; 2]) {
        nodes[0].disconnect(&nodes[1].id()).expect("a peer");
        wait_for(&nodes[1], |event| matches!(event, MeshEvent::Left { .. }));
        nodes[0].connect(nodes[1].local_addr()).expect("a link");
    }
}
