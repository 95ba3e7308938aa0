//! Telling the user: to the log, into the status, as an event; and troubles that begin and end.

use std::time::Duration;

use super::core::Core;
use crate::cause::Cause;
use crate::events::MeshEvent;
use crate::trouble::{Loss, Trouble};

/// A loss, or a lack of descriptors, is over when it did not happen again for this long.
const QUIET: Duration = Duration::from_secs(10);

impl Core {
    /// Logs an event, keeps what of it belongs into the status, and hands it to the user.
    pub fn report(&self, mut event: MeshEvent) {
        match &mut event {
            MeshEvent::TroubleBegan(Trouble::LosingMessages { how }) => return self.losing(*how),
            MeshEvent::TroubleBegan(trouble) => return self.trouble(trouble.clone()),
            MeshEvent::TroubleEnded(trouble) => return self.trouble_over(trouble),
            MeshEvent::TurnedAway { addr, cause: Cause::Silent, .. } => {
                return self.trace.silent(addr);
            }
            MeshEvent::TurnedAway { cause, .. } | MeshEvent::DialFailed { cause, .. }
                if self.note_exhausted(cause) =>
            {
                return;
            }
            MeshEvent::TurnedAway { others, .. } => match self.journal.fold(self.clock.mono()) {
                Some(folded) => *others = folded,
                None => return,
            },
            _ => {}
        }
        self.tell_user(event);
    }

    /// A trouble begins, and lasts until [`Core::trouble_over`]. Told once.
    pub fn trouble(&self, trouble: Trouble) {
        self.begin(trouble, None);
    }

    /// A trouble is over, if there was one.
    pub fn trouble_over(&self, trouble: &Trouble) {
        if let Some(trouble) = self.journal.end(trouble) {
            self.tell_user(MeshEvent::TroubleEnded(trouble));
        }
    }

    /// Messages were lost; told when it begins, and when it has not happened for a while.
    pub fn losing(&self, how: Loss) {
        self.begin(Trouble::LosingMessages { how }, Some(self.clock.mono() + QUIET));
    }

    /// Returns whether a link failed because the system lacks descriptors, memory or threads. That
    /// is reported once for all such links.
    pub fn note_exhausted(&self, cause: &Cause) -> bool {
        let Cause::Io(error) = cause else { return false };
        if !is_exhausted(error) {
            return false;
        }
        self.counters.exhausted();
        let trouble = Trouble::Exhausted { error: error.to_string() };
        self.begin(trouble, Some(self.clock.mono() + QUIET));
        true
    }

    /// Ends the troubles that have not been noticed again. Returns when to look again.
    pub fn end_old_troubles(&self) -> Option<Duration> {
        while let Some(trouble) = self.journal.expire(self.clock.mono()) {
            self.tell_user(MeshEvent::TroubleEnded(trouble));
        }
        self.journal.next_check()
    }

    fn begin(&self, trouble: Trouble, until: Option<Duration>) {
        if !self.journal.begin(&trouble, until) {
            return;
        }
        if until.is_some() {
            // The accept thread looks when it is over. Fails only if that thread is gone.
            let _ = self.alarm.wake();
        }
        self.tell_user(MeshEvent::TroubleBegan(trouble));
    }

    fn tell_user(&self, event: MeshEvent) {
        self.trace.event(&event);
        self.journal.report(event);
    }
}

/// Returns whether the system says that it has no descriptors, no memory or no threads left.
pub(crate) fn is_exhausted(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    const LACKS: [i32; 5] = [libc::EMFILE, libc::ENFILE, libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN];
    // WSAEMFILE, WSAENOBUFS, and "not enough resources".
    #[cfg(not(unix))]
    const LACKS: [i32; 3] = [10024, 10055, 8];
    error.raw_os_error().is_some_and(|code| LACKS.contains(&code))
}
