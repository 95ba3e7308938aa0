//! `meshcat` and a py2p node.

use std::io::Write;
use std::process::{Command, Stdio};

use rs2p::Encryption;

use crate::net::{Net, promises, soon};

promises![meshcat_sends_a_line_to_a_py2p_and_prints_its_answer];

fn meshcat_sends_a_line_to_a_py2p_and_prints_its_answer(net: Net) {
    let py = net.py2p();
    let addr = py.addr().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshcat"));
    command.args(["--subnet", "mesh", "--connect", &addr, "--count", "1", "--timeout", "60"]);
    if net.protocol("mesh").encryption() == Encryption::Ssl {
        command.arg("--ssl");
    }
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("meshcat starts");
    let mut input = child.stdin.take().expect("piped");
    writeln!(input, "is anybody there?").expect("it reads");
    let question = py.recv(soon()).expect("the line");
    assert_eq!(question.payload(), [b"is anybody there?"]);
    py.send(["I am"]);
    let output = child.wait_with_output().expect("it ends");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.trim_end().ends_with(": I am"), "{text}");
    assert_eq!(output.status.code(), Some(0));
}
