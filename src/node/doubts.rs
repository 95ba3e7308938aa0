//! Members that may be lost: the mesh is asked for them, and those that live answer.

use std::time::Duration;

use super::timers::Timer;
use super::{Node, Now};
use crate::id::NodeId;
use crate::wire::members::{MAX_LOST, Members};

/// The mesh is asked for lost peers within this time. One node asks first, and the others need not.
const MAX_PAUSE: Duration = Duration::from_secs(2);
/// The least time between two answers to nodes that take this one to be lost.
const ANSWER_EVERY: Duration = Duration::from_millis(500);

impl Node {
    /// Handles that a node has lost members. Answers if this node is one of them.
    pub(super) fn members_lost(&mut self, now: Now, lost: &[(NodeId, u64)]) {
        for &(id, version) in lost {
            let Some(presence) = &mut self.presence else { return };
            if id == self.me.id {
                self.taken_to_be_lost(now, version);
            } else if let Some(at) = presence.roster.doubt(now.mono, &id, version) {
                self.timers.set(at, Timer::Members);
            }
        }
    }

    /// Answers nodes that take this one to be lost: at once, or when the last answer is old enough.
    fn taken_to_be_lost(&mut self, now: Now, version: u64) {
        let Some(presence) = &mut self.presence else { return };
        if version < presence.version {
            return;
        }
        // A forged version may be higher than that of this node; it is not followed far.
        if version.saturating_sub(presence.version) < 1 << 32 {
            presence.version = version;
        }
        let at = presence.announced.saturating_add(ANSWER_EVERY);
        if now.mono >= at {
            return self.announce_self(now);
        }
        presence.announce_at = Some(presence.announce_at.map_or(at, |planned| planned.min(at)));
        self.timers.set(at, Timer::Members);
    }

    /// Notes that a peer was lost. The mesh is asked for it, if no other node does before.
    pub(super) fn doubt_lost(&mut self, now: Now, id: NodeId) {
        let version = self.presence.as_ref().and_then(|it| it.roster.undoubted(&id));
        if let Some(version) = version {
            self.doubt_soon(now, id, version);
        }
    }

    /// Notes that a peer lists a member that this node takes to be gone.
    pub(super) fn doubt_gone(&mut self, now: Now, id: NodeId) {
        let version = self.presence.as_ref().and_then(|it| it.roster.last_version(&id));
        if let Some(version) = version {
            self.doubt_soon(now, id, version);
        }
    }

    fn doubt_soon(&mut self, now: Now, id: NodeId, version: u64) {
        let Some(presence) = &mut self.presence else { return };
        if presence.doubts.len() >= MAX_LOST || presence.doubts.contains(&(id, version)) {
            return;
        }
        presence.doubts.push((id, version));
        if presence.doubt_at.is_none() {
            let pause = Duration::from_micros(self.rng.below(MAX_PAUSE.as_micros() as u64));
            let at = now.mono.saturating_add(pause);
            presence.doubt_at = Some(at);
            self.timers.set(at, Timer::Members);
        }
    }

    /// Asks the mesh for peers that were lost, except those that are linked again or asked for already.
    pub(super) fn ask_for_lost(&mut self, now: Now) {
        let Some(presence) = &mut self.presence else { return };
        presence.doubt_at = None;
        let mut lost = std::mem::take(&mut presence.doubts);
        lost.retain(|(id, version)| {
            let is_open = presence.roster.undoubted(id).is_some_and(|known| known <= *version)
                || presence.roster.last_version(id) == Some(*version);
            is_open && self.table.get(id).is_none()
        });
        lost.sort_unstable();
        lost.dedup();
        if !lost.is_empty() {
            self.tell_mesh(now, &Members::Lost(lost.clone()));
            self.members_lost(now, &lost);
        }
    }
}
