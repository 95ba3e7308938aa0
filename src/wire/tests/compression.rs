//! Compressed frames, checked against what py2p makes of them.

use bytes::BytesMut;

use super::super::compression::{TooBig, compress, decompress};
use super::super::{Frame, Malformed, Method};
use super::{all_packets, bytes, cases, packets, prefixed, read_from, text};

fn announced(case: &serde_json::Value) -> Vec<Method> {
    let names = case["announced"].as_array().unwrap();
    let names: Vec<_> =
        names.iter().map(|name| format!("\"\\u00{}\"", name.as_str().unwrap())).collect();
    Method::read_list(format!("[{}]", names.join(", ")).as_bytes()).unwrap()
}

/// What a case decompresses to, as far as this build can tell.
fn expected(case: &serde_json::Value, messages: &[serde_json::Value]) -> Option<Vec<Vec<u8>>> {
    if let Some(packets_there) = case.get("packets") {
        return Some(packets(packets_there));
    }
    let name = case["packets_from"].as_str()?;
    let message = messages.iter().find(|message| text(message, "name") == name).expect(name);
    let head = [bytes(message, "main"), bytes(message, "sender"), text(message, "id").into()];
    let time = text(message, "time_58").into();
    Some(head.into_iter().chain([time]).chain(packets(&message["payload"])).collect())
}

#[test]
fn compressed_frames_are_read_as_py2p_reads_them() {
    let messages = cases("messages_04.json");
    for case in cases("compressed_04.json") {
        let (name, announced) = (text(&case, "name"), announced(&case));
        if !announced.iter().all(|method| Method::SUPPORTED.contains(method)) {
            continue;
        }
        let frame = bytes(&case, "frame");
        match (read_from(&announced, &frame), expected(&case, &messages)) {
            (Ok(envelope), Some(packets)) => {
                assert_eq!(all_packets(&envelope), packets, "{name}");
            }
            (Err(Malformed::Unparsable(_)), None) => {}
            // Here we are stricter, whether or not the frame was compressed.
            (Err(Malformed::NoPayload), _) => {
                assert!(name.starts_with("no payload packets"), "{name}")
            }
            (Err(Malformed::BadSender), _) => {
                assert!(name.starts_with("odd sender byte"), "{name}")
            }
            (Err(Malformed::BadFlag), _) => assert!(name.starts_with("empty main flag"), "{name}"),
            (outcome, _) => panic!("{name}: {outcome:?}"),
        }
    }
}

#[test]
fn a_compressed_broadcast_is_relayed_uncompressed() {
    for case in cases("compressed_04.json") {
        if let Ok(envelope) = read_from(&announced(&case), &bytes(&case, "frame")) {
            let again = read_from(&[], envelope.relay().bytes(None)).unwrap();
            assert_eq!((again.id, &again.packets), (envelope.id, &envelope.packets));
        }
    }
}

fn body() -> Vec<u8> {
    [&[0, 0, 0, 1], &b"say it again. "[..].repeat(500)[..]].concat()
}

#[test]
fn what_is_compressed_comes_back() {
    for &method in Method::SUPPORTED {
        let packed = compress(method, &body(), b"here".to_vec()).unwrap();
        assert!(packed.starts_with(b"here") && packed.len() < 300, "{method:?}");
        let plain = decompress(&packed[4..], &Method::ALL, 2, 10_000).unwrap().unwrap();
        assert_eq!(plain, [&[0, 0], &body()[..]].concat(), "{method:?}");
    }
}

#[test]
fn output_stops_at_the_bound() {
    let bomb = vec![0; 5_000_000];
    for &method in Method::SUPPORTED {
        let packed = compress(method, &bomb, Vec::new()).unwrap();
        assert!(packed.len() < 10_000, "{method:?}");
        for max in [0, 1, 4095, 4096, 1_000_000, 4_999_999] {
            assert_eq!(decompress(&packed, &[method], 4, max), Err(TooBig), "{method:?} {max}");
        }
        let plain = decompress(&packed, &[method], 4, 5_000_000).unwrap().unwrap();
        assert!(plain.len() == 5_000_004 && plain.capacity() <= 5_000_005, "{method:?}");
        let frame = BytesMut::from(&prefixed(&packed)[..]);
        let parsed = super::Header::parse(frame, &[method], 4_999_999);
        assert_eq!(parsed.unwrap_err(), Malformed::TooBig);
    }
}

#[test]
fn a_stream_that_is_cut_or_damaged_does_not_decompress() {
    for &method in Method::SUPPORTED {
        let packed = compress(method, &body(), Vec::new()).unwrap();
        for len in 0..packed.len() {
            assert_eq!(
                decompress(&packed[..len], &[method], 4, 10_000),
                Ok(None),
                "{method:?} {len}"
            );
        }
        let mut damaged = packed.clone();
        let last = damaged.len() - 1;
        // The last byte of xz is fixed, that of the others belongs to a checksum or a length.
        damaged[last] ^= 0x55;
        if method != Method::Bz2 {
            assert_eq!(decompress(&damaged, &[method], 4, 10_000), Ok(None), "{method:?}");
        }
    }
}

#[test]
fn methods_that_were_not_announced_are_not_tried() {
    for &method in Method::SUPPORTED {
        let packed = compress(method, &body(), Vec::new()).unwrap();
        // zlib and gzip read each other's.
        let is_other = |other: &Method| match method {
            Method::Zlib | Method::Gzip => !matches!(other, Method::Zlib | Method::Gzip),
            _ => *other != method,
        };
        let others: Vec<_> = Method::ALL.into_iter().filter(is_other).collect();
        assert_eq!(decompress(&packed, &others, 4, 10_000), Ok(None), "{method:?}");
    }
}

#[test]
fn many_empty_streams_are_not_followed_to_their_end() {
    let joining = |method: &&Method| matches!(method, Method::Bz2 | Method::Lzma);
    for method in Method::SUPPORTED.iter().filter(joining) {
        let empty = compress(*method, b"", Vec::new()).unwrap();
        assert_eq!(
            decompress(&empty.repeat(16), &[*method], 0, 10),
            Ok(Some(super::super::Buffer::with_capacity(0)))
        );
        assert_eq!(decompress(&empty.repeat(17), &[*method], 0, 10), Ok(None));
    }
}

#[test]
fn methods_of_other_builds_fail_without_harm() {
    for method in Method::ALL.iter().filter(|method| !Method::SUPPORTED.contains(method)) {
        assert!(compress(*method, &body(), Vec::new()).is_err());
        let gzip = b"\x1f\x8b\x08\0\0\0\0\0\0\0\x03\0\0\0\0\0\0\0\0\0";
        for packed in [&gzip[..], b"x\x9c\x03\0\0\0\0\x01", b"BZh9", b"\xfd7zXZ\0", b"]\0"] {
            assert_eq!(decompress(packed, &[*method], 4, 100), Ok(None));
        }
    }
}

#[test]
fn peers_that_want_it_share_one_compressed_form_if_it_is_smaller() {
    let (long, short) = (Frame::new(prefixed(&body()).into()), Frame::new(prefixed(b"\0").into()));
    for method in Method::ALL {
        assert_eq!(short.bytes(Some(method)), short.bytes(None));
        let (first, second) = (long.bytes(Some(method)).clone(), long.clone());
        assert_eq!(first.as_ptr(), second.bytes(Some(method)).as_ptr());
        if Method::SUPPORTED.contains(&method) {
            assert!(first.len() < long.len());
            let size = u32::from_be_bytes(first[..4].try_into().unwrap()) as usize;
            assert_eq!(size, first.len() - 4);
            let plain = decompress(&first[4..], &[method], 0, 10_000).unwrap().unwrap();
            assert_eq!(plain, body());
        }
    }
    assert_eq!(format!("{short:?}"), "Frame(5 bytes)");
}
