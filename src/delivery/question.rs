//! One question, and the answers that wait for the program.

use std::collections::{BTreeSet, VecDeque};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};
use crate::id::{MessageId, NodeId};
use crate::message::Message;

#[derive(Debug)]
pub(crate) struct Question {
    /// Who is asked, if not everybody.
    pub to: Option<NodeId>,
    max_messages: usize,
    max_bytes: usize,
    state: Mutex<State>,
    changed: Condvar,
}

/// Why no more answers come.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    Closed,
    NoRoute,
}

#[derive(Debug, Default)]
struct State {
    /// The ids of the messages that ask it: a message to one node has two forms.
    ids: Vec<MessageId>,
    answers: VecDeque<Message>,
    bytes: usize,
    /// Nodes whose answer did not name the question.
    plain: BTreeSet<NodeId>,
    end: Option<End>,
    /// The program takes no more answers.
    is_over: bool,
}

impl Question {
    pub fn new(to: Option<NodeId>, max_messages: usize, max_bytes: usize) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Question { to, max_messages, max_bytes, state, changed }
    }

    pub fn is_for(&self, node: &NodeId) -> bool {
        self.to.is_none_or(|to| to == *node)
    }

    /// Whether an answer of this node may be taken that does not name its question.
    pub fn takes_plain(&self, node: &NodeId) -> bool {
        let mut state = self.state.lock();
        let is_new = self.is_for(node) && !state.ids.is_empty() && !state.plain.contains(node);
        is_new && state.plain.len() < self.max_messages && state.plain.insert(*node)
    }

    pub fn note_id(&self, id: MessageId) {
        let mut state = self.state.lock();
        if !state.ids.contains(&id) {
            state.ids.push(id);
        }
    }

    pub fn ids(&self) -> Vec<MessageId> {
        self.state.lock().ids.clone()
    }

    /// Takes no more answers. Returns how many the program has not taken.
    pub fn close(&self) -> usize {
        let mut state = self.state.lock();
        state.is_over = true;
        std::mem::take(&mut state.answers).len()
    }

    /// Keeps an answer for the program. Returns false if there is no room, or it takes no more.
    pub fn push(&self, message: Message) -> bool {
        let mut state = self.state.lock();
        let bytes = state.bytes + message.pinned();
        let is_full = state.answers.len() >= self.max_messages || bytes > self.max_bytes;
        if state.is_over || is_full && !state.answers.is_empty() {
            return false;
        }
        state.bytes = bytes;
        state.answers.push_back(message);
        drop(state);
        self.changed.notify_one();
        true
    }

    pub fn end(&self, end: End) {
        self.state.lock().end.get_or_insert(end);
        self.changed.notify_all();
    }

    /// Waits for an answer, at most until the deadline.
    pub fn wait(&self, deadline: Instant) -> Result<Message> {
        let mut state = self.state.lock();
        let mut is_late = false;
        loop {
            if let Some(message) = state.answers.pop_front() {
                state.bytes = state.bytes.saturating_sub(message.pinned());
                return Ok(message);
            }
            match state.end {
                Some(End::Closed) => return Err(Error::Closed),
                Some(End::NoRoute) => return Err(Error::NoRoute),
                None if is_late => return Err(Error::TimedOut),
                None => is_late = self.changed.wait_until(&mut state, deadline).timed_out(),
            }
        }
    }
}
