//! The compression methods: their names on the wire, and how nodes agree on them.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use super::json;
use crate::options::Kind;
use crate::packet::Packet;

/// A way to compress frames. All are known in every build, because a peer may announce any.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Method {
    Zlib,
    Gzip,
    Bz2,
    Lzma,
}

impl Method {
    /// All methods, in py2p's order of preference.
    pub const ALL: [Method; 4] = [Method::Zlib, Method::Gzip, Method::Bz2, Method::Lzma];

    /// The methods that this build supports, in the same order.
    pub const SUPPORTED: &[Method] = if cfg!(feature = "compression-all") {
        &Method::ALL
    } else if cfg!(feature = "compression") {
        &[Method::Zlib, Method::Gzip]
    } else {
        &[]
    };

    /// Returns the name on the wire, which is one character.
    fn as_byte(self) -> u8 {
        match self {
            Method::Bz2 => 0x10,
            Method::Gzip => 0x11,
            Method::Lzma => 0x12,
            Method::Zlib => 0x13,
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        Method::ALL.into_iter().find(|method| name.as_bytes() == [method.as_byte()])
    }

    /// Reads a JSON list of methods; unknown ones are left out.
    pub(super) fn read_list(text: &[u8]) -> Option<Vec<Method>> {
        json::read(text).map(|Methods(methods)| methods)
    }

    /// Returns the renegotiation that lists the methods which this node reads from now on.
    pub fn list_payload(methods: &[Method]) -> Vec<Packet> {
        vec![Kind::COMPRESSION.as_bytes().into(), json::to_packet(&methods)]
    }

    /// Returns the renegotiation that asks for the last message again.
    pub fn resend_payload() -> Vec<Packet> {
        vec![Kind::RESEND.as_bytes().into()]
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_char(char::from(self.as_byte()))
    }
}

/// The known methods of a list of names, each once. py2p iterates over any JSON value, so the
/// characters of a text and the keys of an object are names too.
#[derive(Default)]
struct Methods(Vec<Method>);

impl Methods {
    fn push(&mut self, name: &str) {
        let known = Method::from_name(name).filter(|method| !self.0.contains(method));
        self.0.extend(known);
    }
}

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MethodsVisitor)
    }
}

struct MethodsVisitor;

impl<'de> Visitor<'de> for MethodsVisitor {
    type Value = Methods;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of method names")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Methods, A::Error> {
        let mut methods = Methods::default();
        while let Some(name) = list.next_element::<String>()? {
            methods.push(&name);
        }
        Ok(methods)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Methods, A::Error> {
        let mut methods = Methods::default();
        while let Some((name, IgnoredAny)) = map.next_entry::<String, _>()? {
            methods.push(&name);
        }
        Ok(methods)
    }

    fn visit_str<E: de::Error>(self, names: &str) -> Result<Methods, E> {
        let mut methods = Methods::default();
        for name in names.chars() {
            methods.push(name.encode_utf8(&mut [0; 4]));
        }
        Ok(methods)
    }
}
