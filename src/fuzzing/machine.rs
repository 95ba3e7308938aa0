//! Histories of one link: whatever comes over the connection, whenever its room, its orders and the
//! daemon change.

use std::io;
use std::time::Duration;

use arbitrary::{Result, Unstructured};

use super::messages;
use crate::cause::Cause;
use crate::config::Config;
use crate::link::machine::Machine;
use crate::link::mailbox::Order;
use crate::link::mock::{Hand, me};
use crate::node::{LinkId, LinkSettings, Parcel};
use crate::options::Flag;
use crate::wire::{Draft, FrameReader, Pacing, Total};

/// Events of one history.
const MOST: usize = 200;
const CREDIT: usize = 4096;
const MAX_FRAME: usize = 64 * 1024;
/// What a machine may take above its credit: what it pins of one batch, and of one frame.
const EXCESS: usize = 128 * 1024 + 2 * MAX_FRAME;

pub(super) fn run(data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let config = Config { link_credit: CREDIT, max_frame: MAX_FRAME, ..Config::default() };
    let is_up = input.arbitrary()?;
    let (mut hand, machine) = if is_up { Hand::established(config) } else { Hand::new(config) };
    let (mut machine, mut sent) = (Some(machine), 0);
    for _ in 0..MOST {
        if input.is_empty() {
            break;
        }
        super::count_event();
        happen(&mut input, &mut hand, &mut sent)?;
        let Some(running) = &mut machine else { break };
        running.readable();
        if let Err(cause) = running.turn(&mut hand) {
            end(machine.take(), &mut hand, cause);
        }
        check(&hand, sent);
    }
    end(machine, &mut hand, Cause::Closed);
    Ok(())
}

fn happen(input: &mut Unstructured<'_>, hand: &mut Hand, sent: &mut u64) -> Result<()> {
    match input.int_in_range(0..=12)? {
        0..=2 => come(input, hand, |_| numbered(sent))?,
        3 => come(input, hand, messages::draft)?,
        4 => hand.arrives(Ok(input.arbitrary::<&[u8]>()?.to_vec())),
        5 if input.ratio(1, 8)? => hand.arrives(Ok(Vec::new())),
        5 => hand.arrives(Err(io::ErrorKind::Interrupted.into())),
        6 => hand.takes(usize::from(input.arbitrary::<u16>()?)),
        7 => hand.now += Duration::from_millis(input.arbitrary::<u16>()?.into()),
        8 => put(input, hand)?,
        9 | 10 => give_back(hand),
        11 => hand.has_room = input.arbitrary()?,
        _ => order(input, hand)?,
    }
    Ok(())
}

/// A message comes, whole or in two pieces.
fn come(
    input: &mut Unstructured<'_>,
    hand: &mut Hand,
    draft: impl FnOnce(&mut Unstructured<'_>) -> Result<Draft>,
) -> Result<()> {
    let draft = draft(input)?;
    let mut bytes = draft.encode(&me(), &draft.id()).bytes(None).to_vec();
    let rest = bytes.split_off(input.int_in_range(1..=bytes.len())?);
    hand.arrives(Ok(bytes));
    if !rest.is_empty() {
        hand.arrives(Ok(rest));
    }
    Ok(())
}

/// The first packet of a broadcast whose second one is its number: no other message begins with it by chance.
const NUMBERED: &[u8] = b"a numbered broadcast";

/// A numbered broadcast.
fn numbered(sent: &mut u64) -> Result<Draft> {
    *sent += 1;
    let packets = vec![NUMBERED.into(), sent.to_be_bytes().to_vec().into()];
    Ok(Draft { main: Flag::Broadcast, packets, time: 1 })
}

fn put(input: &mut Unstructured<'_>, hand: &mut Hand) -> Result<()> {
    let draft = messages::draft(input)?;
    let frame = draft.encode(&me(), &draft.id());
    let parcel = match input.int_in_range(0..=3)? {
        0 => Parcel::Own(frame),
        1 => Parcel::Relay(frame, LinkId(input.int_in_range(1..=3)?)),
        2 => Parcel::Control(draft),
        _ => Parcel::Announce(draft),
    };
    let _ = hand.mailbox.outgoing.put(parcel, ());
    Ok(())
}

/// The daemon deals with the first batch that waits for it.
fn give_back(hand: &mut Hand) {
    if let Some(load) = hand.batches.iter().map(|batch| batch.load).find(|load| load.bytes > 0) {
        let _ = hand.mailbox.give_back(load);
        let dealt = hand.batches.iter_mut().find(|batch| batch.load.bytes > 0);
        dealt.into_iter().for_each(|batch| batch.load = Default::default());
    }
}

fn order(input: &mut Unstructured<'_>, hand: &mut Hand) -> Result<()> {
    let until = hand.now + Duration::from_millis(input.arbitrary::<u16>()?.into());
    match input.int_in_range(0..=5)? {
        0 => hand.mailbox.order(Order::Close(Cause::Disconnected)),
        1 => hand.mailbox.order(Order::Retire),
        2 => hand.mailbox.order(Order::Linger { until }),
        3 => hand.mailbox.order(Order::Resend),
        4 => hand.mailbox.hear(match input.arbitrary()? {
            true => Pacing::HowFar,
            false => {
                let (bytes, frames) = (input.arbitrary()?, input.arbitrary()?);
                Pacing::Taken { total: Total { bytes, frames }, room: input.arbitrary()? }
            }
        }),
        _ => {
            let (receive, send) = (Vec::new(), None);
            let (is_rs2p, tells_pace) = (input.arbitrary()?, input.arbitrary()?);
            hand.mailbox.set(LinkSettings {
                peer: me(),
                is_rs2p,
                tells_pace,
                is_held: false,
                receive,
                send,
            });
        }
    }
    Ok(())
}

/// A link that ends hands in what it has read, and says so.
fn end(machine: Option<Machine<u8, ()>>, hand: &mut Hand, cause: Cause) {
    let Some(machine) = machine else { return };
    hand.has_room = true;
    if let Some(mut closing) = machine.finish(hand, cause) {
        assert!(closing.hand_in(hand), "there is room for what is left");
        assert!(hand.has_ended);
    }
    assert!(hand.port.is_none(), "the connection is closed");
}

fn check(hand: &Hand, sent: u64) {
    assert!(hand.mailbox.undigested() <= CREDIT + EXCESS, "{}", hand.mailbox.undigested());
    let arrived = hand.batches.iter().flat_map(|batch| &batch.items);
    let numbers = arrived.filter_map(|((), item)| {
        let [kind, number] = &item.as_ref().ok()?.packets[..] else { return None };
        let number = number.as_bytes().try_into().ok()?;
        (*kind == NUMBERED).then(|| u64::from_be_bytes(number))
    });
    let last = numbers.fold(0, |last, number| {
        assert!(number > last, "{number} came after {last}");
        number
    });
    assert!(last <= sent, "{last} of {sent}");
    if let Some((stream, _)) = &hand.port {
        let (mut written, mut frames) = (&stream.output[..], FrameReader::new(MAX_FRAME * 4));
        while !written.is_empty() {
            frames.read_from(&mut written, usize::MAX).expect("a slice can be read");
            while frames.next().expect("whole frames are written").is_some() {}
        }
    }
}
