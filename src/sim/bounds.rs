//! The highest use of everything that has a bound. It is kept after the link that it was seen on.

use super::process::Process;
use super::schedule::ProcessId;
use super::world::World;
use crate::config::Config;
use crate::link::channel_capacity;
use crate::link::flow::MAX_EXTRA;
use crate::link::reading::READ_TURN;
use crate::node::LinkId;
use crate::node::requests::MAX_WAITING;

/// The most that there ever was of something.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Peak(usize);

impl Peak {
    pub fn note(&mut self, is: usize) {
        self.0 = self.0.max(is);
    }

    pub fn most(self) -> usize {
        self.0
    }
}

/// The most of everything that a process ever had at once.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Marks {
    /// Bytes that waited on one link to be written.
    pub outbound: Peak,
    /// Bytes that one link had read ahead of the daemon.
    pub undigested: Peak,
    /// What waited for the daemon.
    pub channel: Peak,
    /// Peers.
    pub table: Peak,
    /// Links, whatever they were at.
    pub links: Peak,
    /// Incoming links before their handshake.
    pub strangers: Peak,
    /// The youngest link when links were counted last.
    youngest_link: Option<LinkId>,
    /// Message ids.
    pub seen: Peak,
    /// Messages that waited for a way.
    pub routing: Peak,
}

impl Process {
    /// Notes how much of everything its node has.
    pub fn mark_node(&mut self) {
        let ((peers, seen), marks) = (self.node.sizes(), &mut self.marks);
        marks.table.note(peers);
        marks.seen.note(seen);
        marks.routing.note(self.routing.len());
        // There are more of these only if there is a new one, and counting them looks at each.
        let youngest = self.node.youngest_link();
        if marks.youngest_link != youngest {
            marks.youngest_link = youngest;
            marks.links.note(self.node.links());
            marks.strangers.note(self.node.strangers());
        }
    }

    /// Returns all marks, each with its bound.
    fn bounds(&self, config: &Config) -> [(&'static str, usize, usize); 10] {
        let marks = &self.marks;
        let (queued, pinned) = self.application.most();
        // The oldest stranger gives way, but one there may be.
        let strangers = config.max_handshaking.max(1);
        // One frame may pass each of these two, or it could never be sent or read; the first one also
        // for each of some sources.
        let outbound = config.outbound_limit() + config.max_frame * (1 + MAX_EXTRA);
        let credit = config.link_credit + READ_TURN + config.max_frame;
        [
            ("the outbound queue", marks.outbound.most(), outbound),
            ("the undigested input", marks.undigested.most(), credit),
            ("the daemon's channel", marks.channel.most(), channel_capacity(config)),
            ("the table", marks.table.most(), config.max_links),
            // Who connects is a stranger before it is seen that there is no room.
            ("the links", marks.links.most(), config.max_links + strangers),
            ("the strangers", marks.strangers.most(), strangers),
            // What the node itself sends always finds room.
            ("the seen cache", marks.seen.most(), config.seen_ids * 2),
            ("what waits for a way", marks.routing.most(), MAX_WAITING),
            ("the user's queue", queued, config.queue_messages.max(1)),
            ("the bytes in the user's queue", pinned, config.queue_bytes),
        ]
    }
}

impl World {
    pub(super) fn bounds_hold(&self) -> Result<(), String> {
        let processes = self.processes.iter().enumerate();
        for (pid, process) in processes {
            for (what, is, bound) in process.bounds(&self.config) {
                within(what, pid, is, bound)?;
            }
        }
        Ok(())
    }
}

fn within(what: &str, pid: ProcessId, is: usize, bound: usize) -> Result<(), String> {
    if is <= bound { Ok(()) } else { Err(format!("{what} of process {pid}: {is} of {bound}")) }
}
