//! The queue between the daemon and `recv`: what is done when it is full ([`backlog`]), the channel
//! itself ([`queue`]), and how those who wait are woken ([`bell`]).

pub(crate) mod backlog;
mod bell;
pub(crate) mod queue;
