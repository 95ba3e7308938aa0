//! The queue between the daemon and `recv`: what is done when it is full ([`backlog`]), and the channel
//! itself ([`queue`]). Beside it the questions that wait for answers ([`questions`]), and the queues of
//! subscriptions ([`topics`]).

pub(crate) mod backlog;
mod callback;
pub(crate) mod question;
pub(crate) mod questions;
pub(crate) mod queue;
pub(crate) mod topics;
