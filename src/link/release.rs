//! Gives back what empty queues keep: a simulated world has many of them.

use std::collections::VecDeque;

/// Frees the room of an empty queue.
pub(crate) fn release<T>(queue: &mut VecDeque<T>) {
    if queue.is_empty() && queue.capacity() > 0 {
        *queue = VecDeque::new();
    }
}
