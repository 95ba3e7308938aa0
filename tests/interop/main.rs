//! rs2p and real py2p 0.4.516 nodes, over real sockets.
//!
//! What these tests need: a Python from 3.8 to 3.11 (`RS2P_PYTHON` names one)
//! and, the first time, a registry for `pip install py2p`. Where there is none
//! they say so and pass, except under `CI=true`.

mod driver;
mod event;
mod harness;
mod options;
mod peer;
mod python;
mod ssl;

use std::time::{Duration, Instant};

/// When to give up on something that takes milliseconds on a quiet machine.
fn soon() -> Instant {
    Instant::now() + Duration::from_secs(20)
}
