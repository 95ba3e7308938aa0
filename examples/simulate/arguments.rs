//! The arguments, and the world that they describe.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use rs2p::MeshSocket;
use rs2p::sim::{Faults, Network, Topology, World};

use crate::Result;

pub const USAGE: &str = "\
simulate [--ARGUMENT NUMBER]...

  --seed         decides everything                         1
  --nodes        how many                                   100
  --topology     mesh, random, line, ring, tree, star       mesh
  --degree       links that a node makes, mesh or random    4
  --join         seconds in which the nodes find each other 10
  --broadcasts   sent by random nodes, evenly over the time 100
  --size         bytes of each                              100
  --sources      nodes that send; 0: any node               0
  --warm-up      broadcasts that are sent before those      0
  --lazy         from how many bytes on ids are announced; 0: never 512
  --seconds      virtual time                               60
  --delay        one way, at most, in milliseconds          50
  --rate         of each link, in kilobytes per second      10000

Faults, so many at random times:

  --churn        any: crashes, power cuts and resets, as many of each
  --crashes --power-cuts --resets --half-opens --partitions --freezes --slow-readers
  --skew         clocks are off by up to so many seconds

  --curves FOLDER draws curves into that folder instead: what 20 broadcasts cost in worlds of 100 nodes, 300, and
                 so on up to --nodes. Of the arguments it knows --seed, --topology,
                 --degree, --join, --size, --sources, --lazy, --delay and --rate.";

pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Reads `--name value`, any number of times.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = BTreeMap::new();
        while let Some(word) = words.next() {
            let is_known = USAGE.split_whitespace().any(|known| known == word);
            let (Some(name), true) = (word.strip_prefix("--"), is_known) else {
                return Err(format!("{word}: not an argument; see --help").into());
            };
            let value = words.next().ok_or_else(|| format!("{word}: its value is missing"))?;
            arguments.insert(name.to_string(), value);
        }
        Ok(Arguments(arguments))
    }

    pub fn number(&self, name: &str, default: u32) -> Result<u32> {
        let Some(text) = self.0.get(name) else { return Ok(default) };
        text.parse().map_err(|_| format!("--{name} {text}: not a number, or too large").into())
    }

    /// Returns where curves are drawn.
    pub fn curves(&self) -> Option<PathBuf> {
        self.0.get("curves").map(PathBuf::from)
    }

    /// Returns a world of so many nodes, which begin to connect. Their programs take every message at once.
    pub fn world(&self, nodes: usize) -> Result<World> {
        if nodes == 0 {
            return Err("--nodes 0: a mesh needs a node".into());
        }
        let degree = self.number("degree", 4)? as usize;
        let lazy = Some(self.number("lazy", 512)? as usize).filter(|&least| least > 0);
        let mut world = World::new(self.number("seed", 1)?.into())
            .settings(&MeshSocket::builder().max_outgoing(degree).lazy_push(lazy))
            .network(self.network()?)
            .topology(self.topology(degree)?)
            .nodes(nodes);
        (0..nodes).for_each(|node| world.set_pace(node, Some(Duration::ZERO)));
        Ok(world)
    }

    fn network(&self) -> Result<Network> {
        let delay = Duration::from_millis(self.number("delay", 50)?.into());
        let rate = 1000 * u64::from(self.number("rate", 10_000)?);
        Ok(Network { delay: delay / 50..=delay, rate, ..Network::default() })
    }

    fn topology(&self, degree: usize) -> Result<Topology> {
        Ok(match self.0.get("topology").map_or("mesh", String::as_str) {
            "mesh" => Topology::Mesh,
            "random" => Topology::Random { links: degree },
            "line" => Topology::Line,
            "ring" => Topology::Ring,
            "tree" => Topology::Tree,
            "star" => Topology::Star,
            other => return Err(format!("--topology {other}: not a topology; see --help").into()),
        })
    }

    pub fn faults(&self) -> Result<Faults> {
        let number = |name: &str, default| self.number(name, default);
        let churn = number("churn", 0)?;
        let more = |name: &str| number(name, 0).map(|count| churn.saturating_add(count));
        Ok(Faults {
            crashes: more("crashes")?,
            power_cuts: more("power-cuts")?,
            resets: more("resets")?,
            half_opens: number("half-opens", 0)?,
            partitions: number("partitions", 0)?,
            freezes: number("freezes", 0)?,
            slow_readers: number("slow-readers", 0)?,
            clock_skew: Duration::from_secs(number("skew", 0)?.into()),
            within: Duration::from_secs(number("seconds", 60)?.into()),
        })
    }
}
