//! How to start a node, and how it is to send.

use std::{process::Command, time::Duration};

use serde_json::Value;

use super::{event::to_hex, python::Python};

const DRIVER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/py2p/peer.py");

/// How to start a node. The python is the proof that there is one:
/// `PeerOptions { subnet: "other", ..PeerOptions::new(python) }`.
#[derive(Clone, Copy, Debug)]
pub struct PeerOptions {
    pub python: &'static Python,
    pub host: &'static str,
    /// The network namespace that it runs in, where that is another one.
    pub namespace: Option<&'static str>,
    /// The address to announce instead of the real one.
    pub out_addr: Option<(&'static str, u16)>,
    pub subnet: &'static str,
    /// As py2p spells it: `Plaintext` or `SSL`.
    pub encryption: &'static str,
    /// The only version of TLS that it speaks: `TLSv1_2` or `TLSv1_3`.
    pub tls: Option<&'static str>,
    /// What py2p prints is shown when the test fails; 6 is the most.
    pub debug_level: u8,
    /// Whom it dials by itself, from peers lists; py2p's own number is 4.
    pub max_outgoing: Option<usize>,
    pub id: Option<IdOrder>,
    /// The compression methods that its Python has, in its order, by py2p's names for them.
    pub methods: Option<&'static str>,
    /// Whether its system takes but little ahead of it. Over loopback it would take megabytes
    /// before a sender has to wait.
    pub is_narrow: bool,
}

/// Where a node's id is to stand among others: it decides who keeps a link.
#[derive(Clone, Copy, Debug)]
pub enum IdOrder {
    Low,
    High,
}

impl PeerOptions {
    pub fn new(python: &'static Python) -> PeerOptions {
        PeerOptions {
            python,
            host: "127.0.0.1",
            namespace: None,
            out_addr: None,
            subnet: "mesh",
            encryption: "Plaintext",
            tls: None,
            debug_level: 0,
            max_outgoing: None,
            id: None,
            methods: None,
            is_narrow: false,
        }
    }

    pub fn command(&self, port: u16) -> Command {
        let mut command = match self.namespace {
            None => Command::new(&self.python.path),
            Some(namespace) => {
                let mut command = Command::new("ip");
                command.args(["netns", "exec", namespace]).arg(&self.python.path);
                command
            }
        };
        command.arg(DRIVER);
        let mut option = |name: &str, value: &dyn ToString| {
            command.arg(name).arg(value.to_string());
        };
        option("--host", &self.host);
        option("--port", &port);
        option("--subnet", &self.subnet);
        option("--encryption", &self.encryption);
        option("--debug-level", &self.debug_level);
        if let Some((host, port)) = self.out_addr {
            option("--out-host", &host);
            option("--out-port", &port);
        }
        if let Some(limit) = self.max_outgoing {
            option("--max-outgoing", &limit);
        }
        if let Some(version) = self.tls {
            option("--tls", &version);
        }
        if let Some(methods) = self.methods {
            option("--methods", &methods);
        }
        match self.id {
            Some(IdOrder::Low) => option("--id", &"low"),
            Some(IdOrder::High) => option("--id", &"high"),
            None => {}
        }
        if self.is_narrow {
            command.arg("--narrow");
        }
        command
    }
}

/// How to send, beyond the broadcast of [`Peer::send`].
#[derive(Clone, Copy, Debug, Default)]
pub struct SendAs<'a> {
    /// The main flag; a broadcast where not set.
    pub flag: Option<u8>,
    /// The sub-flag: one byte or a text; a broadcast where not set.
    pub kind: Option<&'a [u8]>,
    /// The one peer that is to have it.
    pub to: Option<&'a str>,
    /// Send it that often, with the number (from 0) as another last packet:
    /// equal payloads of one second are one message to py2p.
    pub numbered: Option<usize>,
    /// Send it that often, exactly equal.
    pub repeat: Option<usize>,
    /// How long to rest after each copy: a broadcast has one for each link.
    pub rest: Option<Duration>,
}

impl SendAs<'_> {
    pub fn add_to(&self, request: &mut Value) {
        let mut option = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                request[name] = value;
            }
        };
        option("flag", self.flag.map(|flag| to_hex([flag]).into()));
        option("type", self.kind.map(|kind| to_hex(kind).into()));
        option("to", self.to.map(Value::from));
        option("repeat", self.numbered.or(self.repeat).map(Value::from));
        option("numbered", self.numbered.map(|_| true.into()));
        option("rest", self.rest.map(|rest| rest.as_secs_f64().into()));
    }
}
