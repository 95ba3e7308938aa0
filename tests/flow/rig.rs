//! A publisher as fast as it can be, a slow receiver, a fast one; what each got in each second.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use rs2p::{Builder, MeshSocket, Message, error::RecvTimeoutError};

/// How often the monitor looks at the slow receiver's queue: the error of every age.
const LOOK: Duration = Duration::from_millis(5);
/// How long what is on its way may take to arrive after the last `send`.
const SETTLES: Duration = Duration::from_secs(60);

/// A pause ends so long before its period does.
const EARLY: Duration = Duration::from_millis(500);

/// What a receiver's program does.
#[derive(Clone, Copy, Debug)]
pub enum Program {
    /// Takes messages as fast as they come.
    Fast,
    /// Rests after each message.
    Rests(Duration),
    /// Takes messages as they come, and takes none for `pause` in each period. The pause ends in the
    /// midst of a second, so that all of the next one is to be seen.
    Pauses { period: Duration, pause: Duration },
}

#[derive(Debug)]
pub struct Trial {
    pub slow: Program,
    pub size: usize,
    pub span: Duration,
    pub publisher: Builder,
    pub receiver: Builder,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    pub sent: u64,
    /// Messages that the slow program and the fast one took in each second.
    pub seconds: Vec<(u64, u64)>,
    /// Messages that reached each of the two queues.
    pub queued: (u64, u64),
    /// From `send` to the slow receiver's queue, sorted. Empty if messages were lost.
    pub ages: Vec<Duration>,
    /// Links that the publisher lost.
    pub cuts: u64,
    /// Messages that the slow one missed, as the publisher and as the slow one count them.
    pub missed: (u64, u64),
    /// What `status()` of the publisher and of the slow receiver said.
    pub status: (String, String),
    /// The longest that one `send` took.
    pub longest_send: Duration,
    /// How long after each pause of the slow program the fast one got its next message.
    pub let_go: Vec<Duration>,
}

impl Outcome {
    pub fn age(&self, percent: usize) -> Duration {
        let last = self.ages.len().saturating_sub(1);
        self.ages.get(last * percent / 100).copied().unwrap_or_default()
    }

    /// Whole seconds in which the slow program took messages and the fast one got none.
    pub fn uneven(&self) -> usize {
        self.seconds.iter().filter(|(slow, fast)| *slow > 0 && *fast == 0).count()
    }

    /// Messages a second that the fast program took, after the first seconds.
    pub fn fast_rate(&self, from: usize) -> f64 {
        let counted = self.seconds.iter().skip(from).map(|(_, fast)| *fast as f64);
        counted.clone().sum::<f64>() / counted.count().max(1) as f64
    }
}

/// What the threads of a trial share.
#[derive(Debug, Default)]
struct Shared {
    is_over: AtomicBool,
    slow: AtomicU64,
    fast: AtomicU64,
    sent_at: Mutex<Vec<Instant>>,
    longest: Mutex<Duration>,
    /// When the slow program went on after each pause.
    resumed: Mutex<Vec<Instant>>,
}

/// What the monitor saw at one moment: messages that had reached the slow receiver's queue, and
/// messages that the fast program had taken.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Instant,
    queued: u64,
    fast: u64,
}

pub fn run(trial: Trial) -> Outcome {
    let Trial { slow: program, size, span, publisher, receiver } = trial;
    let bind =
        |builder: Builder| builder.max_outgoing(0).bind(("127.0.0.1", 0)).expect("a free port");
    let (a, b, c) = (bind(publisher), bind(receiver.clone()), bind(receiver));
    b.connect(a.local_addr()).expect("a link");
    c.connect(a.local_addr()).expect("a link");
    // Who has never asked to receive is not waited for.
    assert!(b.try_recv().is_err() && c.try_recv().is_err());
    let shared = Shared::default();
    let (seconds, looks) = thread::scope(|scope| {
        scope.spawn(|| receive(&b, program, &shared.slow, &shared));
        scope.spawn(|| receive(&c, Program::Fast, &shared.fast, &shared));
        let publishing = scope.spawn(|| publish(&a, size, span, &shared));
        let monitor = scope.spawn(|| watch(&b, &shared));
        let seconds = count_seconds(span, &shared);
        publishing.join().expect("published");
        settle(&shared, &b, &c);
        shared.is_over.store(true, Relaxed);
        (seconds, monitor.join().expect("watched"))
    });
    let sent = shared.sent_at.into_inner().expect("no panic");
    let queued = (b.stats().queued, c.stats().queued);
    let outcome = Outcome {
        sent: sent.len() as u64,
        ages: if queued.0 == sent.len() as u64 { ages(&sent, &looks) } else { Vec::new() },
        seconds,
        queued,
        cuts: a.stats().left,
        missed: (a.stats().missed_frames, b.stats().missed),
        status: (a.status().to_string(), b.status().to_string()),
        let_go: let_go(&shared.resumed.lock().expect("no panic"), &looks),
        longest_send: *shared.longest.lock().expect("no panic"),
    };
    println!("{}", a.stats());
    for node in [a, b, c] {
        node.close().expect("closed");
    }
    outcome
}

fn publish(a: &MeshSocket, size: usize, span: Duration, shared: &Shared) {
    let until = Instant::now() + span;
    for number in 0_u64.. {
        let begun = Instant::now();
        if begun >= until {
            break;
        }
        shared.sent_at.lock().expect("no panic").push(begun);
        a.send([number.to_string().into_bytes(), vec![0; size]]).expect("waits for room");
        let mut longest = shared.longest.lock().expect("no panic");
        *longest = longest.max(begun.elapsed());
    }
}

/// Takes messages until the trial is over.
fn receive(node: &MeshSocket, program: Program, taken: &AtomicU64, shared: &Shared) {
    let begun = Instant::now();
    while !shared.is_over.load(Relaxed) {
        match node.recv_timeout(LOOK) {
            Ok(message) => drop::<Message>(message),
            Err(RecvTimeoutError::Timeout) => continue,
            Err(error) => panic!("{error}"),
        }
        taken.fetch_add(1, Relaxed);
        match program {
            Program::Fast => {}
            Program::Rests(rest) => let_pass(rest),
            Program::Pauses { period, pause } => {
                let into = (begun.elapsed() + EARLY).as_secs_f64() % period.as_secs_f64();
                if into >= (period - pause).as_secs_f64() && !shared.is_over.load(Relaxed) {
                    let_pass(period.mul_f64(1.0 - into / period.as_secs_f64()));
                    shared.resumed.lock().expect("no panic").push(Instant::now());
                }
            }
        }
    }
}

/// What the receivers had got, and when.
fn watch(b: &MeshSocket, shared: &Shared) -> Vec<Look> {
    let look =
        || Look { at: Instant::now(), queued: b.stats().queued, fast: shared.fast.load(Relaxed) };
    let mut looks = Vec::new();
    while !shared.is_over.load(Relaxed) {
        looks.push(look());
        let_pass(LOOK);
    }
    looks.push(look());
    looks
}

fn count_seconds(span: Duration, shared: &Shared) -> Vec<(u64, u64)> {
    let (mut before, begun) = ((0, 0), Instant::now());
    let mut seconds = Vec::new();
    for second in 0..span.as_secs() {
        let_pass(Duration::from_secs(second + 1).saturating_sub(begun.elapsed()));
        let now = (shared.slow.load(Relaxed), shared.fast.load(Relaxed));
        let took = (now.0 - before.0, now.1 - before.1);
        println!("second {second:>3}: slow {:>7} fast {:>7}", took.0, took.1);
        seconds.push(took);
        before = now;
    }
    seconds
}

/// Waits until all that was sent is in both queues, or nothing more comes.
fn settle(shared: &Shared, b: &MeshSocket, c: &MeshSocket) {
    let sent = shared.sent_at.lock().expect("no panic").len() as u64;
    let deadline = Instant::now() + SETTLES;
    let mut last = (Instant::now(), (0, 0));
    while Instant::now() < deadline && last.0.elapsed() < Duration::from_secs(5) {
        let queued = (b.stats().queued, c.stats().queued);
        if queued == (sent, sent) {
            return;
        }
        if queued != last.1 {
            last = (Instant::now(), queued);
        }
        let_pass(LOOK);
    }
}

/// How long each message took to the queue: messages of one sender over one link keep their order.
fn ages(sent: &[Instant], looks: &[Look]) -> Vec<Duration> {
    let mut looks = looks.iter().peekable();
    let mut ages = Vec::with_capacity(sent.len());
    for (number, at) in sent.iter().enumerate() {
        while looks.next_if(|look| look.queued <= number as u64).is_some() {}
        ages.extend(looks.peek().map(|look| look.at.saturating_duration_since(*at)));
    }
    ages.sort_unstable();
    ages
}

/// How long after each of these moments the fast program got its next message, if it got another one.
fn let_go(resumed: &[Instant], looks: &[Look]) -> Vec<Duration> {
    let next = |at: &Instant| {
        let mut later = looks.iter().skip_while(|look| look.at < *at);
        let before = later.next()?.fast;
        later.find(|look| look.fast > before).map(|look| look.at - *at)
    };
    resumed.iter().filter_map(next).collect()
}

/// Lets time pass.
pub fn let_pass(time: Duration) {
    let _ = crossbeam_channel::never::<()>().recv_timeout(time);
}
