//! Running one world for each of many seeds, on all cores.

use std::error::Error;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

/// What became of one world.
pub type Outcome = Result<(), Box<dyn Error>>;

/// So many, or ten times as many with `RS2P_LONG`.
pub fn seeds(count: u64) -> u64 {
    if std::env::var_os("RS2P_LONG").is_some() { 10 * count } else { count }
}

/// Runs the world of every seed below `count`, or that of `RS2P_SEED` alone.
pub fn for_each_seed(test: &str, count: u64, run: impl Fn(u64) -> Outcome + Sync) {
    let _ = env_logger::builder().is_test(true).try_init();
    if let Ok(seed) = std::env::var("RS2P_SEED") {
        return attempt(test, seed.parse().expect("RS2P_SEED is a number"), &run);
    }
    let next = AtomicU64::new(0);
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= count {
                return;
            }
            attempt(test, seed, &run);
        }
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            if let Err(panic) = worker.join() {
                next.store(count, Ordering::Relaxed);
                panic::resume_unwind(panic);
            }
        }
    });
}

fn attempt(test: &str, seed: u64, run: impl Fn(u64) -> Outcome) {
    let replay = format!("RS2P_SEED={seed} cargo test --features sim --test simulation {test}");
    match panic::catch_unwind(AssertUnwindSafe(|| run(seed))) {
        Ok(Ok(())) => {}
        Ok(Err(error)) => panic!("{error}\nseed {seed}; again: {replay}"),
        Err(panic) => {
            eprintln!("seed {seed}; again: {replay}");
            panic::resume_unwind(panic);
        }
    }
}
