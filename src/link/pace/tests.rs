//! How a pace is measured, and which peers are left behind.

use super::*;

const MS: fn(u64) -> Duration = Duration::from_millis;
const KIB: u64 = 1024;

fn config() -> Config {
    let pace_floor = Total { bytes: 64 * KIB, frames: 50 };
    Config { pace_floor, pace_window: MS(10_000), ..Config::default() }
}

/// A peer and the node that sends to it: `now` goes on in steps of 10 ms.
struct Duel {
    pace: Pace,
    now: Duration,
    frame: u64,
    sent: u64,
    /// Frames that the peer has taken, in thousandths.
    taken: u64,
    turns: Vec<PaceChange>,
    /// What the node was told of waiting.
    kept_waiting: Vec<PaceChange>,
}

impl Duel {
    fn new(frame: u64) -> Self {
        let mut pace = Pace::new(&config());
        pace.expect_reports();
        Duel {
            pace,
            now: MS(1000),
            frame,
            sent: 0,
            taken: 0,
            turns: Vec::new(),
            kept_waiting: Vec::new(),
        }
    }

    /// Sends as fast as it may for this long, to a peer that takes so many frames a second.
    fn run(&mut self, span: Duration, rate: u64) -> u64 {
        let (until, before) = (self.now + span, self.sent);
        while self.now < until {
            self.now += MS(10);
            self.taken = (self.taken + rate * 10).min(self.sent * 1000);
            let frames = self.taken / 1000;
            let total = Total { bytes: frames * self.frame, frames };
            self.pace.reported(self.now, Taken { total, room: u64::MAX });
            self.judge();
            self.send();
            self.judge();
        }
        self.sent - before
    }

    fn judge(&mut self) {
        let turn = self.pace.judge(self.now);
        let is_told = |turn: &PaceChange| {
            matches!(turn, PaceChange::LeftBehind | PaceChange::CaughtUp { .. })
        };
        self.kept_waiting.extend(turn.filter(|turn| !is_told(turn)));
        self.turns.extend(turn.filter(is_told));
    }

    fn send(&mut self) {
        let one = Total { bytes: self.frame, frames: 1 };
        for _ in 0..2000 {
            if !self.pace.has_room() {
                self.pace.floor_mut().miss(self.frame as usize);
                break;
            }
            self.pace.put(self.frame as usize);
            self.pace.wrote(one, one);
            self.sent += 1;
        }
    }

    fn delay(&self, rate: u64) -> Duration {
        Duration::from_secs(self.pace.waiting().frames) / rate as u32
    }
}

#[test]
fn what_waits_is_bounded_in_time_at_any_pace_above_the_floor() {
    for (frame, rate) in [(170, 1000), (170, 500), (170, 100), (65_700, 1000), (65_700, 100)] {
        let mut duel = Duel::new(frame);
        duel.run(MS(20_000), rate);
        assert!(duel.delay(rate) < MS(1200), "{frame} {rate}: {:?}", duel.delay(rate));
        assert_eq!(duel.turns, [], "{frame} {rate}");
        let sent = duel.run(MS(10_000), rate);
        assert!(sent > rate * 9, "{frame} {rate}: it is kept busy: {sent}");
    }
}

#[test]
fn a_pause_is_felt_and_let_go_within_a_second() {
    let mut duel = Duel::new(170);
    duel.run(MS(5000), 50_000);
    let felt = duel.run(MS(1000), 0);
    assert!(felt < 50_000, "{felt}");
    assert_eq!(duel.run(MS(4000), 0), 0);
    assert!(duel.run(MS(1000), 50_000) > 40_000);
    assert_eq!(duel.turns, [], "a pause of 5 s is waited for");
}

#[test]
fn a_peer_below_the_floor_is_left_behind_after_the_window() {
    let mut duel = Duel::new(170);
    duel.run(MS(5000), 50_000);
    duel.run(MS(7000), 10);
    assert_eq!(duel.turns, []);
    duel.run(MS(4000), 10);
    assert_eq!(duel.turns, [PaceChange::LeftBehind]);
    duel.run(MS(60_000), 10);
    assert_eq!(duel.turns, [PaceChange::LeftBehind], "and stays so");
    assert!(duel.pace.floor().is_behind());
}

#[test]
fn a_short_window_judges_soon() {
    let mut duel = Duel::new(170);
    duel.pace = Pace::new(&Config { pace_window: MS(1000), ..config() });
    duel.pace.expect_reports();
    duel.run(MS(4000), 10);
    assert_eq!(duel.turns, [PaceChange::LeftBehind]);
}

#[test]
fn a_peer_above_either_half_of_the_floor_is_waited_for() {
    for (frame, rate) in [(170, 55), (1400, 48), (6600, 12)] {
        let mut duel = Duel::new(frame);
        duel.run(MS(60_000), rate);
        assert_eq!(duel.turns, [], "{frame} {rate}");
    }
}

#[test]
fn with_a_floor_of_nothing_every_peer_is_waited_for() {
    for pace_floor in [Total::default(), Total { bytes: 0, frames: 50 }] {
        let mut duel = Duel::new(170);
        duel.pace = Pace::new(&Config { pace_floor, ..config() });
        duel.pace.expect_reports();
        duel.run(MS(60_000), 1);
        assert_eq!(duel.turns, []);
    }
}

#[test]
fn a_peer_that_is_fast_again_catches_up_and_is_told_what_it_missed() {
    let mut duel = Duel::new(170);
    duel.run(MS(30_000), 10);
    assert_eq!(duel.turns, [PaceChange::LeftBehind]);
    duel.run(MS(12_000), 5000);
    let [_, PaceChange::CaughtUp { missed }] = duel.turns[..] else { panic!("{:?}", duel.turns) };
    assert!(missed.frames > 100, "{missed:?}");
}

#[test]
fn a_slow_peer_that_is_sent_little_catches_up() {
    let mut duel = Duel::new(170);
    duel.run(MS(15_000), 10);
    assert_eq!(duel.turns, [PaceChange::LeftBehind]);
    let until_caught_up = |duel: &mut Duel| {
        for _ in 0..30 {
            duel.now += MS(500);
            duel.judge();
        }
    };
    until_caught_up(&mut duel);
    assert_eq!(duel.turns, [PaceChange::LeftBehind], "it still has to take what waits");
    let total = duel.pace.written;
    duel.pace.reported(duel.now, Taken { total, room: u64::MAX });
    until_caught_up(&mut duel);
    assert!(matches!(duel.turns[..], [PaceChange::LeftBehind, PaceChange::CaughtUp { .. }]));
}

#[test]
fn a_peer_that_has_little_room_is_sent_little() {
    let mut duel = Duel::new(170);
    duel.run(MS(5000), 50_000);
    let total = duel.pace.written;
    duel.pace.reported(duel.now, Taken { total, room: 20 * KIB });
    assert_eq!(duel.pace.allowance(), 20 * KIB);
    duel.pace.reported(duel.now, Taken { total, room: 0 });
    assert_eq!(duel.pace.allowance(), LEAST);
}

#[test]
fn a_large_frame_finds_room_in_an_empty_queue_and_a_few_wait_however_slow_the_peer() {
    let mut duel = Duel::new(1 << 20);
    duel.run(MS(10_000), 1);
    let waiting = duel.pace.waiting().frames;
    assert!((3..=LEAST_FRAMES).contains(&waiting), "{waiting}");
}

#[test]
fn a_peer_that_does_not_report_shows_its_pace_by_what_its_system_takes() {
    let mut pace = Pace::new(&config());
    for step in 0..1000_u64 {
        let now = MS(10 * step);
        while pace.has_room() {
            pace.put(1000);
        }
        let one = Total { bytes: 1000, frames: 1 };
        let change = pace.judge(now);
        assert!(!matches!(change, Some(PaceChange::LeftBehind)), "{change:?}");
        pace.wrote(one, one);
    }
    assert_eq!(pace.allowance(), 50_000, "100,000 bytes a second");
    assert!(pace.waiting().bytes <= 51_000, "{:?}", pace.waiting());
}

#[test]
fn a_report_of_more_than_was_written_is_limited_to_that() {
    let mut duel = Duel::new(170);
    duel.send();
    let written = duel.pace.written;
    let more = Total { bytes: u64::MAX, frames: u64::MAX };
    duel.pace.reported(duel.now, Taken { total: more, room: u64::MAX });
    assert_eq!(duel.pace.taken(), Some(written.bytes));
    duel.pace.reported(duel.now, Taken { total: Total::default(), room: 0 });
    assert_eq!(duel.pace.taken(), Some(written.bytes), "it only grows");
}

#[test]
fn a_peer_is_asked_once_while_more_waits_than_is_reported() {
    let mut duel = Duel::new(170);
    assert!(!duel.pace.asks(duel.now));
    duel.send();
    assert!(duel.pace.is_news() && duel.pace.asks(duel.now) && !duel.pace.asks(duel.now));
    let total = duel.pace.written;
    duel.pace.reported(duel.now, Taken { total, room: u64::MAX });
    assert!(!duel.pace.asks(duel.now + MS(50)), "nothing waits");
    duel.send();
    assert!(!duel.pace.asks(duel.now + MS(1)) && duel.pace.asks(duel.now + MS(2)));
    assert_eq!(duel.pace.deadline(), None, "its thread has not looked");
    assert_eq!(duel.pace.judge(duel.now + MS(3)), None);
    assert_eq!(duel.pace.ask_at(), duel.now + MS(502), "no answer");
    assert!(duel.pace.deadline().is_some_and(|at| at <= duel.pace.ask_at()));
}

/// For how long senders waited for the peer, of which it was trusted for so long.
fn waited(duel: &Duel) -> (Duration, Duration) {
    let (mut all, mut trusted) = (Duration::ZERO, Duration::ZERO);
    for change in &duel.kept_waiting {
        if let PaceChange::KeptWaiting { by, is_trusted } = change {
            all += *by;
            trusted += if *is_trusted { *by } else { Duration::ZERO };
        }
    }
    (all, trusted)
}

#[test]
fn a_peer_that_has_shown_no_pace_keeps_senders_waiting_as_a_stranger() {
    let mut duel = Duel::new(170);
    duel.run(MS(900), 0);
    let (all, trusted) = waited(&duel);
    assert!(all > MS(500) && trusted.is_zero(), "{all:?} {trusted:?}");
}

#[test]
fn a_sip_now_and_then_earns_no_trust() {
    let mut duel = Duel::new(170);
    duel.run(MS(7000), 20);
    let (all, trusted) = waited(&duel);
    assert!(all > MS(3000) && trusted.is_zero(), "{all:?} {trusted:?}");
}

#[test]
fn a_peer_that_kept_to_the_floor_is_trusted_to_pause_for_half_as_long() {
    let mut duel = Duel::new(170);
    duel.run(MS(6000), 50_000);
    duel.run(MS(2000), 0);
    let (all, trusted) = waited(&duel);
    assert!(all > MS(1000) && all == trusted, "{all:?} {trusted:?}");
    duel.run(MS(1000), 50_000);
    assert!(matches!(duel.kept_waiting.last(), Some(PaceChange::Resumed { .. })));
    duel.run(MS(9000), 0);
    let (all, trusted) = waited(&duel);
    assert!(trusted < MS(4500) && all > trusted + MS(2000), "{all:?} {trusted:?}");
}

#[test]
fn a_peer_that_is_not_waited_for_is_waited_for_again_when_it_has_kept_to_the_floor() {
    let mut duel = Duel::new(170);
    duel.run(MS(500), 0);
    duel.pace.floor_mut().stop_waiting();
    duel.run(MS(500), 0);
    assert!(!duel.pace.floor().is_waited_for());
    let told = duel.kept_waiting.len();
    duel.run(MS(100), 1000);
    assert!(!duel.pace.floor().is_waited_for(), "not yet");
    duel.run(MS(500), 1000);
    assert!(duel.pace.floor().is_waited_for());
    let since = duel.kept_waiting.get(told..).unwrap_or_default();
    assert_eq!(since.last(), Some(&PaceChange::Proven), "the node is told");
    let is_wait = |change: &PaceChange| matches!(change, PaceChange::KeptWaiting { .. });
    assert!(!since.iter().any(is_wait), "nobody waited: {since:?}");
}

#[test]
fn a_peer_above_the_floor_is_charged_for_nothing_that_it_does_not_pay_for() {
    for (frame, rate) in [(170, 1000), (170, 100), (65_700, 100)] {
        let mut duel = Duel::new(frame);
        duel.run(MS(5000), rate);
        let (all, _) = waited(&duel);
        assert!(all < MS(500), "{frame} {rate}: {all:?}");
    }
}
