//! One process: a node of some system, and its part in the workload.
//!
//! It says `READY` and its address on a line when its links are there, begins when it reads a
//! line, and ends when its input does. What it measured is on one more line, as JSON.

use std::io::Read;
use std::net::SocketAddr;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded};

use crate::options::Pairs;
use crate::{Failure, mesh, tcp, work};

/// What to do after a message.
pub enum Step {
    Continue,
    /// Send this back to where the message came from.
    Reply(Vec<u8>),
    Stop,
}

pub type OnMessage<'a> = &'a mut dyn FnMut(&[u8]) -> Step;

/// A system under test.
pub trait Node: Send {
    /// Sends to everyone, waiting where the system says so.
    fn send(&mut self, payload: &[u8]) -> Result<(), Failure>;
    /// Writes what `send` kept back.
    fn flush(&mut self) -> Result<(), Failure>;
    /// Hands over what arrives until it is told to stop, or nothing came for this long.
    fn serve(&mut self, quiet: Duration, on_message: OnMessage) -> Result<(), Failure>;
    /// Returns a handle for another thread, where the system has such.
    fn another(&self) -> Option<Box<dyn Node>>;
}

/// What a node is told on its command line.
pub struct Task {
    pub system: String,
    pub workload: String,
    /// Where the nodes listen that it joins.
    pub join: Vec<SocketAddr>,
    /// Links that it will have in the end.
    pub links: usize,
    pub size: usize,
    pub secs: f64,
    /// How long nothing comes before a receiver takes it for the end.
    pub quiet: Duration,
    pub threads: usize,
}

impl Task {
    /// Returns the same for a node that has no link but the one that it makes.
    pub fn of_one_link(&self) -> Self {
        let (system, workload, join) =
            (self.system.clone(), self.workload.clone(), self.join.clone());
        Task { system, workload, join, links: 1, ..*self }
    }
}

pub fn run(args: &[String]) -> Result<(), Failure> {
    let [system, workload, pairs @ ..] = args else { return Err("node SYSTEM WORKLOAD".into()) };
    let pairs = Pairs::new(pairs);
    let task = Task {
        system: system.clone(),
        workload: workload.clone(),
        join: pairs.list("join", "")?,
        links: pairs.number("links", 1)?,
        size: pairs.number("size", 64)?,
        secs: pairs.number("secs", 2.0)?,
        quiet: Duration::from_secs_f64(pairs.number("quiet", 1.0)?),
        threads: pairs.number("threads", 1)?,
    };
    let go = watch_input();
    match &*task.workload {
        "spokes" => work::spokes(&task, &go),
        _ => {
            let (node, addr) = open(&task)?;
            println!("READY {addr}");
            work::play(node, &task, &go)
        }
    }
}

/// Returns a node of the system, linked to those that it joins, and where it listens.
pub fn open(task: &Task) -> Result<(Box<dyn Node>, SocketAddr), Failure> {
    match &*task.system {
        "tcp" => tcp::open(task, false),
        "limit" => tcp::open(task, true),
        "rs2p" => mesh::open(task),
        other => Err(format!("there is no system {other}: tcp, limit or rs2p").into()),
    }
}

/// Tells when the first line came. The process ends with its input.
fn watch_input() -> Receiver<()> {
    let (tell, told) = bounded(1);
    std::thread::spawn(move || {
        let mut buffer = [0; 64];
        while matches!(std::io::stdin().read(&mut buffer), Ok(read) if read > 0) {
            let _ = tell.try_send(());
        }
        std::process::exit(0);
    });
    told
}
