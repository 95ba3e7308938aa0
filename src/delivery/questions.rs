//! Questions that wait for answers: which one an answer belongs to, and what becomes of it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use super::question::{End, Question};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::id::{MessageId, NodeId};
use crate::message::Message;
use crate::node::event::Neighbour;
use crate::options::Kind;
use crate::runtime::slot::Slot;

/// Most questions that are open at a time.
const MAX_OPEN: usize = 16_384;
/// Most questions that are remembered when they are over: a late answer to one of them is counted, and
/// does not surprise `recv`.
const MAX_OVER: usize = 16_384;

/// All questions of a socket.
#[derive(Debug)]
pub(crate) struct Questions {
    table: Mutex<Table>,
    /// Open questions. Most messages belong to none, and none is often open.
    open: AtomicUsize,
    answers: AtomicU64,
    late: AtomicU64,
    max_messages: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Table {
    next: u64,
    open: BTreeMap<u64, Arc<Question>>,
    by_id: BTreeMap<MessageId, u64>,
    over: BTreeSet<MessageId>,
    over_order: VecDeque<MessageId>,
    is_closed: bool,
}

/// What a message is to the questions.
enum Claim {
    /// It is no answer, or nobody asked.
    Foreign,
    Answer(Arc<Question>),
    /// The question is over.
    Late,
}

impl Questions {
    pub fn new(config: &Config) -> Self {
        Questions {
            table: Mutex::default(),
            open: AtomicUsize::new(0),
            answers: AtomicU64::new(0),
            late: AtomicU64::new(0),
            max_messages: config.queue_messages.max(1),
            max_bytes: config.queue_bytes,
        }
    }

    /// Opens a question to one node, or to all.
    pub fn open(self: &Arc<Self>, to: Option<NodeId>) -> Result<Asked> {
        let mut table = self.table.lock();
        if table.is_closed {
            return Err(Error::Closed);
        }
        if table.open.len() >= MAX_OPEN {
            return Err(Error::TooManyRequests);
        }
        let number = table.next;
        table.next += 1;
        let question = Arc::new(Question::new(to, self.max_messages, self.max_bytes));
        table.open.insert(number, Arc::clone(&question));
        self.open.store(table.open.len(), Relaxed);
        Ok(Asked { questions: Arc::clone(self), question, number })
    }

    /// Takes a message that answers a question. Gives any other one back.
    pub fn take(&self, message: Message, from: &Neighbour) -> Option<Message> {
        let claim = match message.in_reply_to() {
            Some(about) => self.table.lock().claim(&about, &message.sender()),
            None if self.may_be_plain(&message, from) => self.table.lock().claim_plain(&from.id),
            None => Claim::Foreign,
        };
        match claim {
            Claim::Foreign => return Some(message),
            Claim::Answer(question) => self.hand_out(&question, message),
            Claim::Late => _ = self.late.fetch_add(1, Relaxed),
        }
        None
    }

    /// Counts first: the program may look as soon as it has the answer.
    fn hand_out(&self, question: &Question, message: Message) {
        self.answers.fetch_add(1, Relaxed);
        if !question.push(message) {
            self.answers.fetch_sub(1, Relaxed);
            self.late.fetch_add(1, Relaxed);
        }
    }

    /// Whether this may be the answer of a py2p node, which does not say what it answers.
    fn may_be_plain(&self, message: &Message, from: &Neighbour) -> bool {
        let is_whisper = || message.kind() == Kind::WHISPER && !message.flag().is_relayed();
        !from.passes_replies && self.open.load(Relaxed) > 0 && is_whisper()
    }

    /// Ends all questions, and opens no more.
    pub fn close(&self) {
        let mut table = self.table.lock();
        table.is_closed = true;
        table.open.values().for_each(|question| question.end(End::Closed));
    }

    /// Returns how many messages were answers to open questions, and how many came too late.
    pub fn counts(&self) -> (u64, u64) {
        (self.answers.load(Relaxed), self.late.load(Relaxed))
    }
}

impl Table {
    fn claim(&self, about: &MessageId, sender: &NodeId) -> Claim {
        let open = self.by_id.get(about).and_then(|number| self.open.get(number));
        match open {
            Some(question) if question.is_for(sender) => Claim::Answer(Arc::clone(question)),
            None if self.over.contains(about) => Claim::Late,
            _ => Claim::Foreign,
        }
    }

    /// The oldest question to this node, or to all, that it has not answered.
    fn claim_plain(&self, sender: &NodeId) -> Claim {
        let waits = |question: &&Arc<Question>| question.takes_plain(sender);
        let to_it = self.open.values().filter(|question| question.to.is_some()).find(waits);
        let found = to_it.or_else(|| self.open.values().find(waits));
        found.map_or(Claim::Foreign, |question| Claim::Answer(Arc::clone(question)))
    }

    fn close(&mut self, number: u64) {
        let Some(question) = self.open.remove(&number) else { return };
        for id in question.ids() {
            if self.by_id.get(&id) == Some(&number) {
                self.by_id.remove(&id);
            }
            if self.over.insert(id) {
                self.over_order.push_back(id);
            }
        }
        while self.over_order.len() > MAX_OVER {
            if let Some(oldest) = self.over_order.pop_front() {
                self.over.remove(&oldest);
            }
        }
    }
}

/// A question that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Asked {
    questions: Arc<Questions>,
    pub question: Arc<Question>,
    number: u64,
}

impl Asked {
    /// Notes the id of a message that asks the question. Called before anybody can answer.
    pub fn is_sent_as(&self, id: MessageId) {
        let mut table = self.questions.table.lock();
        table.by_id.entry(id).or_insert(self.number);
        // The same words may have been asked in the same second.
        if table.over.remove(&id) {
            table.over_order.retain(|over| *over != id);
        }
        self.question.note_id(id);
    }

    /// Ends the question when its message is given up.
    pub fn ends_with(&self, slot: &Slot) {
        let question = Arc::clone(&self.question);
        let then = move |sent: bool| {
            if !sent {
                question.end(End::NoRoute);
            }
        };
        // It is new.
        let _ = slot.then.set(Box::new(then));
    }
}

impl Drop for Asked {
    /// What the program has not taken came too late for it.
    fn drop(&mut self) {
        let left = self.question.close() as u64;
        self.questions.answers.fetch_sub(left, Relaxed);
        self.questions.late.fetch_add(left, Relaxed);
        let mut table = self.questions.table.lock();
        table.close(self.number);
        self.questions.open.store(table.open.len(), Relaxed);
    }
}
