//! Frames, whatever pieces their bytes come in.

use std::io::{self, ErrorKind, Read};

use bytes::BytesMut;
use proptest::prelude::*;

use super::super::FrameReader;
use super::super::frame::Oversize;
use super::{MIB, prefixed};

/// A stream that hands out its bytes in pieces of given sizes, and has nothing in between.
struct Pieces<'a> {
    bytes: &'a [u8],
    sizes: Vec<usize>,
    asked: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        self.asked = self.asked.max(room.len());
        let size = self.sizes.pop().unwrap_or(usize::MAX);
        let (piece, rest) = self.bytes.split_at(size.min(room.len()).min(self.bytes.len()));
        room[..piece.len()].copy_from_slice(piece);
        self.bytes = rest;
        if piece.is_empty() && size == 0 {
            Err(ErrorKind::WouldBlock.into())
        } else {
            Ok(piece.len())
        }
    }
}

/// All frames of a stream that arrives in these pieces.
fn cut(bytes: &[u8], sizes: Vec<usize>, budget: usize) -> Vec<BytesMut> {
    let mut src = Pieces { bytes, sizes, asked: 0 };
    let mut reader = FrameReader::new(MIB);
    let mut frames = Vec::new();
    loop {
        let before = reader.buffered();
        match reader.read_from(&mut src, budget) {
            Ok(0) => return frames,
            Ok(read) => assert!(read <= budget && reader.buffered() == before + read),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        while let Some(frame) = reader.next().unwrap() {
            frames.push(frame[..].into());
        }
    }
}

fn bodies() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let small = proptest::collection::vec(any::<u8>(), 0..50);
    let large = (0usize..100_000, any::<u8>()).prop_map(|(len, byte)| vec![byte; len]);
    proptest::collection::vec(prop_oneof![4 => small, 1 => large], 0..12)
}

proptest! {
    #[test]
    fn frames_are_the_same_however_the_stream_is_split(
        bodies in bodies(),
        sizes in proptest::collection::vec(prop_oneof![0usize..9, 0usize..70_000], 0..40),
        budget in prop_oneof![1usize..40, 1000usize..300_000],
    ) {
        let frames: Vec<_> = bodies.iter().map(|body| prefixed(body)).collect();
        prop_assert_eq!(cut(&frames.concat(), sizes, budget), frames);
    }
}

#[test]
fn a_stream_that_comes_byte_by_byte_is_cut_all_the_same() {
    let frames = [prefixed(b"one"), prefixed(b""), prefixed(&[7; 40_000]), prefixed(b"last")];
    assert_eq!(cut(&frames.concat(), vec![1; 41_000], 64), frames);
}

#[test]
fn a_frame_above_the_bound_is_refused_from_its_prefix_alone() {
    let mut reader = FrameReader::new(100);
    assert_eq!(reader.read_from(&mut &[0xff; 4][..], 10).unwrap(), 4);
    let oversize = Oversize { len: 0xffff_ffff, max: 100 };
    assert_eq!(reader.next(), Err(oversize));
    assert_eq!(reader.next(), Err(oversize));
    let mut reader = FrameReader::new(100);
    let frame = prefixed(&[7; 100]);
    reader.read_from(&mut &frame[..], 1000).unwrap();
    assert_eq!(reader.next().unwrap().unwrap(), frame);
}

#[test]
fn memory_follows_what_arrives_not_what_is_promised() {
    let mut reader = FrameReader::new(usize::MAX);
    let mut src = Pieces { bytes: &[0x7f; 100_000], sizes: Vec::new(), asked: 0 };
    let mut arrived = 0;
    while arrived < 100_000 {
        arrived += reader.read_from(&mut src, MIB).unwrap();
        assert_eq!(reader.next(), Ok(None));
        assert!(reader.is_mid_frame() && reader.buffered() == arrived);
        assert!(src.asked <= arrived.max(64 * 1024), "{} of {arrived}", src.asked);
    }
}

#[test]
fn a_frame_pins_no_read_buffer_and_a_small_one_no_more_than_a_kilobyte() {
    let mut reader = FrameReader::new(MIB);
    let frames = [prefixed(&[7; 3000]), prefixed(&[1; 200]).repeat(20)].concat();
    let mut cut = Vec::new();
    let mut src = &frames[..];
    while reader.read_from(&mut src, MIB).unwrap() > 0 {
        cut.extend(std::iter::from_fn(|| reader.next().unwrap()));
    }
    assert!(!reader.is_mid_frame() && cut.concat() == frames);
    assert_eq!(cut[0].capacity(), cut[0].len());
    let mut shared = 0;
    for pair in cut[1..].windows(2) {
        let is_next = pair[0].as_ptr_range().end == pair[1].as_ptr();
        shared = if is_next { shared + pair[1].len() } else { 0 };
        assert!(shared + pair[0].len() <= 1024, "{shared}");
    }
}

#[test]
fn a_large_frame_ends_with_no_room_to_spare() {
    let stream = [prefixed(&[7; 300_000]), prefixed(b"next")].concat();
    let mut src = &stream[..];
    let mut reader = FrameReader::new(MIB);
    let mut frames = Vec::new();
    while reader.read_from(&mut src, 10_000).unwrap() > 0 {
        frames.extend(reader.next().unwrap());
    }
    assert_eq!(frames.concat(), stream);
    assert_eq!(frames[0].capacity(), frames[0].len());
}

#[test]
fn an_interrupted_read_is_tried_again() {
    struct Once(bool);
    impl Read for Once {
        fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
            if std::mem::replace(&mut self.0, false) {
                return Err(ErrorKind::Interrupted.into());
            }
            room[0] = 0;
            Ok(1)
        }
    }
    let mut reader = FrameReader::new(MIB);
    assert_eq!(reader.read_from(&mut Once(true), MIB).unwrap(), 1);
    assert!(reader.is_mid_frame());
}
