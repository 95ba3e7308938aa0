//! What a parcel counts for in a queue.

use crate::node::Parcel;

/// What a control message is taken to weigh: it is encoded only when it is written.
const CONTROL_OVERHEAD: usize = 256;

/// Whether it is between neighbours: it goes first.
pub(super) fn is_control(parcel: &Parcel) -> bool {
    matches!(parcel, Parcel::Control(_) | Parcel::Answer(_))
}

/// Bytes that a parcel counts for.
pub(crate) fn weight(parcel: &Parcel) -> usize {
    match parcel {
        Parcel::Own(frame) | Parcel::Relay(frame, _) => frame.len(),
        Parcel::Control(draft) | Parcel::Answer(draft) | Parcel::Announce(draft) => {
            draft.packets.iter().fold(CONTROL_OVERHEAD, |sum, it| sum.saturating_add(it.len()))
        }
    }
}
