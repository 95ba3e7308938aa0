//! Dials that the other side ended without a message. It may have had too many incoming links at a
//! time: the same address is dialled again, within the time of the first dial.

use std::time::Duration;

use super::event::Target;
use super::peer::Peer;
use super::timers::Timer;
use super::waiting::Waiter;
use super::{Node, Now};
use crate::cause::Cause;
use crate::error::Failure;
use crate::wire::HostPort;

/// Most dials after the first one.
const MAX_RETRIES: u32 = 4;
/// The pause before the second dial, with jitter; later pauses double.
const PAUSE: Duration = Duration::from_millis(150);

#[derive(Debug)]
pub(crate) struct Retry {
    addr: HostPort,
    target: Target,
    pub waiters: Vec<Waiter>,
    /// When the first dial began; its time limit holds for all.
    begun: Duration,
    retries: u32,
    failure: Failure,
}

impl Peer {
    /// Takes the waiters for which the dial is repeated, if it ended as at a node that has too many
    /// incoming links. [`Waiter::Mesh`] stays: the address book redials with pauses of its own.
    pub(super) fn take_retried(&mut self, cause: &Cause) -> Vec<Waiter> {
        let by_peer = matches!(cause, Cause::PeerClosed | Cause::Io(_));
        if !by_peer || self.is_rs2p || self.dial.retries >= MAX_RETRIES {
            return Vec::new();
        }
        let all = std::mem::take(&mut self.waiters).into_iter();
        let (again, over) = all.partition(|waiter| *waiter != Waiter::Mesh);
        self.waiters = over;
        again
    }
}

impl Node {
    pub(super) fn retry_later(
        &mut self,
        now: Now,
        peer: &Peer,
        waiters: Vec<Waiter>,
        failure: Failure,
    ) {
        if waiters.is_empty() {
            return;
        }
        let (Some(addr), Some(target)) = (peer.dial.addr.clone(), peer.dial.target.clone()) else {
            return waiters.into_iter().for_each(|it| self.fail_waiter(it, &failure));
        };
        let number = self.ids.next();
        let (begun, retries) = (peer.opened, peer.dial.retries.saturating_add(1));
        let pause = self.rng.jitter(PAUSE * 2_u32.saturating_pow(peer.dial.retries));
        let retry = Retry { addr, target, waiters, begun, retries, failure };
        self.retries.insert(number, retry);
        self.timers.set(now.mono.saturating_add(pause), Timer::Retry(number));
    }

    pub(super) fn retry(&mut self, now: Now, number: u64) {
        let Some(retry) = self.retries.remove(&number) else { return };
        let is_over = now.mono >= retry.begun.saturating_add(self.config.handshake_timeout);
        let outcome = if is_over {
            Err(retry.failure.clone())
        } else {
            self.has_room().map_err(Failure::from)
        };
        for waiter in retry.waiters {
            match &outcome {
                Err(failure) => self.fail_waiter(waiter, failure),
                Ok(()) => {
                    let link = self.dial(now, retry.target.clone(), retry.addr.clone(), waiter);
                    if let Some(peer) = self.links.get_mut(link) {
                        (peer.opened, peer.dial.retries) = (retry.begun, retry.retries);
                        peer.dial.earlier = Some(retry.failure.clone());
                        let by = retry.begun.saturating_add(self.config.handshake_timeout);
                        self.timers.set(by, Timer::Handshake(link));
                    }
                }
            }
        }
    }
}
