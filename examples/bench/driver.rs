//! Starts processes, tells them when to begin, and reads what they measured.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, never};
use serde_json::Value;

use crate::Failure;
use crate::options::{Options, System};

const PATIENCE: Duration = Duration::from_secs(120);
/// Ticks of the times in `/proc`, which are 100 a second on every Linux.
const TICKS: f64 = 100.0;

/// A process that is a node. It is ended with this value.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
    pub addr: String,
}

impl Process {
    /// Starts a node, and waits until it has its links. `place` is its number, for pinning.
    pub fn start(
        options: &Options,
        system: &System,
        place: usize,
        role: &str,
        pairs: &[(&str, String)],
    ) -> Result<Self, Failure> {
        let mut command = command(options, system, place);
        command.args(["node", &system.kind, role]);
        for (name, value) in pairs {
            command.arg(format!("--{name}")).arg(value);
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let (give, lines) = bounded(16);
        std::thread::spawn(move || {
            let mut lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.try_for_each(|line| give.send(line))
        });
        let input = child.stdin.take();
        let mut process = Process { child, input, lines, addr: String::new() };
        let ready = process.line()?;
        let addr = ready.strip_prefix("READY ").ok_or_else(|| format!("not ready: {ready}"))?;
        process.addr = addr.to_owned();
        Ok(process)
    }

    pub fn go(&mut self) -> Result<(), Failure> {
        let input = self.input.as_mut().ok_or("no input")?;
        Ok(input.write_all(b"go\n").and_then(|()| input.flush())?)
    }

    pub fn result(&self) -> Result<Value, Failure> {
        Ok(serde_json::from_str(&self.line()?)?)
    }

    fn line(&self) -> Result<String, Failure> {
        Ok(self.lines.recv_timeout(PATIENCE)?)
    }

    /// Returns the time on cores in seconds, as far as it is known.
    pub fn cpu(&self) -> f64 {
        self.usage().map_or(f64::NAN, |(_, cpu)| cpu)
    }

    /// Returns resident memory in MiB and time on cores in seconds; `None` where there is no
    /// `/proc`.
    pub fn usage(&self) -> Option<(f64, f64)> {
        let of = |file: &str| fs::read_to_string(format!("/proc/{}/{file}", self.child.id())).ok();
        let status = of("status")?;
        let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = resident.split_whitespace().next()?.parse().ok()?;
        let stat = of("stat")?;
        let fields: Vec<&str> = stat.rsplit(") ").next()?.split(' ').collect();
        let ticks: f64 =
            fields.get(11..13)?.iter().filter_map(|ticks| ticks.parse::<f64>().ok()).sum();
        Some((kib / 1024.0, ticks / TICKS))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A node ends with its input; one that does not is killed.
        drop(self.input.take());
        let by = Instant::now() + Duration::from_secs(3);
        while Instant::now() < by && !matches!(self.child.try_wait(), Ok(Some(_))) {
            pause(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Lets time pass.
pub fn pause(time: Duration) {
    let _ = never::<()>().recv_timeout(time);
}

fn command(options: &Options, system: &System, place: usize) -> Command {
    let core = match options.pin.as_deref() {
        Some("one") => 0,
        Some("two") => place % 2,
        _ => return Command::new(&system.program),
    };
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(&system.program);
    command
}
