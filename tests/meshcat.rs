//! `meshcat`, driven as scripts and programs drive it.

mod support;

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use serde_json::{Value, json};
use support::PATIENCE;

const MESHCAT: &str = env!("CARGO_BIN_EXE_meshcat");

/// A `meshcat --json`. It is killed when it is dropped.
struct Cat {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Cat {
    fn start(args: &[&str]) -> Cat {
        let mut child = Command::new(MESHCAT)
            .args(["--json", "--subnet", "meshcat-test"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("meshcat starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(sender.send(line)));
        });
        Cat { input: child.stdin.take(), child, lines }
    }

    fn tell(&mut self, command: &Value) {
        writeln!(self.input.as_mut().expect("open"), "{command}").expect("it reads");
    }

    /// The next object of this event; others are skipped.
    fn next(&self, event: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("a line");
            let object: Value = serde_json::from_str(&line).expect("an object");
            if object["event"] == event {
                return object;
            }
            assert!(object["event"] != "error", "{object}");
        }
    }

    /// Ends the input, and returns the exit code.
    fn end(mut self) -> Option<i32> {
        self.input = None;
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Cat {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn addr_of(cat: &Cat) -> (String, String) {
    let listening = cat.next("listening");
    let text = |name: &str| listening[name].as_str().expect("text").to_owned();
    (text("addr"), text("id"))
}

#[test]
fn every_command_of_the_json_mode_does_what_it_says() {
    let mut alice = Cat::start(&[]);
    let (addr, alice_id) = addr_of(&alice);
    let mut bob = Cat::start(&["--connect", &addr]);
    let (_, bob_id) = addr_of(&bob);
    assert_eq!(alice.next("joined")["peer"], bob_id.as_str());

    bob.tell(&json!({"do": "send", "packets": ["hello", {"hex": "00ff"}], "ref": 7}));
    let sent = bob.next("sent");
    assert_eq!((&sent["peers"], &sent["ref"]), (&json!(1), &json!(7)));
    let message = alice.next("message");
    assert_eq!(message["packets"], json!(["hello", {"hex": "00ff"}]));
    assert_eq!((&message["sender"], &message["id"]), (&json!(bob_id), &sent["id"]));

    bob.tell(&json!({"do": "request", "to": alice_id, "packets": ["6 * 7?"], "ref": "q"}));
    let question = alice.next("message");
    alice.tell(&json!({"do": "reply", "to": question["id"], "packets": ["42"]}));
    let answer = bob.next("answer");
    assert_eq!((&answer["packets"], &answer["ref"]), (&json!(["42"]), &json!("q")));

    alice.tell(&json!({"do": "whisper", "packets": ["psst"]}));
    assert_eq!(bob.next("message")["packets"], json!(["psst"]));
    bob.tell(&json!({"do": "peers"}));
    assert_eq!(bob.next("peers")["peers"][0]["id"], alice_id.as_str());
    bob.tell(&json!({"do": "stats"}));
    assert_eq!(bob.next("stats")["stats"]["answers"], 1);
    bob.tell(&json!({"do": "nonsense", "ref": 1}));
    assert_eq!(bob.next("error")["ref"], 1);
    bob.tell(&json!({"do": "disconnect", "peer": alice_id}));
    bob.next("disconnected");
    bob.tell(&json!({"do": "connect", "addr": addr}));
    assert_eq!(bob.next("connected")["peer"], alice_id.as_str());
    bob.tell(&json!({"do": "close"}));
    bob.next("closing");
    assert_eq!(bob.end(), Some(0));
    assert_eq!(alice.end(), Some(0));
}

/// A private mesh: who has the secret from a file is in it, and an open one stays out.
#[cfg(feature = "native-tls")]
#[test]
fn nodes_with_the_secret_are_one_mesh_over_ssl() {
    let folder = std::env::temp_dir().join(format!("meshcat-test-{}", std::process::id()));
    std::fs::write(&folder, "bqDyw5TqAAtqwS7XVSLJAHQjgG5yJZ3k\n").expect("written");
    let secret = ["--ssl", "--secret-file", folder.to_str().expect("UTF-8")];
    let alice = Cat::start(&secret);
    let (addr, _) = addr_of(&alice);
    let mut bob = Cat::start(&[&secret[..], &["--connect", &addr]].concat());
    bob.tell(&json!({"do": "send", "packets": ["hello"]}));
    assert_eq!(alice.next("message")["packets"], json!(["hello"]));
    let open = ["--subnet", "meshcat-test", "--ssl", "--connect", &addr, "--timeout", "5"];
    assert_eq!(run(&open).status.code(), Some(1));
    assert_eq!((bob.end(), alice.end()), (Some(0), Some(0)));
    std::fs::remove_file(folder).expect("removed");
}

/// A shell script, as a user would write it.
#[cfg(unix)]
#[test]
fn a_shell_script_sends_a_line_and_gets_one() {
    let mut alice = Cat::start(&["--topic", "news"]);
    let (addr, _) = addr_of(&alice);
    let script = r#"
        set -eu
        printf 'one line\n' | "$MESHCAT" --subnet meshcat-test --connect "$ADDR" --topic news
        "$MESHCAT" --subnet meshcat-test --connect "$ADDR" --topic news --count 1 --timeout 60 </dev/null
    "#;
    let shell = Command::new("sh")
        .args(["-c", script])
        .env("MESHCAT", MESHCAT)
        .env("ADDR", &addr)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a shell");
    assert_eq!(alice.next("message")["packets"], json!(["one line"]));
    // The second one is told again and again: it may not be linked yet, or not have subscribed.
    let (stop, stopped) = channel::<()>();
    let telling = thread::spawn(move || {
        while stopped.recv_timeout(std::time::Duration::from_millis(50)).is_err() {
            alice.tell(&json!({"do": "send", "packets": ["an answer"]}));
        }
        alice
    });
    let output = shell.wait_with_output().expect("it ends");
    stop.send(()).expect("it listens");
    let alice = telling.join().expect("no panic");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.trim_end().ends_with(": an answer"), "{text}");
    assert_eq!(alice.end(), Some(0));
}

/// A Python program that speaks JSON with it.
#[test]
fn a_python_program_asks_and_answers() {
    const PROGRAM: &str = r#"
import json, subprocess, sys
cat = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
def next_of(event):
    for line in cat.stdout:
        thing = json.loads(line)
        if thing["event"] == event:
            return thing
    sys.exit("no " + event)
question = next_of("message")
number = int(question["packets"][0])
cat.stdin.write(json.dumps({"do": "reply", "to": question["id"], "packets": [str(number ** 2)]}) + "\n")
next_of("message")
cat.stdin.close()
sys.exit(cat.wait())
"#;
    let Ok(_) = Command::new("python3").arg("--version").output() else { return };
    let mut alice = Cat::start(&[]);
    let (addr, _) = addr_of(&alice);
    let mut python = Command::new("python3")
        .args(["-c", PROGRAM, MESHCAT, "--json", "--subnet", "meshcat-test", "--connect", &addr])
        .spawn()
        .expect("Python");
    alice.next("joined");
    alice.tell(&json!({"do": "request", "packets": ["12"], "timeout": 60}));
    assert_eq!(alice.next("answer")["packets"], json!(["144"]));
    alice.tell(&json!({"do": "send", "packets": ["bye"]}));
    assert_eq!(python.wait().expect("it ends").code(), Some(0));
    assert_eq!(alice.end(), Some(0));
}

fn run(args: &[&str]) -> Output {
    Command::new(MESHCAT).args(args).stdin(Stdio::null()).output().expect("it runs")
}

#[test]
fn ping_shows_who_answers_and_top_shows_the_peers() {
    let alice = Cat::start(&[]);
    let (addr, id) = addr_of(&alice);
    let node = ["--subnet", "meshcat-test", "--connect", &addr];
    let ping = run(&[&["ping", "--timeout", "2"], &node[..]].concat());
    let text = String::from_utf8_lossy(&ping.stdout);
    assert!(text.starts_with(&format!("{id} answers in ")), "{text}");
    assert_eq!(ping.status.code(), Some(0));
    let top = run(&[&["top", "--rounds", "1", "--interval", "0.1"], &node[..]].concat());
    let text = String::from_utf8_lossy(&top.stdout);
    assert!(text.contains(&addr) && !text.contains('\x1b'), "{text}");
    assert_eq!(alice.end(), Some(0));
}

#[test]
fn exit_codes_tell_a_script_what_happened() {
    let code = |args: &[&str]| run(args).status.code();
    assert_eq!(code(&["--version"]), Some(0));
    assert_eq!(code(&[]), Some(0), "the input ends");
    assert_eq!(code(&["--no-such-flag"]), Some(2));
    assert_eq!(code(&["--connect", "127.0.0.1:1", "--timeout", "0.2"]), Some(1));
    assert_eq!(code(&["--count", "1", "--timeout", "0.2"]), Some(3));
    assert_eq!(code(&["ping", "--timeout", "0.2"]), Some(3));
    let completions = run(&["completions", "bash"]);
    assert!(String::from_utf8_lossy(&completions.stdout).contains("meshcat"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_closes_and_says_so_in_the_exit_code() {
    let mut cat = Cat::start(&[]);
    let _ = addr_of(&cat);
    let pid = cat.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill runs").success());
    // Its input is still open.
    assert_eq!(cat.child.wait().expect("it ends").code(), Some(130));
}
