//! How a node computes its id. Other nodes cannot check it; the formula is that of py2p.

use std::fmt::Write;

use sha2::{Digest, Sha384};

/// Returns the digest that is the id of the node with this outward address. Salt makes it unique.
/// Ids are not proof of identity: anybody can try salts until an id suits.
pub(crate) fn node_digest(host: &str, port: u16, protocol_id: &str, salt: &str) -> [u8; 48] {
    Sha384::new()
        .chain_update(address_text(host, port))
        .chain_update(protocol_id)
        .chain_update(salt)
        .finalize()
        .into()
}

/// Python's text form of an address tuple.
fn address_text(host: &str, port: u16) -> String {
    let quote = if host.contains('\'') && !host.contains('"') { '"' } else { '\'' };
    let mut text = format!("({quote}");
    for character in host.chars() {
        push_escaped(&mut text, character, quote);
    }
    // Writing to a string cannot fail.
    let _ = write!(text, "{quote}, {port})");
    text
}

fn push_escaped(text: &mut String, character: char, quote: char) {
    let code = u32::from(character);
    let _ = match character {
        '\\' => write!(text, "\\\\"),
        '\n' => write!(text, "\\n"),
        '\r' => write!(text, "\\r"),
        '\t' => write!(text, "\\t"),
        _ if character == quote => write!(text, "\\{quote}"),
        // Python also escapes what its Unicode tables call unprintable; no host has that.
        _ if character.is_control() => write!(text, "\\x{code:02x}"),
        _ => write!(text, "{character}"),
    };
}
