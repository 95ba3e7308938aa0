//! Logging. The crate docs have the table of levels and targets. A line that is off is not formatted.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::time::Duration;

use log::{Level, log, log_enabled};

use crate::events::MeshEvent;
use crate::node::{LinkId, Parcel};
use crate::options::{Kind, SendOptions};
use crate::wire::Envelope;

const PEERS: &str = "rs2p::peers";
const LINKS: &str = "rs2p::links";
const HANDLERS: &str = "rs2p::handlers";
const MESSAGES: &str = "rs2p::messages";

/// What this socket logs: capped by its `debug_level`, if that was set.
#[derive(Clone, Debug)]
pub(crate) struct Trace {
    cap: u8,
    port: u16,
}

macro_rules! note {
    ($trace:expr, $level:literal, $target:expr, $($text:tt)+) => {
        if $trace.is_on($level, $target) {
            log!(target: $target, level_of($level), "[{}] {}", $trace.port, format_args!($($text)+));
        }
    };
}

impl Trace {
    pub fn new(debug_level: Option<u8>, port: u16) -> Self {
        Trace { cap: debug_level.unwrap_or(u8::MAX), port }
    }

    fn is_on(&self, level: u8, target: &'static str) -> bool {
        level <= self.cap && log_enabled!(target: target, level_of(level))
    }

    pub fn event(&self, event: &MeshEvent) {
        match event {
            MeshEvent::HandlerPanicked { message } => {
                note!(self, 0, HANDLERS, "{message} panicked");
            }
            MeshEvent::TroubleBegan(trouble) => {
                note!(self, 1, PEERS, "{trouble}; {}", trouble.remedy());
            }
            MeshEvent::TroubleEnded(trouble) => note!(self, 1, PEERS, "over: {trouble}"),
            event => note!(self, 1, PEERS, "{event:?}"),
        }
    }

    pub fn accepted(&self, from: SocketAddr) {
        note!(self, 2, LINKS, "accepted a connection from {from}");
    }

    pub fn silent(&self, from: &str) {
        note!(self, 2, LINKS, "{from} connected and said nothing");
    }

    pub fn ignored(&self, message: &impl Debug) {
        note!(self, 3, MESSAGES, "no handler kept {message:?}");
    }

    pub fn sent(&self, options: &SendOptions, packets: usize, peers: usize) {
        let SendOptions { flag, kind, .. } = options;
        note!(self, 4, MESSAGES, "sent {packets} packets to {peers} peers as {flag:?} {kind:?}");
    }

    pub fn duplicates(&self, link: LinkId, count: usize) {
        if count > 0 {
            note!(self, 3, MESSAGES, "not relaying {count} duplicates from link {}", link.0);
        }
    }

    /// Returns whether what goes out is to be logged: asked before anything is kept for it.
    pub fn shows_frames(&self) -> bool {
        self.is_on(5, MESSAGES)
    }

    pub fn outgoing(&self, link: LinkId, parcel: &Parcel) {
        let link = link.0;
        match parcel {
            Parcel::Own(frame) => {
                note!(self, 5, MESSAGES, "to link {link}: {} B of ours", frame.len())
            }
            Parcel::Relay(frame, _) => {
                note!(self, 5, MESSAGES, "to link {link}: {} B relayed", frame.len());
            }
            Parcel::Control(draft) | Parcel::Answer(draft) | Parcel::Announce(draft) => {
                let kind = draft.packets.first().map(Kind::from);
                note!(self, 5, MESSAGES, "to link {link}: {kind:?}");
            }
        }
    }

    /// A message between neighbours, which neither handlers nor `recv` see.
    pub fn control(&self, link: LinkId, envelope: &Envelope) {
        let kind = envelope.packets.first().map(Kind::from);
        note!(self, 5, MESSAGES, "from link {}: {kind:?}", link.0);
    }

    pub fn arrived(&self, message: &impl Debug) {
        note!(self, 5, MESSAGES, "received {message:?}");
    }

    pub fn entering(&self, handler: u64, kind: &Kind) {
        note!(self, 5, HANDLERS, "entering handler {handler} with {kind:?}");
    }

    pub fn slow_handler(&self, took: Duration) {
        note!(self, 1, HANDLERS, "the handlers took {took:?}: nothing is relayed meanwhile");
    }
}

fn level_of(debug_level: u8) -> Level {
    match debug_level {
        0 => Level::Error,
        1 => Level::Info,
        2 | 3 => Level::Debug,
        _ => Level::Trace,
    }
}
