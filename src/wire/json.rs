//! JSON as py2p writes and reads it. Read into typed values, never into a tree.

use std::fmt;
use std::io::{self, Write};

use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::packet::Packet;

/// Most bytes of a JSON text that is read: about 690 peers, more than a py2p node can serve.
const MAX_LEN: usize = 64 * 1024;

/// Writes a value made of lists, text and numbers.
pub(crate) fn to_packet(value: &impl Serialize) -> Packet {
    let mut text = Vec::new();
    // Writing such values to memory cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut text, Python));
    Packet::from(text)
}

/// Reads a JSON text. Returns `None` if it is invalid, too long, or not of this type.
pub(crate) fn read<'a, T: Deserialize<'a>>(text: &'a [u8]) -> Option<T> {
    if text.len() > MAX_LEN {
        return None;
    }
    serde_json::from_slice(text).ok()
}

/// Python's way to write JSON: a space after each comma, and only ASCII.
struct Python;

impl Formatter for Python {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        for character in text.chars() {
            if character.is_ascii() {
                out.write_all(&[character as u8])?;
                continue;
            }
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(out, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

/// Any JSON value, in as much detail as is needed where py2p accepts every type.
#[derive(Debug, PartialEq)]
pub(crate) enum Loose {
    /// A value that is false in Python: null, false, zero, and an empty text, list or object.
    Nothing,
    Text(String),
    Number(u64),
    /// A list of exactly two values.
    Pair(Box<(Loose, Loose)>),
    Other,
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LooseVisitor)
    }
}

struct LooseVisitor;

impl<'de> Visitor<'de> for LooseVisitor {
    type Value = Loose;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Loose, E> {
        Ok(Loose::Nothing)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Loose, E> {
        Ok(if value { Loose::Other } else { Loose::Nothing })
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Loose, E> {
        Ok(if value == 0 { Loose::Nothing } else { Loose::Number(value) })
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Loose, E> {
        Ok(Loose::Other)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Loose, E> {
        Ok(if value == 0.0 { Loose::Nothing } else { Loose::Other })
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose, E> {
        Ok(if text.is_empty() { Loose::Nothing } else { Loose::Text(text.to_owned()) })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Loose, A::Error> {
        let Some(first) = list.next_element()? else { return Ok(Loose::Nothing) };
        let Some(second) = list.next_element()? else { return Ok(Loose::Other) };
        if list.next_element::<IgnoredAny>()?.is_none() {
            return Ok(Loose::Pair(Box::new((first, second))));
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Loose::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose, A::Error> {
        let mut value = Loose::Nothing;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            value = Loose::Other;
        }
        Ok(value)
    }
}
