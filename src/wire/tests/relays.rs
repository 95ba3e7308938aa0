//! The form in which a message goes on, checked against what py2p passes on.

use super::{bytes, cases, hex, read, text};
use crate::options::Flag;

#[test]
fn the_relay_form_is_what_py2p_sends_on() {
    let mut compared = 0;
    for case in cases("relays_04.json") {
        let envelope = read(&bytes(&case, "frame_in")).unwrap();
        let relayed = case["to_neighbour"].as_array().unwrap();
        for relayed in relayed.iter().filter(|_| envelope.main.is_relayed()) {
            let relayed = hex(relayed.as_str().unwrap());
            assert_eq!(envelope.relay().bytes(None)[..], relayed[..], "{}", text(&case, "name"));
            compared += 1;
        }
    }
    assert!(compared > 8, "{compared}");
}

#[test]
fn a_relay_is_the_same_message_to_whoever_reads_it_next() {
    for case in cases("relays_04.json") {
        let first = read(&bytes(&case, "frame_in")).unwrap();
        let second = read(first.relay().bytes(None)).unwrap();
        assert_eq!((first.id, first.sender, first.time), (second.id, second.sender, second.time));
        assert_eq!(first.packets, second.packets);
        let main = if first.main.is_relayed() { Flag::Waterfall } else { first.main };
        assert_eq!(second.main, main);
    }
}
