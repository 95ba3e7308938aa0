//! Programs of every pace.

use std::time::Duration;

use rs2p::MeshSocket;

use crate::rig::{Outcome, Program, Trial, run};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn is_long() -> bool {
    std::env::var_os("RS2P_LONG").is_some()
}

/// From `send` to the slow receiver's queue, at the 99th percentile.
const LONGEST: Duration = Duration::from_secs(5);

/// From the end of a pause of the slow program to the fast one's next message.
const LET_GO: Duration = Duration::from_secs(1);

fn trial(slow: Program, size: usize) -> Trial {
    let short = MeshSocket::builder().queue_bytes(1 << 20).queue_messages(128);
    let receiver = if is_long() { MeshSocket::builder() } else { short };
    let span = Duration::from_secs(if is_long() { 120 } else { 4 });
    Trial { slow, size, span, publisher: MeshSocket::builder(), receiver }
}

fn print(outcome: &Outcome) {
    let (p50, p99) = (outcome.age(50), outcome.age(99));
    println!(
        "sent {}, queued {:?}, cuts {}, uneven seconds {}, age p50 {p50:.2?} p99 {p99:.2?}, longest send {:.2?}",
        outcome.sent,
        outcome.queued,
        outcome.cuts,
        outcome.uneven(),
        outcome.longest_send
    );
    println!("let go after a pause: {:.2?}", outcome.let_go);
    println!("{}\n{}", outcome.status.0, outcome.status.1);
}

/// Nothing is lost, nobody is cut off, and everybody goes on at the slow one's pace.
fn goes_on_evenly(slow: Program, size: usize) {
    let outcome = run(trial(slow, size));
    print(&outcome);
    assert_eq!(outcome.cuts, 0, "{}", outcome.status.0);
    assert_eq!(outcome.queued, (outcome.sent, outcome.sent), "nothing is lost");
    assert_eq!(outcome.uneven(), 0, "{:?}", outcome.seconds);
    let slowest = outcome.let_go.iter().max();
    assert!(slowest.is_none_or(|slowest| *slowest <= LET_GO), "{:?}", outcome.let_go);
    assert!(outcome.age(99) <= LONGEST, "{:?}", outcome.age(99));
}

#[test]
fn a_program_of_1_ms_a_message_slows_all_down_evenly() {
    goes_on_evenly(Program::Rests(MS(1)), 10);
    goes_on_evenly(Program::Rests(MS(1)), 64 << 10);
}

#[test]
fn a_program_of_2_ms_a_message_slows_all_down_evenly() {
    goes_on_evenly(Program::Rests(MS(2)), 10);
    goes_on_evenly(Program::Rests(MS(2)), 64 << 10);
}

#[test]
fn a_program_of_10_ms_a_message_slows_all_down_evenly() {
    goes_on_evenly(Program::Rests(MS(10)), 10);
    goes_on_evenly(Program::Rests(MS(10)), 64 << 10);
}

/// It takes few messages, and more bytes than the floor asks for.
#[test]
fn a_program_of_100_ms_a_large_message_slows_all_down_evenly() {
    goes_on_evenly(Program::Rests(MS(100)), 64 << 10);
}

#[test]
fn a_program_that_pauses_is_waited_for() {
    let (period, pause) = if is_long() { (MS(20_000), MS(5000)) } else { (MS(2000), MS(500)) };
    goes_on_evenly(Program::Pauses { period, pause }, 10);
    goes_on_evenly(Program::Pauses { period, pause }, 64 << 10);
}

#[test]
fn a_program_below_the_floor_is_left_behind_and_the_others_go_on() {
    // Ten times 64 KiB in a second would be above the floor.
    for size in [10, 1000] {
        let mut slow = trial(Program::Rests(MS(100)), size);
        let mut alone = trial(Program::Fast, size);
        if !is_long() {
            slow.publisher = slow.publisher.pace_window(MS(1000));
            slow.span = Duration::from_secs(6);
        } else {
            alone.span = Duration::from_secs(30);
        }
        let (alone, slow) = (run(alone), run(slow));
        print(&slow);
        assert_eq!(slow.cuts, 0, "its link stays: {}", slow.status.0);
        assert_eq!(slow.queued.1, slow.sent, "the fast one gets everything");
        assert!(slow.missed.0 > 0 && slow.missed.1 > 0, "both ends know: {:?}", slow.missed);
        assert!(slow.missed.0 + slow.queued.0 >= slow.sent, "every loss is counted");
        assert!(slow.status.0.contains("takes too few messages"), "{}", slow.status.0);
        assert!(slow.status.1.contains("no longer waits"), "{}", slow.status.1);
        assert!(slow.status.0.contains("peers take them too slowly"), "{}", slow.status.0);
        assert!(slow.status.1.contains("this program takes them too slowly"), "{}", slow.status.1);
        let (with, without) = (slow.fast_rate(0), alone.fast_rate(0));
        println!("the fast one: {with:.0} a second with the slow one, {without:.0} without");
        // How busy the machine is may change from one run to the next.
        let least = if is_long() { 0.9 } else { 0.2 };
        assert!(with >= least * without, "{with} {without}");
    }
}

#[test]
fn with_a_floor_of_nothing_the_slowest_is_waited_for() {
    let mut trial = trial(Program::Rests(MS(100)), 10);
    trial.publisher = trial.publisher.pace_floor_bytes(0).pace_window(MS(500));
    trial.receiver = MeshSocket::builder().queue_bytes(1 << 20).queue_messages(16);
    let outcome = run(trial);
    print(&outcome);
    assert_eq!((outcome.cuts, outcome.missed), (0, (0, 0)), "{}", outcome.status.0);
    assert_eq!(outcome.queued, (outcome.sent, outcome.sent), "nothing is lost");
}
