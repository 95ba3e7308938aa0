//! Running one world for each of many seeds, on all cores.

use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use rs2p::sim::{Violation, World};

/// What became of one world.
pub type Outcome = Result<(), Box<dyn Error>>;

/// After this time new links are old enough to be asked for everything.
pub const SETTLED: Duration = Duration::from_secs(8);

/// Lets time pass until all is well, and demands that it is so for good: also when the links that
/// were made last have settled. One of these may have died as well, without a word, and then has
/// what is left of the time to be missed. How long it took.
pub fn heals_for_good(world: &mut World, within: Duration) -> Result<Duration, Violation> {
    let begun = world.now();
    let healed = world.heals_within(within);
    world.check_calm()?;
    world.run_for(SETTLED);
    let late = world.heals_within((begun + within).saturating_sub(world.now()));
    world.check_calm()?;
    let late = late.filter(|late| !late.is_zero()).map(|_| world.now() - begun);
    Ok(late.or(healed).unwrap_or(within))
}

/// Lets all messages come to rest within a minute. A promise that is broken stops time: then it is
/// that one which is reported.
pub fn settles(world: &mut World) -> Outcome {
    if !world.settle(Duration::from_secs(60)) {
        world.check()?;
        return Err("messages are still on their way after a minute".into());
    }
    Ok(world.check()?)
}

/// Choices out of one seed, each independent of the others.
pub struct Digits(pub u64);

impl Digits {
    /// The next one, below `base`.
    pub fn next(&mut self, base: usize) -> usize {
        let digit = self.0 % base as u64;
        self.0 /= base as u64;
        digit as usize
    }
}

/// So many, or ten times as many with `RS2P_LONG`.
pub fn seeds(count: u64) -> u64 {
    if is_long() { 10 * count } else { count }
}

/// Whether this is a long run.
pub fn is_long() -> bool {
    std::env::var_os("RS2P_LONG").is_some()
}

/// Runs the world of every seed below `count`, or that of `RS2P_SEED` alone. The first one that
/// fails ends it, and says how to see it again.
pub fn for_each_seed(test: &str, count: u64, run: impl Fn(u64) -> Outcome + Sync) {
    let _ = env_logger::builder().is_test(true).try_init();
    if let Some(seed) = the_seed() {
        return attempt(test, seed, &run);
    }
    let next = AtomicU64::new(0);
    let work = || {
        while let seed = next.fetch_add(1, Ordering::Relaxed)
            && seed < count
        {
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| attempt(test, seed, &run)));
            if let Err(panic) = outcome {
                next.store(count, Ordering::Relaxed);
                panic::resume_unwind(panic);
            }
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                panic::resume_unwind(panic);
            }
        }
    });
}

/// The one seed to run. What holds for many together is not asked of it.
pub fn the_seed() -> Option<u64> {
    let seed = std::env::var("RS2P_SEED").ok()?;
    Some(seed.parse().expect("RS2P_SEED is a number"))
}

fn attempt(test: &str, seed: u64, run: impl Fn(u64) -> Outcome) {
    let again = format!("seed {seed}; again: RS2P_SEED={seed} {} {test}", command());
    match panic::catch_unwind(AssertUnwindSafe(|| run(seed))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error}\n{again}"),
        Err(panic) => {
            eprintln!("{again}");
            panic::resume_unwind(panic);
        }
    }
}

/// Runs these tests with the features that they have now: handshakes say which methods there are,
/// so another set of features makes another world.
fn command() -> String {
    let optional = [
        ("compression-all", cfg!(feature = "compression-all")),
        ("native-tls", cfg!(feature = "native-tls")),
    ];
    let features = optional.into_iter().filter(|(_, is_on)| *is_on).map(|(name, _)| name);
    let features: Vec<&str> = features.chain(["sim"]).collect();
    format!("cargo test --features '{}' --test simulation", features.join(" "))
}
