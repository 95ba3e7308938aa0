//! A machine with a connection in memory: each way out of reading, writing and closing.

mod closing;
mod pace;
mod reading;
mod writing;

use std::io;
use std::time::Duration;

use super::flow::Load;
use super::host::Host;
use super::machine::{Machine, Next};
use super::mailbox::{Mailbox, Order};
use super::mock::{Hand, me};
use crate::cause::Cause;
use crate::config::Config;
use crate::node::{Event, LinkSettings, Parcel};
use crate::options::Flag;
use crate::packet::Packet;
use crate::wire::Draft;

const S: fn(u64) -> Duration = Duration::from_secs;

impl Hand {
    fn read_messages(&self) -> usize {
        self.batches.iter().map(|batch| batch.items.len()).sum()
    }

    fn lost(&self) -> usize {
        self.told.iter().filter(|event| matches!(event, Event::Lost { .. })).count()
    }
}

fn load(bytes: usize) -> Load {
    Load { bytes, ..Load::default() }
}

/// A message for the peer alone, of about this many bytes.
fn message(size: usize) -> Draft {
    let packets = vec![Packet::from("kind"), Packet::from(vec![7; size])];
    Draft { main: Flag::Whisper, packets, time: 1 }
}

fn own(size: usize) -> Parcel {
    let draft = message(size);
    Parcel::Own(draft.encode(&me(), &draft.id()))
}

/// The same as it comes over the wire.
fn bytes(size: usize) -> Vec<u8> {
    let draft = message(size);
    draft.encode(&me(), &draft.id()).bytes(None).to_vec()
}

fn close(hand: &mut Hand, cause: Cause) {
    let _ = hand.mailbox.outgoing.refuse_more();
    hand.mailbox.order(Order::Close(cause));
}

fn at(next: Result<Next, Cause>) -> Option<Duration> {
    match next {
        Ok(Next::At(at)) => Some(at),
        _ => None,
    }
}
