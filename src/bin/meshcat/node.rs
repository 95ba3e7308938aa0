//! The node: made of the arguments.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rs2p::discovery::Discovery;
use rs2p::{Builder, Connection, Encryption, MeshSocket, Message, Protocol};

use crate::args::NodeArgs;
use crate::failure::Failure;
use crate::input::duration;

/// The kind of a ping.
pub const PING: &str = "meshcat-ping";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const DISCOVERY_TIMEOUT: Duration = Duration::from_secs(3);

/// Binds, answers pings, and links to the nodes that were named.
pub fn start(args: &NodeArgs) -> Result<MeshSocket, Failure> {
    let mut builder = MeshSocket::builder().protocol(protocol(args)?);
    if let Some(level) = args.debug_level {
        builder = builder.debug_level(level);
        log_to_stderr(level);
    }
    if let Some(path) = &args.key_file {
        builder = with_key(builder, path)?;
    }
    if args.discover {
        builder = builder.discover(Discovery::new());
    }
    let sock = builder.bind(args.listen.as_str())?;
    sock.register_handler_for(PING, |ping: &Message, _: &Connection| ping.reply("pong").is_ok());
    let timeout = args.timeout.map_or(CONNECT_TIMEOUT, duration);
    for addr in &args.connect {
        sock.connect_within(addr.as_str(), timeout)?;
    }
    Ok(sock)
}

/// Waits a moment for the first peer, where none was named that would be linked already.
pub fn await_peer(sock: &MeshSocket, args: &NodeArgs) {
    if args.discover && args.connect.is_empty() {
        // Without one the message goes to nobody, which is said then.
        let _ = sock.wait_for_peers(1, DISCOVERY_TIMEOUT);
    }
}

fn protocol(args: &NodeArgs) -> Result<Protocol, Failure> {
    let encryption = if args.ssl { Encryption::Ssl } else { Encryption::Plaintext };
    let protocol = Protocol::new(args.subnet.as_str(), encryption);
    let Some(path) = &args.secret_file else { return Ok(protocol) };
    let secret = read(path)?;
    // A line end is what the editor wrote.
    Ok(protocol.with_secret(secret.trim_end_matches(['\n', '\r'])))
}

#[cfg(feature = "native-tls")]
fn with_key(builder: Builder, path: &Path) -> Result<Builder, Failure> {
    let pem = read(path)?;
    let identity = rs2p::tls::TlsIdentity::from_pem(pem.as_str(), pem.as_str())?;
    Ok(builder.tls(rs2p::tls::Tls::new().identity(identity)))
}

#[cfg(not(feature = "native-tls"))]
fn with_key(_: Builder, _: &Path) -> Result<Builder, Failure> {
    Err(Failure::Usage("--key-file needs a meshcat that was built with the feature native-tls"))
}

fn read(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::File(path.to_owned(), error))
}

struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("rs2p")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("{} {}: {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

fn log_to_stderr(level: u8) {
    let filter = match level {
        0 => log::LevelFilter::Error,
        1 => log::LevelFilter::Info,
        2 | 3 => log::LevelFilter::Debug,
        _ => log::LevelFilter::Trace,
    };
    // Fails only if there is a logger already.
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(filter);
    }
}
