//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

const EXIT_CODES: &str = "Exit codes: 0 done; 1 an error, which is printed; 2 wrong usage; 3 the \
time was up before --count messages came, or nobody answered a ping; 130 interrupted.";

/// A peer of an rs2p or py2p mesh. Sends the lines that it reads to every node, and prints what it
/// receives, until the input ends.
#[derive(Debug, Parser)]
#[command(name = "meshcat", version, after_help = EXIT_CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub task: Option<Task>,
    #[command(flatten)]
    pub node: NodeArgs,
    /// Read commands and print events, one JSON object a line.
    #[arg(long)]
    pub json: bool,
    /// Send to this topic, and print only its messages.
    #[arg(long, value_name = "KIND")]
    pub topic: Option<String>,
    /// Print peers that come and go.
    #[arg(long)]
    pub peers: bool,
    /// Print all counters at the end, to the standard error.
    #[arg(long)]
    pub stats: bool,
    /// End when so many messages have come. The end of the input does not end it then.
    #[arg(long, value_name = "N")]
    pub count: Option<u64>,
}

/// What to do instead.
#[derive(Debug, Subcommand)]
pub enum Task {
    /// Print which meshcat peers answer, and how long it took, in milliseconds.
    Ping {
        /// How often to ask.
        #[arg(long, default_value_t = 1)]
        rounds: u32,
    },
    /// Show peers, rates, queues and losses, again and again.
    Top {
        /// End after so many tables.
        #[arg(long)]
        rounds: Option<u32>,
        /// Seconds between two tables.
        #[arg(long, default_value_t = 1.0)]
        interval: f64,
    },
    /// Print completions for a shell.
    Completions { shell: clap_complete::Shell },
}

/// How to join the mesh.
#[derive(Debug, Args)]
pub struct NodeArgs {
    /// The address to listen at, such as `0.0.0.0:4444`.
    #[arg(long, global = true, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: String,
    /// The address of a node to link to. Can be repeated.
    #[arg(long, global = true, value_name = "ADDR")]
    pub connect: Vec<String>,
    /// Find nodes of the mesh in the local network, and be found.
    #[arg(long, global = true)]
    pub discover: bool,
    /// The name of the mesh.
    #[arg(long, global = true, default_value = "mesh")]
    pub subnet: String,
    /// Encrypt. Without --secret-file anybody can still join.
    #[arg(long, global = true)]
    pub ssl: bool,
    /// A file with the secret that all nodes of a private mesh know. Needs --ssl.
    #[arg(long, global = true, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// A file with our certificate and private key, as PEM. Needs --ssl.
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// Seconds to wait for a connection, for the answers to a ping, and for --count messages.
    #[arg(long, global = true, value_name = "SECONDS")]
    pub timeout: Option<f64>,
    /// Log to the standard error, from 0 (nothing but panics) to 5 (every message).
    #[arg(long, global = true, value_name = "LEVEL")]
    pub debug_level: Option<u8>,
}
