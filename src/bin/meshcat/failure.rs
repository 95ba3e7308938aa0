//! How the program ends.

use std::process::ExitCode;
use std::{fmt, io};

/// The ends that are no error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    Done,
    Failed,
    TimeUp,
    Interrupted,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(match exit {
            Exit::Done => 0,
            Exit::Failed => 1,
            Exit::TimeUp => 3,
            Exit::Interrupted => 130,
        })
    }
}

/// What went wrong.
#[derive(Debug)]
pub enum Failure {
    Mesh(rs2p::Error),
    File(std::path::PathBuf, io::Error),
    Io(io::Error),
    Interrupt(ctrlc::Error),
    Unsent(u64),
    #[cfg_attr(feature = "native-tls", allow(dead_code))]
    Usage(&'static str),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Mesh(error) => write!(f, "{error}"),
            Failure::File(path, error) => write!(f, "{}: {error}", path.display()),
            Failure::Io(error) => write!(f, "{error}"),
            Failure::Interrupt(error) => write!(f, "{error}"),
            Failure::Unsent(frames) => write!(f, "{frames} frames were not sent"),
            Failure::Usage(what) => f.write_str(what),
        }
    }
}

impl From<rs2p::Error> for Failure {
    fn from(error: rs2p::Error) -> Self {
        Failure::Mesh(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Io(error)
    }
}

impl From<ctrlc::Error> for Failure {
    fn from(error: ctrlc::Error) -> Self {
        Failure::Interrupt(error)
    }
}
