//! Finds a Python that py2p runs on, and an environment with py2p in it.

use std::{
    env,
    io::{self, Read},
    path::PathBuf,
    process::{Command, Stdio},
    sync::OnceLock,
    thread,
    time::Duration,
};

use crossbeam_channel::bounded;

use crate::ignoring::ignore;

/// `ssl.wrap_socket`, which py2p calls, is gone in Python 3.12.
const MINORS: std::ops::RangeInclusive<u32> = 8..=11;

/// Where `install.py` is to make environments, one per version of Python.
const HOME: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/py2p-0.4.516");

const INSTALLER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/py2p/install.py");

const PROBE_LIMIT: Duration = Duration::from_secs(20);
const INSTALL_LIMIT: Duration = Duration::from_secs(300);

/// An interpreter that can `import py2p`.
#[derive(Debug)]
pub struct Python {
    pub path: PathBuf,
}

/// The interpreter for py2p peers. Where this machine has none, the test is ignored.
pub fn python() -> &'static Python {
    static PYTHON: OnceLock<Result<Python, String>> = OnceLock::new();
    let python = PYTHON.get_or_init(install);
    python.as_ref().unwrap_or_else(|why| ignore(format_args!("no py2p to talk to: {why}")))
}

fn install() -> Result<Python, String> {
    let (interpreter, minor) = find()?;
    let mut command = Command::new(interpreter);
    command.arg(INSTALLER).arg(format!("{HOME}/python3.{minor}"));
    let path = run(command, INSTALL_LIMIT)?;
    Ok(Python { path: path.into() })
}

/// The first candidate of a version that py2p runs on, by its own full path:
/// a shim may answer to more names than it can run.
fn find() -> Result<(String, u32), String> {
    let chosen = env::var("RS2P_PYTHON").ok();
    let usual = MINORS.rev().map(|minor| format!("python3.{minor}"));
    let unversioned = ["python3", "python"].map(String::from);
    let mut refused = Vec::new();
    for name in chosen.iter().cloned().chain(usual).chain(unversioned) {
        match probe(&name) {
            Ok((path, minor)) if MINORS.contains(&minor) => {
                if let (Some(chosen), false) = (&chosen, refused.is_empty()) {
                    eprintln!("RS2P_PYTHON={chosen} will not do, taking {path}: {refused:?}");
                }
                return Ok((path, minor));
            }
            Ok((path, minor)) => refused.push(format!("{path} is Python 3.{minor}")),
            Err(why) => refused.push(format!("{name}: {why}")),
        }
    }
    Err(format!("no Python 3.8 to 3.11 (set RS2P_PYTHON): {}", refused.join("; ")))
}

fn probe(name: &str) -> Result<(String, u32), String> {
    let mut command = Command::new(name);
    command.args(["-c", "import sys; print(sys.version_info[1], sys.executable)"]);
    let answer = run(command, PROBE_LIMIT)?;
    let (minor, path) = answer.split_once(' ').ok_or("an odd answer")?;
    let minor = minor.parse().map_err(|_| format!("an odd version: {answer}"))?;
    Ok((path.to_owned(), minor))
}

/// Runs a command to its end, or stops it at `limit`; what it printed.
fn run(mut command: Command, limit: Duration) -> Result<String, String> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|e| e.to_string())?;
    let out = read_to_end(child.stdout.take().expect("piped"));
    let err = read_to_end(child.stderr.take().expect("piped"));
    // The end of its output is the end of the program: no need to poll it.
    let Ok(text) = out.recv_timeout(limit) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("no end after {limit:?}: {command:?}"));
    };
    let status = child.wait().map_err(|e| e.to_string())?;
    if status.success() {
        return Ok(text.trim().to_owned());
    }
    let why = err.recv_timeout(PROBE_LIMIT).unwrap_or_default();
    Err(format!("{status}: {}", why.trim()))
}

fn read_to_end(mut pipe: impl Read + Send + 'static) -> crossbeam_channel::Receiver<String> {
    let (done, text) = bounded(1);
    thread::spawn(move || -> io::Result<()> {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes)?;
        let _ = done.send(String::from_utf8_lossy(&bytes).into_owned());
        Ok(())
    });
    text
}
