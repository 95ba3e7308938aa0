//! The targets of `fuzz/` on stable Rust, for a bounded time: mutations of what real py2p nodes sent, and of
//! noise. A failure prints the bytes, and `RS2P_SEED` says where to begin, `RS2P_SECONDS` how long each target runs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use proptest::prelude::Rng;
use proptest::test_runner::{RngAlgorithm, TestRng};
use rs2p::fuzzing::{self, TARGETS};

/// How long each target runs; with `RS2P_LONG` a minute.
const TIME: Duration = Duration::from_secs(2);
const LONG: Duration = Duration::from_secs(60);

/// Longest input.
const MOST: usize = 4096;

/// What has failed once, and the target that it failed in.
const FOUND: &[(&str, &str)] = &[
    // The target wrote a step of a proof as an ordinary hello.
    (
        "greetings",
        "776f7157520c7ed3df8bcb7a7ac701ab066b37cff31e80774bb1b0e22ba53487cb52981580d9b2c3ed34adc7906f04e1414e58bdb1d9\
         d73c16bc9dd76d3ab094705d12b419d5201b1b4c468d0037a6b99bbf4f9ba3502a039a8292df375a570bd56320",
    ),
    // The target took another message for one of those that it numbers.
    (
        "machine",
        "35354a476e446b6345646f4d3669564c77616d325a4b78707953474c776e573d7ea52c7a030f6d6e6134454a36507943744a42634d42\
         4746363338535a6f526d7a734a33447778626744",
    ),
];

#[test]
fn what_has_failed_once_does_not_fail_again() {
    for (target, input) in FOUND {
        execute(target, &unhex(input).expect("hexadecimal digits"));
    }
}

#[test]
fn frames() {
    run("frames");
}

#[test]
fn headers() {
    run("headers");
}

#[test]
fn unpacking() {
    run("unpacking");
}

#[test]
fn bodies() {
    run("bodies");
}

#[test]
fn greetings() {
    run("greetings");
}

#[test]
fn machine() {
    run("machine");
}

#[test]
fn node() {
    run("node");
}

#[test]
fn every_target_has_a_test() {
    let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["frames", "headers", "unpacking", "bodies", "greetings", "machine", "node"]);
}

fn run(target: &str) {
    let time = if std::env::var_os("RS2P_LONG").is_some() { LONG } else { TIME };
    let time = variable("RS2P_SECONDS").map_or(time, Duration::from_secs);
    let mut rng = rng(variable("RS2P_SEED").unwrap_or(1));
    let mut corpus = corpus();
    let (begun, mut runs) = (Instant::now(), 0_u64);
    for input in corpus.clone() {
        execute(target, &input);
    }
    while begun.elapsed() < time {
        let input = mutated(&mut rng, &corpus);
        execute(target, &input);
        runs += 1;
        // Without coverage nobody knows which inputs are worth keeping: some are.
        if runs % 64 == 0 && corpus.len() < 512 {
            corpus.push(input);
        }
    }
    println!("{target}: {runs} executions, after those of the corpus");
    let events = fuzzing::events();
    if events > 0 {
        println!("{target}: {events} events of histories in all");
    }
    assert!(runs > 0);
}

fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

fn execute(target: &str, input: &[u8]) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| fuzzing::run(target, input))) {
        eprintln!("{target} fails with {}", hex(input));
        std::panic::resume_unwind(panic);
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn rng(seed: u64) -> TestRng {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::ChaCha, &bytes)
}

/// What real nodes sent, and noise of several lengths.
fn corpus() -> Vec<Vec<u8>> {
    let vectors = [
        include_str!("vectors/messages_04.json"),
        include_str!("vectors/handshakes_04.json"),
        include_str!("vectors/compressed_04.json"),
        include_str!("vectors/malformed_04.json"),
    ];
    let texts = vectors.iter().flat_map(|json| json.split('"'));
    let frames = texts.filter_map(unhex).filter(|bytes| (4..MOST).contains(&bytes.len()));
    let mut rng = rng(0);
    let noise = [1, 16, 64, 256, 1024, 4096].into_iter().map(|len| {
        let mut bytes = vec![0; len];
        rng.fill_bytes(&mut bytes);
        bytes
    });
    frames.chain(noise).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let is_hex = text.len().is_multiple_of(2) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let pairs = || text.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).ok());
    is_hex.then(|| pairs().map(|pair| u8::from_str_radix(pair?, 16).ok()).collect())?
}

/// One input, changed in some places, cut, or joined with another.
fn mutated(rng: &mut TestRng, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut below = |most: usize| rng.next_u64() as usize % most.max(1);
    let mut input = corpus[below(corpus.len())].clone();
    for _ in 0..=below(6) {
        let at = below(input.len());
        match below(7) {
            0 => input.truncate(at),
            1 => {
                let other = &corpus[below(corpus.len())];
                input.extend_from_slice(&other[below(other.len())..]);
            }
            2 => input.splice(at..at, (0..8).map(|_| below(256) as u8)).for_each(drop),
            3 => input.splice(at..at, (0..256).map(|_| below(256) as u8)).for_each(drop),
            4 if !input.is_empty() => input[at] ^= 1 << below(8),
            5 if !input.is_empty() => input[at] = [0, 1, 127, 128, 255][below(5)],
            _ if !input.is_empty() => input[at] = below(256) as u8,
            _ => {}
        }
    }
    input.truncate(MOST);
    input
}
