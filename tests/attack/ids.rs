//! Floods of message ids: they cost the link that they come from.

use rs2p::MeshSocket;
use rs2p::report::Refusal;

use crate::rig::under;
use crate::support::raw::{BROADCAST, message_dated};

/// Ids that the nodes remember, and that the flood has.
const SEEN: usize = 20_000;
const FLOOD: usize = 3 * SEEN;

#[test]
fn a_flood_of_ids_dated_ahead_mutes_nobody() {
    for ahead in [0, 30, 299] {
        let builder = MeshSocket::builder().seen_ids(SEEN).queue_messages(1 << 20);
        let outcome = under(&builder, 100, |attack| {
            let mut raws = [attack.link(), attack.link()];
            for n in 0..FLOOD / 100 {
                let raw = &mut raws[n % 2];
                let id = raw.id().to_string();
                let one = |m: usize| {
                    let text = format!("{n} {m}");
                    message_dated(&id, BROADCAST, &[&[0], text.as_bytes()], ahead)
                };
                let flood: Vec<u8> = (0..100).flat_map(one).collect();
                if !attack.goes_on() || !raw.try_send(&flood) {
                    break;
                }
            }
        });
        outcome.is_calm();
        assert!(outcome.stats.seen_ids <= SEEN as u64 * 3 / 2, "{}", outcome.stats);
        let refused = outcome.stats.refused_for(Refusal::Evicted);
        assert!(ahead == 0 || refused > 0, "{ahead}: {}", outcome.stats);
    }
}
