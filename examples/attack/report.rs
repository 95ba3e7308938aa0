//! The table, and what in it is a failure.

use crate::attacks::Attack;
use crate::run::{KEPT_MIB, Outcome};

pub const HEAD: &str = "| kind | attack | quiet p99 ms | p50 | p99 | max | lost | doubled | dropped | MiB peak, after | threads | fds left | CPU % | X says about the attacker | verdict |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|";

/// Most memory above that of the quiet time.
const MAX_MIB: u64 = 64;
/// Microseconds: what an honest message may take under an attacker that takes all it can get, and
/// under one that takes a quarter of a processor.
const FULL_P99: u64 = 150_000;
const LIGHT_P99: u64 = 20_000;

/// Returns what X said about the attacker in a line of its report, and counts.
pub fn naming(line: &str) -> Option<String> {
    let (count, event) = line.strip_prefix("event ")?.split_once(' ')?;
    let (name, cause) = event.strip_prefix("attacker ")?.split_once(' ')?;
    let is_reason = !matches!(name, "Joined") && !matches!(cause, "PeerClosed" | "Io");
    let cause = if cause.is_empty() { String::new() } else { format!("/{cause}") };
    is_reason.then(|| format!("{name}{cause} {count}"))
}

/// Returns the promises that do not depend on how fast the machine is, and are broken.
pub fn broken_promises(outcome: &Outcome) -> Vec<String> {
    let mut broken = outcome.failures.clone();
    let counts = [
        (outcome.lost, "lost"),
        (outcome.doubled, "doubled"),
        (outcome.dropped, "honest links dropped"),
        (outcome.forged, "words in the name of others"),
    ];
    broken.extend(counts.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")));
    let peak = outcome.peak.mib_above(outcome.base);
    if peak > MAX_MIB {
        broken.push(format!("+{peak} MiB"));
    }
    broken
}

fn failures(attack: &Attack, outcome: &Outcome) -> Vec<String> {
    let mut failures = broken_promises(outcome);
    let least = if attack.is_full { FULL_P99 } else { LIGHT_P99 };
    if outcome.p99 > least.max(3 * outcome.quiet_p99) {
        failures.push(format!("p99 {} ms", ms(outcome.p99)));
    }
    let after = outcome.after.mib_above(outcome.base);
    if after > KEPT_MIB {
        failures.push(format!("+{after} MiB after 10 s"));
    }
    if outcome.after.threads > outcome.base.threads {
        failures.push("threads left".into());
    }
    if let Some(newcomers) = outcome.newcomers
        && newcomers.let_in < newcomers.came
    {
        failures.push(format!("{} of {} newcomers let in", newcomers.let_in, newcomers.came));
    }
    if attack.is_named && outcome.named.is_empty() {
        failures.push("not named".into());
    }
    failures
}

fn ms(micros: u64) -> String {
    if micros < 10_000 {
        format!("{:.1}", micros as f64 / 1000.0)
    } else {
        (micros / 1000).to_string()
    }
}

pub fn row(attack: &Attack, outcome: &Outcome) -> String {
    let Outcome { base, peak, after, .. } = outcome;
    let failures = failures(attack, outcome);
    let verdict = if failures.is_empty() {
        "pass".into()
    } else {
        format!("**FAIL**: {}", failures.join("; "))
    };
    let named = if outcome.named.is_empty() { "–".into() } else { outcome.named.join(", ") };
    let cells = [
        attack.kind.to_string(),
        attack.name.clone(),
        ms(outcome.quiet_p99),
        ms(outcome.p50),
        ms(outcome.p99),
        ms(outcome.max),
        outcome.lost.to_string(),
        outcome.doubled.to_string(),
        outcome.dropped.to_string(),
        format!("+{}, +{}", peak.mib_above(*base), after.mib_above(*base)),
        format!("{}/{}/{}", base.threads, peak.threads, after.threads),
        after.descriptors.saturating_sub(base.descriptors).to_string(),
        outcome.processor.to_string(),
        named,
        verdict,
    ];
    format!("| {} |", cells.join(" | "))
}
