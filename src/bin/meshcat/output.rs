//! Printing. The reader of a pipe may be gone, which is an error and no panic.

use std::fmt::Display;
use std::io::{self, Write};

use rs2p::{Message, Packet};

/// Prints a line at once.
pub fn say(line: impl Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Returns the payload as text, without what a terminal would obey.
pub fn text_of(message: &Message) -> String {
    let packets: Vec<String> = message.payload().iter().map(printable).collect();
    packets.join(" ")
}

fn printable(packet: &Packet) -> String {
    let mark = |c: char| if c.is_control() && c != '\t' { char::REPLACEMENT_CHARACTER } else { c };
    packet.to_text().chars().map(mark).collect()
}

/// Returns the beginning of an id, for people.
pub fn short(id: &rs2p::NodeId) -> String {
    id.to_string().chars().take(8).collect()
}
