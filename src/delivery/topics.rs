//! The queues of subscriptions, one for each.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

use parking_lot::{Mutex, RwLock};

use super::queue::{Inlet, Outlet, queue};
use crate::config::Config;
use crate::message::Message;
use crate::options::Kind;

/// All subscriptions of a socket.
#[derive(Debug)]
pub(crate) struct Topics {
    topics: RwLock<Arc<Vec<Arc<Topic>>>>,
    /// How many there are. Most programs have none, and every message asks.
    count: AtomicUsize,
    /// The daemon has ended: nothing will be put in any more.
    has_ended: AtomicBool,
    /// Messages that only subscriptions got.
    subscribed: AtomicU64,
    config: Config,
}

/// The queue of one subscription.
#[derive(Debug)]
pub(crate) struct Topic {
    pub kind: Kind,
    pub outlet: Outlet<Message>,
    /// The daemon's side; `None` once nothing will be put in.
    inlet: Mutex<Option<Inlet<Message>>>,
    is_over: AtomicBool,
}

/// What became of a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spread {
    /// Whether a subscription got it.
    pub is_wanted: bool,
    /// Whether a full queue was waited for.
    pub is_slow: bool,
}

impl Topics {
    pub fn new(config: &Config) -> Self {
        Topics {
            topics: RwLock::default(),
            count: AtomicUsize::new(0),
            has_ended: AtomicBool::new(false),
            subscribed: AtomicU64::new(0),
            config: config.clone(),
        }
    }

    pub fn subscribe(&self, kind: Kind) -> Arc<Topic> {
        let (inlet, outlet) = queue(&self.config);
        let (inlet, is_over) = (Mutex::new(Some(inlet)), AtomicBool::new(false));
        let topic = Arc::new(Topic { kind, outlet, inlet, is_over });
        let mut topics = self.topics.write();
        if self.has_ended.load(Relaxed) {
            topic.end();
        } else {
            Arc::make_mut(&mut topics).push(Arc::clone(&topic));
            self.count.store(topics.len(), Release);
        }
        topic
    }

    pub fn unsubscribe(&self, topic: &Arc<Topic>) {
        topic.is_over.store(true, Relaxed);
        topic.outlet.nudge();
        let mut topics = self.topics.write();
        Arc::make_mut(&mut topics).retain(|other| !Arc::ptr_eq(other, topic));
        self.count.store(topics.len(), Release);
        drop(topics);
        topic.end();
    }

    fn all(&self) -> Option<Arc<Vec<Arc<Topic>>>> {
        (self.count.load(Acquire) > 0).then(|| Arc::clone(&self.topics.read()))
    }

    fn each(&self, tell: impl Fn(&Topic)) {
        self.all().iter().flat_map(|all| all.iter()).for_each(|topic| tell(topic));
    }

    /// Puts a message into the queue of each subscription of its kind, waiting for room as the policy of
    /// the socket says. `stop` is asked now and then: once true, it waits for nothing.
    pub fn put(&self, message: &Message, stop: impl Fn() -> bool) -> Spread {
        let mut spread = Spread::default();
        let all = self.all().unwrap_or_default();
        for topic in all.iter().filter(|topic| message.is_of(&topic.kind)) {
            let stop = || topic.is_over.load(Relaxed) || stop();
            if let Some(inlet) = topic.inlet.lock().as_mut() {
                let message = message.clone();
                let size = message.pinned();
                spread.is_slow |= inlet.push(&topic.outlet, message, size, stop);
                spread.is_wanted = true;
            }
        }
        spread
    }

    pub fn count_subscribed(&self) {
        self.subscribed.fetch_add(1, Relaxed);
    }

    pub fn subscribed(&self) -> u64 {
        self.subscribed.load(Relaxed)
    }

    /// Wakes those who wait for messages that were put in.
    pub fn ring(&self) {
        self.each(|topic| topic.inlet.lock().iter_mut().for_each(Inlet::ring));
    }

    /// Returns how many messages were dropped since this was last asked.
    pub fn take_dropped(&self) -> u64 {
        let take = |topic: &Arc<Topic>| topic.inlet.lock().as_mut().map_or(0, Inlet::take_dropped);
        self.all().map_or(0, |all| all.iter().map(take).sum())
    }

    pub fn has_dropped(&self) -> bool {
        let has = |topic: &Arc<Topic>| topic.inlet.lock().as_ref().is_some_and(Inlet::has_dropped);
        self.all().is_some_and(|all| all.iter().any(has))
    }

    /// Returns how many bytes find room in all queues, in messages of this size.
    pub fn room_for(&self, message: u64) -> u64 {
        let room = |topic: &Arc<Topic>| topic.outlet.room_for(message);
        self.all().and_then(|all| all.iter().map(room).min()).unwrap_or(u64::MAX)
    }

    pub fn hurry(&self) {
        self.each(|topic| topic.outlet.nudge());
    }

    pub fn close(&self) {
        self.each(|topic| topic.outlet.close());
    }

    /// The daemon has ended.
    pub fn end(&self) {
        let topics = self.topics.write();
        self.has_ended.store(true, Relaxed);
        topics.iter().for_each(|topic| topic.end());
    }
}

impl Topic {
    fn end(&self) {
        drop(self.inlet.lock().take());
    }
}
