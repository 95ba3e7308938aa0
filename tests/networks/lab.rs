//! Hosts and wires: network namespaces, made by a test and removed with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ignoring::ignore;

/// What the names of our namespaces begin with; the number of the process follows.
const PREFIX: &str = "rs2p-lab-";

/// Hosts on one bridge. Everything in it ends with the test.
pub struct Lab {
    prefix: String,
    hosts: Vec<String>,
}

/// A host: a namespace with an `eth0` on the bridge.
#[derive(Clone, Debug)]
pub struct Host {
    pub namespace: String,
    bridge: String,
    number: u8,
}

/// Which addresses the hosts have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    V4,
    V6,
    Both,
}

impl Family {
    pub const ALL: [Family; 3] = [Family::V4, Family::V6, Family::Both];
}

impl Lab {
    /// An empty bridge. Where this machine lets us make none, the test is ignored.
    pub fn new() -> Lab {
        static TIDY: Once = Once::new();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        TIDY.call_once(remove_stale);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let mut lab =
            Lab { prefix: format!("{PREFIX}{}-{number}-", std::process::id()), hosts: Vec::new() };
        let bridge = lab.name("bridge");
        if let Err(why) = try_ip(&["netns", "add", &bridge]) {
            ignore(format_args!("no network namespace (Linux, root, iproute2): {why}"));
        }
        lab.hosts.push(bridge.clone());
        ip(&["-n", &bridge, "link", "add", "br0", "type", "bridge"]);
        ip(&["-n", &bridge, "link", "set", "br0", "up"]);
        lab
    }

    fn name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// A host with an interface that is down and has no address yet.
    pub fn host(&mut self, number: u8) -> Host {
        let (bridge, namespace) = (self.name("bridge"), self.name(&format!("host{number}")));
        ip(&["netns", "add", &namespace]);
        self.hosts.push(namespace.clone());
        ip(&["-n", &namespace, "link", "set", "lo", "up"]);
        let host = Host { namespace, bridge, number };
        host.plug();
        host
    }

    /// A host with the addresses of its number.
    pub fn host_up(&mut self, number: u8, family: Family) -> Host {
        let host = self.host(number);
        host.up(family);
        host
    }

    /// Cuts these hosts off from the others, by a bridge of their own. No host sees its link go down.
    pub fn cut_off(&self, hosts: &[Host]) {
        let bridge = self.name("bridge");
        ip(&["-n", &bridge, "link", "add", "br1", "type", "bridge"]);
        ip(&["-n", &bridge, "link", "set", "br1", "up"]);
        hosts.iter().for_each(|host| host.set_port(&["master", "br1"]));
    }

    /// Puts them back to the others.
    pub fn join(&self, hosts: &[Host]) {
        hosts.iter().for_each(|host| host.set_port(&["master", "br0"]));
        ip(&["-n", &self.name("bridge"), "link", "del", "br1"]);
    }
}

impl Host {
    /// Adds the interface and puts its other end into the bridge. It is down and has no address.
    fn plug(&self) {
        let (namespace, bridge) = (&self.namespace, &self.bridge);
        let port = self.port();
        ip(&[
            "-n", namespace, "link", "add", "eth0", "type", "veth", "peer", "name", &port, "netns",
            bridge,
        ]);
        self.set_port(&["master", "br0", "up"]);
    }

    /// The other end of its interface, in the namespace of the bridge.
    fn port(&self) -> String {
        format!("port{}", self.number)
    }

    fn set_port(&self, how: &[&str]) {
        ip(&[&["-n", &self.bridge, "link", "set", &self.port()], how].concat());
    }

    /// Pulls its cable: the host sees its link go down.
    pub fn pull_cable(&self) {
        self.set_port(&["down"]);
    }

    pub fn put_cable_back(&self) {
        self.set_port(&["up"]);
    }

    /// Limits how fast its wire is, each way: `2mbit`, for instance. A kernel may lack what it takes.
    pub fn limit_rate(&self, rate: &str) {
        let ends = [(&self.namespace, "eth0".to_string()), (&self.bridge, self.port())];
        for (namespace, device) in ends {
            let add = ["-n", namespace, "qdisc", "add", "dev", &device, "root", "tbf"];
            let limits = ["rate", rate, "burst", "16kb", "latency", "200ms"];
            if let Err(why) = try_run("tc", &[&add[..], &limits].concat()) {
                ignore(format_args!("no limit of a rate (tbf): {why}"));
            }
        }
    }

    /// Removes the interface and adds another one with the same name and addresses.
    #[cfg(feature = "discovery")]
    pub fn plug_again(&self, family: Family) {
        ip(&["-n", &self.namespace, "link", "del", "eth0"]);
        self.plug();
        self.up(family);
    }

    /// Brings the interface up, with the addresses of its number.
    pub fn up(&self, family: Family) {
        ip(&["-n", &self.namespace, "link", "set", "eth0", "up"]);
        self.add(self.number, family);
    }

    pub fn add(&self, number: u8, family: Family) {
        self.each(number, family, "add");
    }

    pub fn remove(&self, number: u8, family: Family) {
        self.each(number, family, "del");
    }

    fn each(&self, number: u8, family: Family, what: &str) {
        if family != Family::V6 {
            self.address(what, &format!("10.77.0.{number}/24"));
        }
        if family != Family::V4 {
            self.address(what, &format!("fd77::{number}/64"));
        }
    }

    /// Adds or removes an address of the interface.
    pub fn address(&self, what: &str, address: &str) {
        // Without a search for duplicates a new address of IPv6 can be used at once.
        let at_once: &[&str] =
            if what == "add" && address.contains("::") { &["nodad"] } else { &[] };
        let command = ["-n", &self.namespace, "addr", what, address, "dev", "eth0"];
        ip(&[&command[..], at_once].concat());
    }

    /// Where the node of the host with this number listens; the family that others prefer.
    pub fn addr(number: u8, family: Family) -> String {
        match family {
            Family::V6 => format!("[fd77::{number}]:4444"),
            Family::V4 | Family::Both => format!("10.77.0.{number}:4444"),
        }
    }

    /// Writes the host's own `/etc/hosts`, which processes started before see as well.
    pub fn write_hosts(&self, text: &str) {
        let folder = etc(&self.namespace);
        fs::create_dir_all(&folder).expect("a folder below /etc/netns");
        fs::write(folder.join("hosts"), text).expect("a hosts file");
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.hosts.iter().for_each(|namespace| remove(namespace));
    }
}

/// Where `ip netns exec` looks for files that the host has instead of those in `/etc`.
fn etc(namespace: &str) -> PathBuf {
    Path::new("/etc/netns").join(namespace)
}

fn remove(namespace: &str) {
    // What cannot be removed now is stale for the next run.
    let _ = try_ip(&["netns", "del", namespace]);
    let _ = fs::remove_dir_all(etc(namespace));
}

/// Removes what a test left behind that was killed.
fn remove_stale() {
    let Ok(list) = try_ip(&["netns", "list"]) else { return };
    for name in list.lines().filter_map(|line| line.split(' ').next()) {
        let process = name.strip_prefix(PREFIX).and_then(|rest| rest.split('-').next());
        if process.is_some_and(|process| !Path::new("/proc").join(process).exists()) {
            remove(name);
        }
    }
}

fn ip(arguments: &[&str]) {
    try_ip(arguments).unwrap_or_else(|why| panic!("ip {arguments:?}: {why}"));
}

fn try_ip(arguments: &[&str]) -> Result<String, String> {
    try_run("ip", arguments)
}

fn try_run(program: &str, arguments: &[&str]) -> Result<String, String> {
    let output =
        Command::new(program).args(arguments).output().map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).trim().to_string())
    }
}
