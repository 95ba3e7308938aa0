//! The promises, each a function whose name is the sentence.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::ledger::AT_LEAST_ONCE;
use super::process::Process;
use super::schedule::ProcessId;
use super::world::World;
use crate::cause::Cause;

/// A promise that was broken.
///
/// ```
/// # use rs2p::sim::World;
/// if let Err(violation) = World::new(42).nodes(5).check() {
///     panic!("{violation}"); // names the promise and the seed
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The promise.
    pub promise: &'static str,
    /// What happened instead.
    pub what: String,
    /// The seed of the world in which it happened.
    pub seed: u64,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "broken: {}\n  {}\n  in the world of seed {}", self.promise, self.what, self.seed)
    }
}

impl std::error::Error for Violation {}

type Kept = Result<(), String>;
type Promise = (&'static str, fn(&World) -> Kept);

/// The promise about what a node may refuse.
pub(super) const SOUND: &str = "no message is turned down without a good reason";

/// Kept at any time, whatever goes wrong.
const ALWAYS: [Promise; 5] = [
    ("at most once to the application", World::at_most_once_to_the_application),
    (AT_LEAST_ONCE, World::at_least_once_to_every_node_that_stays_connected_to_the_origin),
    ("sent = delivered + counted losses", World::what_was_sent_was_delivered_or_is_counted),
    (SOUND, World::nobody_turns_down_what_is_sound),
    ("bounds hold", World::bounds_hold),
];

/// Kept once nothing has gone wrong for a while.
const CALM: [Promise; 3] = [
    ("exactly one usable link joins a pair", World::exactly_one_usable_link_joins_a_pair),
    (
        "connected again in bounded time once the network allows it",
        World::connected_again_once_the_network_allows_it,
    ),
    ("every program is linked to whom it connects to", World::every_program_has_its_links),
];

impl World {
    /// Returns whether every promise is kept that can be asked for at any time: at most once to the
    /// application; at least once to every node that stays connected to the origin; sent =
    /// delivered + counted losses; no message is turned down without a good reason; bounds hold.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(3, "hello")?;
    /// world.run_for(Duration::from_secs(5));
    /// world.check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first one that is not.
    pub fn check(&self) -> Result<(), Violation> {
        if let Some((promise, what)) = &self.shared.ledger.broken {
            return Err(self.violation(promise, what.clone()));
        }
        self.check_all(&ALWAYS)
    }

    /// Returns whether, on top of [`World::check`], all is as it should be when nothing has gone
    /// wrong for a while: exactly one usable link joins a pair, all nodes are connected, every
    /// program is linked to whom it connects to, unless one of the two has no room for a link.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// let mut world = World::new(42).nodes(5);
    /// world.run_for(std::time::Duration::from_secs(20));
    /// world.check_calm()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The first promise that is not kept.
    pub fn check_calm(&self) -> Result<(), Violation> {
        self.check()?;
        self.check_all(&CALM)
    }

    /// Returns whether a promise was broken while time passed. Then time stands still: see
    /// [`World::check`].
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// assert!(!World::new(42).nodes(5).is_broken());
    /// ```
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.shared.ledger.broken.is_some()
    }

    /// Returns whether the promises of a calm mesh hold: see [`World::check_calm`].
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// let mut world = World::new(42).nodes(5);
    /// assert!(world.run_until(std::time::Duration::from_secs(60), World::is_calm));
    /// ```
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.check_all(&CALM).is_ok()
    }

    fn check_all(&self, promises: &[Promise]) -> Result<(), Violation> {
        promises.iter().try_for_each(|(promise, keeps)| {
            keeps(self).map_err(|what| self.violation(promise, what))
        })
    }

    /// Returns whether nothing waits any more: to be sent, on its way, or for an application that
    /// takes messages by itself. To be asked when there was time enough for all of it.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(3, "hello")?;
    /// world.run_for(Duration::from_secs(5));
    /// world.check_quiet()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If something does.
    pub fn check_quiet(&self) -> Result<(), Violation> {
        self.check()?;
        if self.is_quiet() {
            return Ok(());
        }
        let waits = |(pid, process): (usize, &Process)| {
            let (line, in_hand) = (process.line.len(), process.in_hand());
            (line + in_hand > 0)
                .then(|| format!("process {pid}: {line} to send, {in_hand} in hand"))
        };
        let waiting: Vec<String> = self.processes.iter().enumerate().filter_map(waits).collect();
        let what = format!("{:?}; {}", self.shared.ledger.copies, waiting.join("; "));
        Err(self.violation("nothing stands still", what))
    }

    /// Returns whether nothing was lost at all, as it must be where nothing goes wrong: no copy of
    /// a message, no message that waited to be sent or taken, no frame that a node turned down.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.send(3, "hello")?;
    /// world.run_for(Duration::from_secs(5));
    /// world.check_lossless()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If something was.
    pub fn check_lossless(&self) -> Result<(), Violation> {
        match self.losses_in_words() {
            None => Ok(()),
            Some(what) => Err(self.violation("a healthy mesh loses nothing", what)),
        }
    }

    /// Lets time pass in which nothing goes wrong. No link between peers may be lost in it, unless it is
    /// exchanged for another one, and none be made unless the nodes look for peers by themselves: nothing else
    /// would be a cause.
    ///
    /// ```
    /// # use rs2p::sim::World;
    /// # use std::time::Duration;
    /// # let mut world = World::new(42).nodes(5);
    /// # world.run_for(Duration::from_secs(10));
    /// world.run_for(Duration::from_secs(60));
    /// world.rest_for(Duration::from_secs(30))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If one is nevertheless, or if another promise was broken.
    pub fn rest_for(&mut self, span: Duration) -> Result<(), Violation> {
        let (joined, left, since) = (self.joined, self.lost_links(), self.now());
        self.run_for(span);
        self.check()?;
        let joined = self.joined - joined;
        if self.lost_links() == left && (joined == 0 || self.machines.iter().any(|at| !at.is_fixed))
        {
            return Ok(());
        }
        let what = format!("after {since:?}: {joined} joined; lost {left:?}, then {:?}", self.left);
        Err(self.violation("links stay as they are while nothing goes wrong", what))
    }

    /// Returns how often links were lost, by cause, without those that were exchanged.
    fn lost_links(&self) -> BTreeMap<String, u64> {
        let exchanged = Cause::Exchanged.to_string();
        let mut left = self.left.clone();
        left.remove(&exchanged);
        left
    }

    fn violation(&self, promise: &'static str, what: String) -> Violation {
        Violation { promise, what, seed: self.seed }
    }

    fn connected_again_once_the_network_allows_it(&self) -> Kept {
        match self.components() {
            0 | 1 => Ok(()),
            parts => Err(format!("the mesh is in {parts} parts at {:?}", self.now())),
        }
    }

    fn every_program_has_its_links(&self) -> Kept {
        for (node, machine) in self.machines.iter().enumerate() {
            let Some(pid) = machine.process else { continue };
            for &target in &machine.targets {
                let Some(peer) = self.machines[target].process else { continue };
                if !self.are_linked(pid, peer) && !self.is_full(pid) && !self.is_full(peer) {
                    return Err(format!("node {node} was told to connect to {target} and is not"));
                }
            }
        }
        Ok(())
    }

    /// Returns whether a node takes no further peer: some links are kept for its own dials.
    fn is_full(&self, pid: ProcessId) -> bool {
        self.processes[pid].node.links() >= self.config.max_links - self.config.max_links / 8
    }
}
