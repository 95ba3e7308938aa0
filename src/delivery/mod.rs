//! The queue between the daemon and `recv`: what is done when it is full ([`backlog`]), and the channel
//! itself ([`queue`]).

pub(crate) mod backlog;
pub(crate) mod queue;
