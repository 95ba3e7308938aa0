//! Whether the promises are kept: which ones can be asked for when.

use std::fmt;

use super::promises::Kept;
use super::world::World;

/// A promise that was broken.
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

type Promise = (&'static str, fn(&World) -> Kept);

/// Kept at any time, whatever goes wrong.
const ALWAYS: [Promise; 4] = [
    ("at most once to the application", World::at_most_once_to_the_application),
    (
        "at least once to every node that stays connected to the origin",
        World::at_least_once_to_every_node_that_stays_connected_to_the_origin,
    ),
    ("sent = delivered + counted losses", World::what_was_sent_was_delivered_or_is_counted),
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
    /// Whether every promise is kept that can be asked for at any time: at most once to the
    /// application; at least once to every node that stays connected to the origin; sent =
    /// delivered + counted losses; bounds hold.
    ///
    /// # Errors
    ///
    /// The first one that is not.
    pub fn check(&self) -> Result<(), Violation> {
        if let Some((promise, what)) = &self.ground.ledger.broken {
            return Err(self.violation(promise, what.clone()));
        }
        self.check_all(&ALWAYS)
    }

    /// Whether, on top of [`World::check`], all is as it should be when nothing has gone wrong for
    /// a while: exactly one usable link joins a pair, all nodes are connected, every program is
    /// linked to whom it connects to.
    ///
    /// # Errors
    ///
    /// The first promise that is not kept.
    pub fn check_calm(&self) -> Result<(), Violation> {
        self.check()?;
        self.check_all(&CALM)
    }

    /// Whether a promise was broken while time passed. Then time stands still: see
    /// [`World::check`].
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.ground.ledger.broken.is_some()
    }

    /// Whether the promises of a calm mesh hold: see [`World::check_calm`].
    #[must_use]
    pub fn is_calm(&self) -> bool {
        self.check_all(&CALM).is_ok()
    }

    fn check_all(&self, promises: &[Promise]) -> Result<(), Violation> {
        promises.iter().try_for_each(|(promise, keeps)| {
            keeps(self).map_err(|what| self.violation(promise, what))
        })
    }

    /// Whether nothing was lost at all, as it must be where nothing goes wrong.
    ///
    /// # Errors
    ///
    /// If something was.
    pub fn check_lossless(&self) -> Result<(), Violation> {
        let ledger = &self.ground.ledger;
        let dropped = self.processes.iter().map(|process| process.application.dropped).sum();
        let refused = ledger.sendings.iter().map(|sending| sending.refused.len() as u64).sum();
        let losses: [(u64, &str); 4] = [
            (ledger.copies.lost(), "copies lost"),
            (refused, "copies turned down"),
            (ledger.given_up, "messages never sent"),
            (dropped, "messages dropped before somebody received them"),
        ];
        match losses.into_iter().find(|(count, _)| *count > 0) {
            None => Ok(()),
            Some((count, what)) => {
                Err(self.violation("a healthy mesh loses nothing", format!("{count} {what}")))
            }
        }
    }

    fn violation(&self, promise: &'static str, what: String) -> Violation {
        Violation { promise, what, seed: self.seed }
    }
}
