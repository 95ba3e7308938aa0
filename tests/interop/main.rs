//! rs2p and real py2p 0.4.516 nodes, over real sockets.
//!
//! What these tests need: a Python from 3.8 to 3.11 (`RS2P_PYTHON` names one)
//! and, the first time, a registry for `pip install py2p`. Where there is none
//! they say so and pass, except under `CI=true`.

mod dials;
mod errors;
mod harness;
mod healing;
mod hostile;
mod mesh;
mod net;
mod node;
mod payloads;
mod reply;
mod slow;
mod ssl;

#[path = "../support/py2p/mod.rs"]
mod py2p;
#[path = "../support/mod.rs"]
mod support;

use py2p::{event, options, peer, python};
use support::raw;
