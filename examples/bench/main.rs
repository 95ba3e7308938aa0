//! How fast rs2p is, beside what limits it: several processes over loopback, measured alternately
//! in one run.
//!
//! Run it with `cargo run --release --example bench -- throughput`; the other workloads are
//! `latency`, `mesh`, `idle`, `fanout` and `threads`. Options, with what they are by default:
//!
//! | option | default | what |
//! |---|---|---|
//! | `--rounds N` | 5 | each round runs every system once before the next one begins |
//! | `--secs S` | 2 | how long one run sends |
//! | `--sizes A,B` | 64,1024,65536,1048576 | payload bytes of `throughput` |
//! | `--systems A,B` | tcp,limit,rs2p | which systems, see below |
//! | `--also NAME=PATH` | none | another build of this program, whose rs2p takes part as NAME |
//! | `--pin one` or `two` | none | all processes on one core, or on two in turn (Linux, `taskset`) |
//!
//! You will see a table: the minimum, median and maximum of each system, and how its median relates
//! to *limit A*. `limit` is that limit: TCP with coalesced writes, plus what the wire demands of
//! every message at both ends, SHA-384 and its base58 as the `bs58` crate makes it. `tcp` is a plain
//! write for each frame. Figures of a busy machine differ from run to run; the ratios hardly do.
//!
//! A process that this program starts is one node: `bench node SYSTEM WORKLOAD --option value ...`.

mod driver;
mod mesh;
mod node;
mod options;
mod table;
mod tcp;
mod work;

use options::Options;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("node") => node::run(&args[1..]),
        Some("throughput") => throughput(&Options::parse(&args[1..])?),
        Some("latency") => table::latency(&Options::parse(&args[1..])?),
        Some("mesh") => table::mesh(&Options::parse(&args[1..])?),
        Some("idle") => table::idle(&Options::parse(&args[1..])?),
        Some("fanout") => fanout(&Options::parse(&args[1..])?),
        Some("threads") => threads(&Options::parse(&args[1..])?),
        _ => Err("say what to measure: throughput, latency, mesh, idle, fanout or threads".into()),
    }
}

/// Measures one sender and one receiver, with payloads of several sizes.
fn throughput(options: &Options) -> Result<(), Failure> {
    options.sizes.iter().try_for_each(|&size| table::throughput(options, size))
}

/// Measures one sender and more and more receivers, each with a link of its own to it.
fn fanout(options: &Options) -> Result<(), Failure> {
    [1, 2, 4, 8, 16, 32, 64].iter().try_for_each(|&links| table::fanout(options, links))
}

/// Measures one sender, as one thread and as eight that share its socket.
fn threads(options: &Options) -> Result<(), Failure> {
    [1, 8].iter().try_for_each(|&threads| table::threads(options, threads))
}
