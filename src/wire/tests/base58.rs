//! Numbers as text, checked against py2p, `bs58` and plain long division.

use proptest::prelude::*;

use super::{cases, text};
use crate::base58::{decode, decode_digest, encode, encode_digest, encode_u64, parse_time};

/// Decimal text to big-endian bytes without leading zeros: slow, and obviously right.
fn from_decimal(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for digit in text.bytes() {
        multiply_add(&mut bytes, 10, u32::from(digit - b'0'));
    }
    bytes
}

fn multiply_add(bytes: &mut Vec<u8>, factor: u32, mut carry: u32) {
    for byte in bytes.iter_mut().rev() {
        carry += u32::from(*byte) * factor;
        *byte = carry as u8;
        carry >>= 8;
    }
    while carry > 0 {
        bytes.insert(0, carry as u8);
        carry >>= 8;
    }
}

fn as_digest(number: &[u8]) -> Option<[u8; 48]> {
    let mut digest = [0; 48];
    digest.get_mut(48usize.checked_sub(number.len())?..)?.copy_from_slice(number);
    Some(digest)
}

fn digest_text(digest: &[u8; 48]) -> String {
    let (text, len) = encode_digest(digest);
    assert!(text[usize::from(len)..].iter().all(|&padding| padding == 0));
    String::from_utf8(text[..usize::from(len)].to_vec()).unwrap()
}

#[test]
fn numbers_become_the_text_that_py2p_makes_of_them() {
    for case in cases("base58.json").iter().filter(|case| case["kind"] == "encode") {
        let (number, expected) = (from_decimal(text(case, "number")), text(case, "text"));
        assert_eq!(encode(&number), expected);
        assert_eq!(encode(&[&[0, 0], &number[..]].concat()), expected);
        assert_eq!(decode(expected.as_bytes()).as_ref(), Some(&number));
        if let Some(digest) = as_digest(&number) {
            assert_eq!(digest_text(&digest), expected);
            assert_eq!(decode_digest(expected.as_bytes()), Some(digest));
        }
        if let Ok(number) = text(case, "number").parse() {
            assert_eq!(encode_u64(number).as_bytes(), expected.as_bytes());
            assert_eq!(parse_time(expected.as_bytes()), Some((number, expected.as_bytes())));
        }
    }
}

#[test]
fn text_is_read_and_refused_as_py2p_does() {
    for case in cases("base58.json").iter().filter(|case| case["kind"] == "decode") {
        let input = text(case, "text").as_bytes();
        let expected = case.get("error").is_none().then(|| from_decimal(text(case, "number")));
        assert_eq!(decode(input), expected, "{case}");
        assert_eq!(parse_time(input).is_some(), expected.is_some(), "{case}");
    }
}

#[test]
fn only_canonical_numerals_of_384_bits_are_digests() {
    let most = digest_text(&[0xff; 48]);
    assert_eq!(most.len(), 66);
    assert_eq!(decode_digest(most.as_bytes()), Some([0xff; 48]));
    assert_eq!(decode_digest(b"1"), Some([0; 48]));
    let above = format!("{}u", &most[..65]);
    assert!(above > most);
    let refused =
        ["", "11", "12", "0", "O", "a b", "z\0", &above, &"z".repeat(66), &"2".repeat(67)];
    for refused in refused {
        assert_eq!(decode_digest(refused.as_bytes()), None, "{refused:?}");
    }
}

#[test]
fn times_saturate_and_lose_their_padding() {
    assert_eq!(parse_time(b""), Some((0, &b"1"[..])));
    assert_eq!(parse_time(b"111"), Some((0, &b"1"[..])));
    assert_eq!(parse_time(b"113jexC7"), Some((1_795_411_176, &b"3jexC7"[..])));
    assert_eq!(parse_time(b"jpXCZedGfVR"), Some((u64::MAX, &b"jpXCZedGfVR"[..])));
    assert_eq!(parse_time(&[b'z'; 64]), Some((u64::MAX, &[b'z'; 64][..])));
    assert_eq!(parse_time(&[b'z'; 65]), None);
    assert_eq!(parse_time(b"3jex\n"), None);
}

#[test]
fn a_long_text_costs_nothing() {
    assert_eq!(decode(&[b'z'; 4097]), None);
    assert!(decode(&[b'z'; 4096]).is_some());
}

proptest! {
    #[test]
    fn digests_agree_with_bs58(mut digest in any::<[u8; 48]>(), zeros in 0usize..49) {
        digest[..zeros].fill(0);
        let zeros = digest.iter().take_while(|&&byte| byte == 0).count();
        let expected = match &digest[zeros..] {
            [] => "1".to_owned(),
            number => bs58::encode(number).into_string(),
        };
        prop_assert_eq!(digest_text(&digest), &*expected);
        prop_assert_eq!(decode_digest(expected.as_bytes()), Some(digest));
    }

    #[test]
    fn digits_agree_with_long_multiplication(text in "[1-9A-HJ-NP-Za-km-z]{0,66}") {
        let mut number = Vec::new();
        for character in text.bytes() {
            let (value, _) = parse_time(&[character]).unwrap();
            multiply_add(&mut number, 58, value as u32);
        }
        let is_canonical = text == "1" || !(text.is_empty() || text.starts_with('1'));
        let digest = as_digest(&number).filter(|_| is_canonical);
        prop_assert_eq!(decode_digest(text.as_bytes()), digest);
        prop_assert_eq!(decode(text.as_bytes()), Some(number));
    }

    #[test]
    fn any_bytes_are_read_without_panic(text in proptest::collection::vec(any::<u8>(), 0..100)) {
        if let Some(digest) = decode_digest(&text) {
            prop_assert_eq!(digest_text(&digest).into_bytes(), text.clone());
        }
        let _ = (decode(&text), parse_time(&text));
    }

    #[test]
    fn small_numbers_come_back(number in any::<u64>(), shift in 0u32..64) {
        let number = number >> shift;
        let numeral = encode_u64(number);
        prop_assert_eq!(parse_time(numeral.as_bytes()), Some((number, numeral.as_bytes())));
    }
}
