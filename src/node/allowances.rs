//! How often a peer may ask for something, tell something, or be wrong.

use std::time::Duration;

use super::bucket::Bucket;

/// Answers that a peer gets at once, and the time in which it earns one more.
const ANSWERS: u32 = 256;
const ANSWER_EARNED: Duration = Duration::from_millis(20);
/// The same for faults. An honest py2p node passes on some faults of others, but not as fast.
const FAULTS: u32 = 20_000;
const FAULT_EARNED: Duration = Duration::from_millis(2);
/// The same for events that tell of a peer's faults.
const REPORTS: u32 = 1;
const REPORT_EARNED: Duration = Duration::from_secs(60);
/// The same for messages that change a link.
const NOTICES: u32 = 256;
const NOTICE_EARNED: Duration = Duration::from_millis(100);
/// The same for pages of the list of members, in each direction. A full list has 129.
const PAGES: u32 = 256;
const PAGE_EARNED: Duration = Duration::from_millis(500);
/// The same for samples of the mesh. Each peer of a peer sends one in some seconds, for twenty hops.
const SAMPLES: u32 = 64;
const SAMPLE_EARNED: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(crate) struct Allowances {
    /// Requests of the peer that are answered.
    pub answers: Bucket,
    /// Messages that no honest peer sends, and frames that are none.
    pub faults: Bucket,
    /// Events that tell of these.
    pub fault_reports: Bucket,
    /// Messages of the protocol that a peer seldom sends: hellos, requests to send a frame again, and what
    /// else changes a link.
    pub notices: Bucket,
    /// Pages of the list of members that it tells, and news of members: they are passed on.
    pub lists: Bucket,
    /// Pages of the list of members that it is told.
    pub pages: Bucket,
    /// Samples of the mesh.
    pub samples: Bucket,
}

impl Default for Allowances {
    fn default() -> Self {
        Allowances {
            answers: Bucket::new(ANSWERS, ANSWER_EARNED),
            faults: Bucket::new(FAULTS, FAULT_EARNED),
            fault_reports: Bucket::new(REPORTS, REPORT_EARNED),
            notices: Bucket::new(NOTICES, NOTICE_EARNED),
            lists: Bucket::new(PAGES, PAGE_EARNED),
            pages: Bucket::new(PAGES, PAGE_EARNED),
            samples: Bucket::new(SAMPLES, SAMPLE_EARNED),
        }
    }
}
