//! What the parts of the message path cost on one core, without sockets and threads.
//!
//! Run it with `cargo bench --features bench`; add `-- duplicate` for one of them. `bs58` is what
//! the other crate takes for the same digest.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rs2p::bench::{Reading, Relaying, Seen, base58_of_digest, broadcast, digest_of_base58, encode};

const SIZES: [usize; 3] = [64, 1024, 65_536];

/// Returns bytes that differ from number to number.
fn payload(number: u64, size: usize) -> Vec<u8> {
    let mut payload = number.to_le_bytes().to_vec();
    payload.resize(size, 7);
    payload
}

/// Returns a digest-like number.
fn digest(number: u64) -> [u8; 48] {
    let mut x = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::array::from_fn(|_| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        x as u8
    })
}

fn base58(c: &mut Criterion) {
    let digest = digest(1);
    let text = bs58::encode(digest).into_string();
    let mut group = c.benchmark_group("base58 of a digest");
    group.bench_function("encode", |b| b.iter(|| base58_of_digest(black_box(&digest))));
    group.bench_function("decode", |b| b.iter(|| digest_of_base58(black_box(text.as_bytes()))));
    group
        .bench_function("encode, bs58", |b| b.iter(|| bs58::encode(black_box(&digest)).into_vec()));
    group.finish();
}

fn messages(c: &mut Criterion) {
    for size in SIZES {
        let (payload, frame) = (payload(1, size), broadcast(&payload(1, size)));
        let mut group = c.benchmark_group(format!("message of {size} B"));
        group.throughput(Throughput::Bytes(size as u64));
        group.bench_function("encode", |b| b.iter(|| encode(black_box(&payload))));
        let mut reading = Reading::default();
        group.bench_function("decode and verify", |b| b.iter(|| reading.read(black_box(&frame))));
        group.finish();
    }
}

fn relay(c: &mut Criterion) {
    let mut group = c.benchmark_group("a node of 4 peers takes 64 B");
    let (mut node, mut number) = (Relaying::new(4), 0);
    let mut fresh = || {
        number += 1;
        broadcast(&payload(number, 64))
    };
    let known = fresh();
    assert_eq!(node.take(&known), 4, "three relays and a delivery");
    group.bench_function("relay", |b| {
        b.iter_batched(&mut fresh, |frame| node.take(&frame), BatchSize::SmallInput);
    });
    group.bench_function("duplicate", |b| b.iter(|| node.take(black_box(&known))));
    group.finish();
}

fn seen(c: &mut Criterion) {
    let mut group = c.benchmark_group("seen cache of a million ids");
    let (mut seen, mut number) = (Seen::new(4_000_000), 0);
    let mut fresh = || {
        number += 1;
        digest(number)
    };
    (0..1_000_000).for_each(|_| assert!(seen.remember(fresh())));
    group.bench_function("known", |b| {
        let mut known = (1..1_000_000).cycle();
        b.iter_batched(
            || digest(known.next().unwrap_or(1)),
            |digest| seen.remember(digest),
            BatchSize::SmallInput,
        );
    });
    group.bench_function("new", |b| {
        b.iter_batched(&mut fresh, |digest| seen.remember(digest), BatchSize::SmallInput);
    });
    group.finish();
}

criterion_group!(benches, base58, messages, relay, seen);
criterion_main!(benches);
