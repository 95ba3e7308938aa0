//! The locks and atomics of the parts that put threads to sleep and wake them: those of parking_lot and
//! std. With `--cfg rs2p_loom` they are those of loom, and the models in `bell`, `awake` and `progress`
//! run through every order in which threads can meet.

#[cfg(rs2p_loom)]
mod loom;

#[cfg(rs2p_loom)]
pub(crate) use self::loom::{Condvar, Mutex};
#[cfg(not(rs2p_loom))]
pub(crate) use parking_lot::{Condvar, Mutex};
#[cfg(not(rs2p_loom))]
pub(crate) use std::sync::atomic;

#[cfg(rs2p_loom)]
pub(crate) use ::loom::sync::atomic;

/// Runs a model in every order with at most two preemptions, which takes
/// less than a second.
#[cfg(all(test, rs2p_loom))]
pub(crate) fn model(steps: impl Fn() + Send + Sync + 'static) {
    let mut builder = ::loom::model::Builder::new();
    builder.preemption_bound = Some(2);
    builder.check(steps);
}
