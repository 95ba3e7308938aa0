//! What the command line says.

use crate::Failure;

/// Options as `--name value` pairs; the last of a name counts.
pub struct Pairs<'a>(&'a [String]);

impl<'a> Pairs<'a> {
    pub fn new(args: &'a [String]) -> Self {
        Pairs(args)
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        let mut pairs = self.0.chunks_exact(2).rev();
        pairs.find(|pair| pair[0].strip_prefix("--") == Some(name)).map(|pair| pair[1].as_str())
    }

    pub fn number<T: std::str::FromStr>(&self, name: &str, default: T) -> Result<T, Failure> {
        let Some(text) = self.text(name) else { return Ok(default) };
        text.parse().map_err(|_| format!("--{name} {text}: not a number").into())
    }

    pub fn list<T: std::str::FromStr>(&self, name: &str, default: &str) -> Result<Vec<T>, Failure> {
        let text = self.text(name).unwrap_or(default);
        let items = text.split(',').filter(|item| !item.is_empty());
        items.map(|item| item.parse().map_err(|_| format!("--{name}: {item}?").into())).collect()
    }
}

/// A system that takes part: what its node is called, and the program that it is in.
#[derive(Clone, Debug)]
pub struct System {
    pub name: String,
    pub kind: String,
    pub program: std::path::PathBuf,
}

/// What a run is made of.
pub struct Options {
    pub rounds: usize,
    pub secs: f64,
    pub sizes: Vec<usize>,
    pub systems: Vec<System>,
    /// `one` or `two` cores.
    pub pin: Option<String>,
}

impl Options {
    pub fn parse(args: &[String]) -> Result<Self, Failure> {
        let pairs = Pairs::new(args);
        let this = std::env::current_exe()?;
        let names: Vec<String> = pairs.list("systems", "tcp,limit,rs2p")?;
        let own = |name: String| System { kind: name.clone(), name, program: this.clone() };
        let mut systems: Vec<System> = names.into_iter().map(own).collect();
        if let Some((name, path)) = pairs.text("also").and_then(|also| also.split_once('=')) {
            let (name, kind, program) = (name.to_owned(), "rs2p".to_owned(), path.into());
            systems.push(System { name, kind, program });
        }
        Ok(Options {
            rounds: pairs.number("rounds", 5)?,
            secs: pairs.number("secs", 2.0)?,
            sizes: pairs.list("sizes", "64,1024,65536,1048576")?,
            systems,
            pin: pairs.text("pin").map(str::to_owned),
        })
    }
}
