//! A node in a process of its own. The process runs an ignored test of the same binary; the two speak
//! in lines.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, unbounded};

/// Begins each line that is for the parent. The test harness of the child prints others.
const MARK: &str = "node: ";

/// Such a process. It is killed when this is dropped.
pub struct Process {
    child: Child,
    stdin: ChildStdin,
    pub lines: Receiver<String>,
}

impl Process {
    /// Starts the ignored test of this name, with these variables.
    pub fn start(test: &str, variables: &[(&str, &str)]) -> Process {
        Process::start_in(&[], test, variables)
    }

    /// Starts it by another program, to which the command is given as its last arguments.
    pub fn start_in(program: &[&str], test: &str, variables: &[(&str, &str)]) -> Process {
        let binary = std::env::current_exe().expect("this test");
        let binary = binary.to_str().expect("a path in UTF-8");
        let test = [binary, "--ignored", "--exact", test, "--nocapture", "--test-threads=1"];
        let words: Vec<&str> = program.iter().copied().chain(test).collect();
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .envs(variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = unbounded();
        thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Some((_, line)) = line.split_once(MARK) {
                    // The test may be over.
                    let _ = sender.send(line.to_string());
                }
            }
        });
        let stdin = child.stdin.take().expect("piped");
        Process { child, stdin, lines }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    pub fn tell(&mut self, line: &str) {
        writeln!(self.stdin, "{line}").expect("the process listens");
    }

    /// Waits for the next line that begins with this word, and returns the rest of the line.
    pub fn expect(&self, word: &str, patience: Duration) -> String {
        let deadline = Instant::now() + patience;
        loop {
            let Ok(line) = self.lines.recv_deadline(deadline) else {
                panic!("process {} did not say {word}", self.id())
            };
            if let Some(rest) = line.strip_prefix(word) {
                return rest.trim().to_string();
            }
        }
    }

    /// Ends it without a word; it may have ended before.
    pub fn kill(&mut self) -> ExitStatus {
        let _ = self.child.kill();
        self.child.wait().expect("ended")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Says a line to the parent.
pub fn say(line: &str) {
    println!("{MARK}{line}");
}
