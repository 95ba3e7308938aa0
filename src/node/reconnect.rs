//! The pauses between dials.

use std::time::Duration;

use super::rng::Rng;

/// The first pause after a failed dial.
const FIRST: Duration = Duration::from_millis(200);
/// The longest pause while an address is likely to come back, and always for one that the user
/// asked for. Together with the deadline of a dial it keeps reconnecting below 10 s.
const CAP: Duration = Duration::from_secs(3);
/// An address that has not answered for this long is dialled less often ...
const LIKELY: Duration = Duration::from_secs(120);
/// ... with this pause, ...
const RARE: Duration = Duration::from_secs(30);
/// ... and after this long it is forgotten.
const FORGET: Duration = Duration::from_secs(3600);

/// The pause before the next dial, or `None` if the address is to be forgotten.
///
/// Pauses double up to a cap and carry jitter, so that two nodes that lost each other do not
/// dial each other at the same moment for ever.
pub(crate) fn pause(
    rng: &mut Rng,
    attempts: u32,
    silent_for: Duration,
    wanted: bool,
) -> Option<Duration> {
    let most = if wanted || silent_for < LIKELY {
        (FIRST * 2_u32.saturating_pow(attempts.min(8))).min(CAP)
    } else if silent_for < FORGET {
        RARE
    } else {
        return None;
    };
    Some(rng.jitter(most))
}

/// The pause before the first dial after a loss. The previous dialler dials first; the other end
/// dials only if that failed.
pub(crate) fn first_pause(rng: &mut Rng, was_outgoing: bool) -> Duration {
    rng.jitter(if was_outgoing { FIRST } else { FIRST * 5 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap() {
        let mut rng = Rng::new(1);
        for (attempts, most) in [(0, 200), (1, 400), (2, 800), (3, 1600), (4, 3000), (99, 3000)] {
            let most = Duration::from_millis(most);
            let pause = pause(&mut rng, attempts, Duration::ZERO, false).expect("a pause");
            assert!(pause >= most / 2 && pause <= most, "{attempts}: {pause:?}");
        }
    }

    #[test]
    fn what_never_answers_is_forgotten_unless_the_user_wants_it() {
        let mut rng = Rng::new(1);
        assert!(pause(&mut rng, 50, Duration::from_secs(130), false).expect("rare") > CAP);
        assert_eq!(pause(&mut rng, 50, FORGET, false), None);
        assert!(pause(&mut rng, 50, FORGET, true).expect("wanted") <= CAP);
    }
}
