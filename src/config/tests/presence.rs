//! The rows about members of the mesh, which end the table.

use super::{bytes, many, number};

pub fn expected() -> Vec<(&'static str, String)> {
    let roster = |name| number(include_str!("../../node/roster.rs"), name);
    let peer = |name| number(include_str!("../../node/allowances.rs"), name);
    let wire = |name| number(include_str!("../../wire/members.rs"), name);
    let text = number(include_str!("../../presence.rs"), "MAX_TEXT");
    assert_eq!(peer("PAGE_EARNED"), 500, "2 a second");
    let members = many(roster("MAX_MEMBERS"));
    let periods = roster("SILENT_PERIODS");
    vec![
        ("members of the mesh that are listed, only with `presence`", members.clone()),
        (
            "members that left and are remembered",
            format!("{members}, {periods} announcement periods"),
        ),
        ("a name and a role of a member", format!("{} each", bytes(text))),
        (
            "pages of the list of members that a peer gets, and that are taken from it",
            format!("{}, then 2 a second; {} members each", peer("PAGES"), wire("MAX_ROWS")),
        ),
        ("lost members that a node asks the mesh for at one time", many(wire("MAX_LOST"))),
    ]
}
