//! The events and the status entries of a socket. Both are bounded; the oldest entry is dropped first.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use parking_lot::Mutex;

use crate::config::Config;
use crate::events::MeshEvent;
use crate::node::bucket::Bucket;
use crate::trouble::{Trouble, Troubles};

#[derive(Debug)]
pub(crate) struct Journal {
    writer: Mutex<Writer>,
    receiver: Receiver<MeshEvent>,
    /// Most events that wait to be read.
    most: usize,
    lost: AtomicU64,
    status: Mutex<Record>,
    strangers: Mutex<Folded>,
}

/// Strangers that were turned away and have no event of their own.
#[derive(Debug)]
struct Folded {
    events: Bucket,
    others: u64,
}

/// Strangers that have events of their own at once, and the time in which one more has.
const STRANGERS: u32 = 64;
const STRANGER_EARNED: Duration = Duration::from_millis(250);

#[derive(Debug)]
struct Writer {
    /// `None` once the socket is closed: whoever reads events comes to their end.
    sender: Option<Sender<MeshEvent>>,
    /// Events of the two lower ranks that were put in and may still be there.
    of_rank: [usize; 2],
}

/// Who can cause an event. When nobody reads them, those of lower ranks make room for those of higher ranks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// Anybody who can reach the port.
    Stranger,
    /// Any member of the mesh, in the name of others.
    Member,
    /// A peer, or this node.
    Peer,
}

impl Rank {
    const LOWER: [Rank; 2] = [Rank::Stranger, Rank::Member];

    fn of(event: &MeshEvent) -> Self {
        match event {
            MeshEvent::TurnedAway { .. } => Rank::Stranger,
            MeshEvent::MemberJoined(_) | MeshEvent::MemberLeft { .. } => Rank::Member,
            _ => Rank::Peer,
        }
    }
}

/// What `status` shows.
#[derive(Debug)]
struct Record {
    entries: VecDeque<String>,
    most: usize,
    troubles: Troubles,
}

impl Record {
    fn add(&mut self, entry: String) {
        if self.entries.len() >= self.most {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }
}

impl Journal {
    pub fn new(config: &Config) -> Self {
        // Its bound is kept here: a bounded channel takes memory for all events that it could hold.
        let (sender, receiver) = unbounded();
        let (entries, troubles) = (VecDeque::new(), Troubles::default());
        Journal {
            writer: Mutex::new(Writer { sender: Some(sender), of_rank: [0; 2] }),
            receiver,
            most: config.events.max(1),
            lost: AtomicU64::new(0),
            status: Mutex::new(Record { entries, most: config.status, troubles }),
            strangers: Mutex::new(Folded {
                events: Bucket::new(STRANGERS, STRANGER_EARNED),
                others: 0,
            }),
        }
    }

    /// Notes that a stranger was turned away. Returns how many others were since the last event of that kind;
    /// `None` if there were enough of them: then this one counts for the next event.
    pub fn fold(&self, now: Duration) -> Option<u64> {
        let mut strangers = self.strangers.lock();
        if strangers.events.take(now) {
            return Some(std::mem::take(&mut strangers.others));
        }
        strangers.others += 1;
        None
    }

    /// Appends an event, and what of it belongs into the status. If nobody reads them, events of
    /// lower ranks go first, then the oldest: strangers cannot push out what peers did.
    pub fn report(&self, event: MeshEvent) {
        if let Some(entry) = entry(&event) {
            self.status.lock().add(entry);
        }
        let mut writer = self.writer.lock();
        let Some(sender) = writer.sender.clone() else { return };
        let rank = Rank::of(&event);
        while sender.len() >= self.most {
            let mut lower = Rank::LOWER.into_iter().zip(&mut writer.of_rank);
            if let Some((lower, count)) = lower.find(|(lower, count)| *lower < rank && **count > 0)
            {
                *count = 0;
                self.drop_all(lower, &sender);
            } else if rank < Rank::Peer {
                self.lost.fetch_add(1, Ordering::Relaxed);
                return;
            } else if self.receiver.try_recv().is_ok() {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
        // Fails only if nobody can read any more.
        let _ = sender.send(event);
        if let Some(count) = writer.of_rank.get_mut(rank as usize) {
            *count += 1;
        }
    }

    /// Takes all events out and puts those of other ranks back. Nobody else puts any in meanwhile, so
    /// they keep their order.
    fn drop_all(&self, rank: Rank, sender: &Sender<MeshEvent>) {
        let all: Vec<MeshEvent> = self.receiver.try_iter().collect();
        for event in all {
            if Rank::of(&event) == rank {
                self.lost.fetch_add(1, Ordering::Relaxed);
            } else {
                let _ = sender.send(event);
            }
        }
    }

    /// No more events: those that are there can still be read.
    pub fn close(&self) {
        self.writer.lock().sender.take();
    }

    /// Notes that a trouble begins or goes on; whether it is new. Without an end it lasts until
    /// [`Journal::end`].
    pub fn begin(&self, trouble: &Trouble, until: Option<Duration>) -> bool {
        self.status.lock().troubles.begin(trouble, until)
    }

    /// Notes that a trouble is over; `None` if there was none.
    pub fn end(&self, trouble: &Trouble) -> Option<Trouble> {
        self.status.lock().troubles.end(trouble)
    }

    /// Gives a trouble that is over because it has not been noticed again.
    pub fn expire(&self, now: Duration) -> Option<Trouble> {
        self.status.lock().troubles.expire(now)
    }

    /// When to ask that again.
    pub fn next_check(&self) -> Option<Duration> {
        self.status.lock().troubles.next()
    }

    pub fn events(&self) -> Receiver<MeshEvent> {
        self.receiver.clone()
    }

    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// The entries of the status, and what is wrong now.
    pub fn status(&self) -> (Vec<String>, Vec<Trouble>) {
        let record = self.status.lock();
        (record.entries.iter().cloned().collect(), record.troubles.iter().cloned().collect())
    }
}

/// What of an event a user should find in `status`: what went wrong, not that peers come and go.
fn entry(event: &MeshEvent) -> Option<String> {
    use crate::cause::Cause;
    match event {
        MeshEvent::Left {
            cause: Cause::PeerClosed | Cause::Exchanged | Cause::Disconnected | Cause::Closed,
            ..
        } => None,
        MeshEvent::Left { id, remote, cause } => {
            Some(format!("lost peer {id} at {remote}: {cause}"))
        }
        MeshEvent::LeftBehind { id, remote } => Some(format!(
            "peer {id} at {remote} takes too few messages and misses what has no room: see Builder::pace_floor_bytes"
        )),
        MeshEvent::Refused { id, remote, reason, refused } => Some(format!(
            "{refused} frames of peer {id} at {remote} were refused, the latest as {reason}"
        )),
        MeshEvent::CaughtUp { id, missed, .. } => {
            Some(format!("peer {id} has caught up, and has missed {missed} messages"))
        }
        MeshEvent::FellBehind { id, .. } => Some(format!(
            "this program takes too few messages: peer {id} no longer waits for it, and some are lost"
        )),
        MeshEvent::KeepsUp { id, missed, .. } => Some(format!(
            "this program keeps up with peer {id} again, and has missed {missed} of its messages"
        )),
        MeshEvent::ReplyFailed { to, why } => Some(format!("no reply to {to}: {why}")),
        MeshEvent::ClockSkew { id, by, .. } => {
            Some(format!("the clocks of peer {id} and this node differ by {} s", by.as_secs()))
        }
        MeshEvent::HandlerPanicked { message } => Some(format!("a handler panicked: {message}")),
        MeshEvent::TroubleBegan(trouble) => Some(format!("{trouble}; {}", trouble.remedy())),
        MeshEvent::TroubleEnded(trouble) => Some(format!("over: {trouble}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;
    use crate::id::NodeId;

    fn journal(events: usize) -> Journal {
        Journal::new(&Config { events, status: 4, ..Config::default() })
    }

    #[test]
    fn many_strangers_share_events_and_each_is_counted() {
        let journal = journal(9);
        let told: Vec<Option<u64>> =
            (0..10_000).map(|ms| journal.fold(Duration::from_millis(ms))).collect();
        let events = told.iter().flatten().count();
        assert!((64..=64 + 40).contains(&events), "{events}");
        let last = journal.fold(Duration::from_secs(60));
        let others: u64 = told.iter().chain([&last]).flatten().sum();
        assert_eq!(others as usize + events, 10_000);
    }

    fn stranger() -> MeshEvent {
        MeshEvent::TurnedAway { addr: "127.0.0.1:9".into(), cause: Cause::NotPy2p, others: 0 }
    }

    fn joined(n: u8) -> MeshEvent {
        let (addr, outgoing) = (String::new(), false);
        MeshEvent::Joined {
            id: NodeId::from_digest(&[n; 48]),
            remote: addr.clone(),
            addr,
            outgoing,
        }
    }

    fn who(journal: &Journal) -> Vec<Option<NodeId>> {
        let id = |event| if let MeshEvent::Joined { id, .. } = event { Some(id) } else { None };
        journal.events().try_iter().map(id).collect()
    }

    fn ids(numbers: std::ops::Range<u8>) -> Vec<Option<NodeId>> {
        numbers.map(|n| Some(NodeId::from_digest(&[n; 48]))).collect()
    }

    #[test]
    fn strangers_never_push_out_what_peers_did() {
        let journal = journal(10);
        (1..4).for_each(|n| journal.report(joined(n)));
        (0..50).for_each(|_| journal.report(stranger()));
        (4..11).for_each(|n| journal.report(joined(n)));
        (0..50).for_each(|_| journal.report(stranger()));
        assert_eq!(who(&journal), ids(1..11), "all of them, in their order");
        assert_eq!(journal.lost(), 100);
    }

    #[test]
    fn invented_members_push_out_strangers_and_never_what_peers_did() {
        let journal = journal(10);
        let left = |n| MeshEvent::MemberLeft {
            id: NodeId::from_digest(&[n; 48]),
            why: crate::presence::Absence::Silent,
        };
        (0..50).for_each(|_| journal.report(stranger()));
        (0..50).for_each(|n| journal.report(left(n)));
        (1..4).for_each(|n| journal.report(joined(n)));
        (0..50).for_each(|n| journal.report(left(n)));
        let kept: Vec<MeshEvent> = journal.events().try_iter().collect();
        let of_peers = kept.iter().filter(|event| matches!(event, MeshEvent::Joined { .. }));
        assert_eq!((kept.len(), of_peers.count()), (10, 3));
        assert!(kept.iter().all(|event| !matches!(event, MeshEvent::TurnedAway { .. })));
        assert_eq!(journal.lost() + 10, 153);
    }

    #[test]
    fn without_strangers_the_oldest_go() {
        let journal = journal(10);
        (0..15).for_each(|n| journal.report(joined(n)));
        assert_eq!((who(&journal), journal.lost()), (ids(5..15), 5));
        journal.report(stranger());
        assert_eq!(who(&journal), [None], "there is room for strangers, too");
    }

    #[test]
    fn what_is_wrong_now_shows_though_its_entry_is_long_gone() {
        let journal = journal(10);
        assert!(journal.begin(&Trouble::Alone, None));
        journal.report(MeshEvent::TroubleBegan(Trouble::Alone));
        for n in 0..9 {
            journal.report(MeshEvent::HandlerPanicked { message: n.to_string() });
        }
        let (entries, troubles) = journal.status();
        assert_eq!((entries.len(), troubles), (4, vec![Trouble::Alone]));
    }
}
