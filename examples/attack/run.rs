//! One attack: X and the honest nodes, a quiet time, the attack, and the time after it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use rs2p::{MeshEvent, MeshSocket, NodeId};

use crate::Failure;
use crate::attacks::Attack;
use crate::measure::{Usage, pause, peak, wait_until};
use crate::newcomers::{Newcomers, come};
use crate::target::Target;
use crate::traffic::{Ear, Heard, Plan, now, send_all};
use crate::x::{X, protocol};

const NAMES: [char; 3] = ['a', 'b', 'c'];
/// A, B and C send this often, X less.
const PERIOD: Duration = Duration::from_millis(30);
const PERIOD_OF_X: Duration = Duration::from_millis(100);
/// Time for messages to come, and for memory to be given back.
const AFTER: Duration = Duration::from_secs(10);
/// Memory that need not be given back: what a node has learnt, and what the allocator keeps.
pub const KEPT_MIB: u64 = 16;

#[derive(Clone, Copy, Debug)]
pub struct Timing {
    pub quiet: Duration,
    pub attack: Duration,
}

#[derive(Debug, Default)]
pub struct Outcome {
    /// Microseconds: what 99 of 100 messages of the worst sender took before the attack.
    pub quiet_p99: u64,
    pub p50: u64,
    pub p99: u64,
    pub max: u64,
    /// Honest messages that were due and that a node did not get.
    pub lost: u64,
    pub doubled: u64,
    /// Links of A, B and C that ended.
    pub dropped: u64,
    /// Words that nodes took for those of an honest node that did not say them.
    pub forged: u64,
    pub base: Usage,
    pub peak: Usage,
    pub after: Usage,
    /// Percent of a processor.
    pub processor: u64,
    /// What X said about the attacker: events by name and cause, and lines of its status.
    pub named: Vec<String>,
    pub newcomers: Option<Newcomers>,
    /// What the attack itself found.
    pub failures: Vec<String>,
}

/// An honest node beside X.
struct Member {
    name: char,
    socket: MeshSocket,
    ear: Ear,
}

pub fn run(attack: &Attack, timing: Timing) -> Result<Outcome, Failure> {
    let mut x = X::start(attack.is_tls)?;
    let members = NAMES.map(|name| member(name, &x, attack.is_tls));
    let members: Vec<Member> = members.into_iter().collect::<Result<_, _>>()?;
    let ids: Vec<NodeId> = members.iter().map(|member| member.socket.id()).collect();
    let texts: Vec<String> = ids.iter().map(NodeId::to_string).collect();
    x.tell(&texts.join(" "))?;
    let target =
        Target::new(x.addr.parse()?, x.protocol.clone(), x.id.clone(), texts, attack.is_tls);
    let all = [&ids[..], &[x.id.parse()?]].concat();
    let (all, target) = (&all, &target);
    thread::scope(|scope| {
        for Member { ear, socket, .. } in &members {
            scope.spawn(|| ear.listen(socket, all));
        }
        let outcome = with_traffic(attack, timing, x, &members, target);
        target.is_over.store(true, Relaxed);
        members.iter().for_each(|member| drop(member.socket.close()));
        outcome
    })
}

fn member(name: char, x: &X, is_tls: bool) -> Result<Member, Failure> {
    let builder = MeshSocket::builder().protocol(protocol(is_tls)).max_outgoing(0);
    let socket = builder.bind(("127.0.0.1", 0))?;
    socket.connect(x.addr.as_str())?;
    Ok(Member { name, socket, ear: Ear::default() })
}

/// Has all four send, and attacks after a while.
fn with_traffic(
    attack: &Attack,
    timing: Timing,
    mut x: X,
    members: &[Member],
    target: &Target,
) -> Result<Outcome, Failure> {
    let begins = now() + 100_000_000;
    let total = timing.quiet + timing.attack;
    let plan = |period: Duration| Plan {
        begins,
        period,
        count: u32::try_from(total.as_millis() / period.as_millis()).unwrap_or(u32::MAX),
        size: attack.size,
    };
    let (own, others) = (plan(PERIOD_OF_X), plan(PERIOD));
    x.tell(&format!("begin {begins} {} {} {}", own.period.as_millis(), own.count, own.size))?;
    let mut outcome = Outcome::default();
    let sent = thread::scope(|scope| {
        let senders = members.iter().map(|member| {
            (member.name, scope.spawn(move || send_all(&member.socket, member.name, others)))
        });
        let senders: Vec<_> = senders.collect();
        pause(timing.quiet);
        under_attack(attack, timing, &mut x, target, &mut outcome);
        senders.into_iter().map(|(name, sent)| (name, sent.join().unwrap_or_default())).collect()
    });
    settle(&x, members, own.count, &sent, &mut outcome);
    outcome.dropped = members.iter().map(dropped).sum();
    outcome.failures = target.failures();
    let report = x.report(sent.values().map(Vec::len).sum())?;
    let attack_begins = timing.quiet;
    account(&report, members, sent, (own, others), attack_begins, &mut outcome);
    Ok(outcome)
}

/// Runs the attack and notes what X uses meanwhile.
fn under_attack(
    attack: &Attack,
    timing: Timing,
    x: &mut X,
    target: &Target,
    outcome: &mut Outcome,
) {
    let (process, is_measured) = (x.process(), AtomicBool::new(false));
    outcome.base = Usage::of(process);
    thread::scope(|scope| {
        let peak = scope.spawn(|| peak(process, &is_measured));
        let newcomers = attack.has_newcomers.then(|| scope.spawn(|| come(target)));
        let attacker = scope.spawn(|| (attack.run)(target));
        pause(timing.attack / 2);
        if attack.has_newcomers {
            dial_out(x, target);
        }
        pause(timing.attack / 2);
        target.is_over.store(true, Relaxed);
        outcome.newcomers = newcomers.and_then(|newcomers| newcomers.join().ok());
        let _ = attacker.join();
        is_measured.store(true, Relaxed);
        outcome.peak = peak.join().unwrap_or_default();
    });
    let ticks = outcome.peak.ticks.saturating_sub(outcome.base.ticks);
    outcome.processor = ticks * 1000 / u64::try_from(timing.attack.as_millis()).unwrap_or(1).max(1);
}

/// Has X dial a node of its own choice while it is attacked.
fn dial_out(x: &mut X, target: &Target) {
    let builder = MeshSocket::builder().protocol(protocol(target.is_tls)).max_outgoing(0);
    let Ok(friend) = builder.bind(("127.0.0.1", 0)) else { return };
    let asked = x.tell(&format!("connect {}", friend.local_addr()));
    match asked.map_err(Failure::from).and_then(|()| x.answer()) {
        Ok(answer) if answer == "connected ok" => {}
        Ok(answer) => target.fail(format!("the own dial of X: {answer}")),
        Err(error) => target.fail(format!("X does not answer: {error}")),
    }
    // It served its purpose; whether it closes in order is no question of this program.
    let _ = friend.close();
}

/// Waits until all has come, and X has given back what it used.
fn settle(
    x: &X,
    members: &[Member],
    of_x: u32,
    sent: &BTreeMap<char, Vec<u32>>,
    outcome: &mut Outcome,
) {
    let total = of_x as usize + sent.values().map(Vec::len).sum::<usize>();
    let own = |member: &Member| sent.get(&member.name).map_or(0, Vec::len);
    wait_until(AFTER, || members.iter().all(|member| member.ear.count() >= total - own(member)));
    let (base, process) = (outcome.base, x.process());
    wait_until(AFTER, || {
        let now = Usage::of(process);
        now.mib_above(base) <= KEPT_MIB
            && now.threads <= base.threads
            && now.descriptors <= base.descriptors
    });
    outcome.after = Usage::of(process);
}

fn dropped(member: &Member) -> u64 {
    let events = member.socket.events();
    events.try_iter().filter(|event| matches!(event, MeshEvent::Left { .. })).count() as u64
}

/// Compares what was due with what was heard.
fn account(
    report: &[String],
    members: &[Member],
    sent: BTreeMap<char, Vec<u32>>,
    (own, others): (Plan, Plan),
    attack_begins: Duration,
    outcome: &mut Outcome,
) {
    let heard_by_x: Vec<Heard> = report.iter().filter_map(|line| read_heard(line)).collect();
    let number = |line: &String, key| line.strip_prefix(key).and_then(|n| n.parse::<u64>().ok());
    let mut ears: Vec<(char, Vec<Heard>)> = vec![('x', heard_by_x)];
    outcome.forged = report.iter().filter_map(|line| number(line, "forged ")).sum();
    for member in members {
        let (heard, forged) = member.ear.all();
        ears.push((member.name, heard));
        outcome.forged += forged;
    }
    drop(sent);
    let plans = [('x', own), ('a', others), ('b', others), ('c', others)];
    for (from, plan) in plans {
        let begins = attack_begins.as_millis() / plan.period.as_millis();
        let begins = u32::try_from(begins).unwrap_or(u32::MAX);
        judge_sender(from, plan.count, begins, &ears, outcome);
    }
    outcome.named = report.iter().filter_map(|line| crate::report::naming(line)).collect();
}

/// Notes what became of the messages of one sender, and how late they were if it is the worst one.
fn judge_sender(
    from: char,
    count: u32,
    attack_begins: u32,
    ears: &[(char, Vec<Heard>)],
    outcome: &mut Outcome,
) {
    let (mut quiet, mut attacked) = (Vec::new(), Vec::new());
    for (name, heard) in ears.iter().filter(|(name, _)| *name != from) {
        let mut times = BTreeMap::new();
        for heard in heard.iter().filter(|heard| heard.from == from) {
            *times.entry(heard.number).or_insert(0_u64) += 1;
            let phase = if heard.number < attack_begins { &mut quiet } else { &mut attacked };
            phase.push(heard.micros_late);
        }
        outcome.doubled += times.values().map(|times| times - 1).sum::<u64>();
        let lost: Vec<u32> = (0..count).filter(|number| !times.contains_key(number)).collect();
        outcome.lost += lost.len() as u64;
        if let (Some(first), Some(last)) = (lost.first(), lost.last()) {
            eprintln!("lost from {from} to {name}: {}, from {first} to {last}", lost.len());
        }
    }
    outcome.quiet_p99 = outcome.quiet_p99.max(percentile(&mut quiet, 99));
    outcome.p50 = outcome.p50.max(percentile(&mut attacked, 50));
    outcome.p99 = outcome.p99.max(percentile(&mut attacked, 99));
    outcome.max = outcome.max.max(percentile(&mut attacked, 100));
}

fn percentile(values: &mut [u64], percent: usize) -> u64 {
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) * percent / 100).copied().unwrap_or(0)
}

fn read_heard(line: &str) -> Option<Heard> {
    let words: Vec<&str> = line.split(' ').collect();
    let ["heard", from, number, late] = words[..] else { return None };
    Some(Heard {
        from: from.chars().next()?,
        number: number.parse().ok()?,
        micros_late: late.parse().ok()?,
    })
}
