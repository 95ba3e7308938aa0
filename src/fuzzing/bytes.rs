//! Bytes from the wire, before anything is known of them.

use arbitrary::{Result, Unstructured};
use bytes::BytesMut;

use crate::wire::{FrameReader, Header, LastSender, Method};

pub(super) const MAX_BODY: usize = 1 << 20;

pub(super) const METHODS: [Method; 4] = [Method::Zlib, Method::Gzip, Method::Bz2, Method::Lzma];

/// Cuts frames out of a stream that comes in pieces: no byte is lost, doubled or invented.
pub(super) fn frames(data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let max = usize::from(input.arbitrary::<u16>()?);
    let budget = usize::from(input.arbitrary::<u8>()?) + 1;
    let (stream, mut reader) = (input.take_rest(), FrameReader::new(max));
    let (mut rest, mut cut) = (stream, Vec::new());
    while !rest.is_empty() {
        let read = reader.read_from(&mut rest, budget).expect("a slice can be read");
        assert!((1..=budget).contains(&read), "{read} of {budget}");
        loop {
            match reader.next() {
                Ok(Some(frame)) => {
                    assert!(frame.len() <= max + 4);
                    cut.extend_from_slice(&frame);
                }
                Ok(None) => break,
                Err(refused) => {
                    assert!(refused.len > max && refused.max == max);
                    assert!(stream.starts_with(&cut));
                    return Ok(());
                }
            }
        }
        assert_eq!(cut.len() + reader.buffered(), stream.len() - rest.len());
    }
    assert!(stream.starts_with(&cut));
    Ok(())
}

/// Reads frames that need not be messages. What is one says the same when it is relayed.
pub(super) fn headers(data: &[u8]) -> Result<()> {
    let mut last = LastSender::default();
    for body in data.split(|&byte| byte == b'\n') {
        let frame = framed(body);
        if let Ok(header) = Header::parse_after(&mut last, frame, &[], MAX_BODY) {
            assert!(header.pinned() >= body.len());
            let (id, time) = (*header.id(), header.time());
            let Ok(envelope) = header.verify() else { continue };
            let relayed = BytesMut::from(&envelope.relay().bytes(None)[..]);
            let again = Header::parse_after(&mut LastSender::default(), relayed, &[], MAX_BODY);
            let again = again.and_then(Header::verify).expect("what is relayed can be read");
            assert_eq!((again.id, again.time), (id, time));
            assert_eq!(again.packets, envelope.packets);
        }
    }
    Ok(())
}

/// Unpacks a compressed body: what comes out is never longer than allowed.
pub(super) fn unpacking(data: &[u8]) -> Result<()> {
    let mut input = Unstructured::new(data);
    let max = usize::from(input.arbitrary::<u16>()?);
    let methods = methods(&mut input)?;
    let frame = framed(input.take_rest());
    let before = frame.len();
    if let Ok(header) = Header::parse_after(&mut LastSender::default(), frame, &methods, max) {
        assert!(header.pinned() <= 2 * before.max(max) + 64 * 1024, "{}", header.pinned());
        drop(header.verify());
    }
    Ok(())
}

/// Returns some of the methods, in some order.
pub(super) fn methods(input: &mut Unstructured<'_>) -> Result<Vec<Method>> {
    let count = input.int_in_range(0..=METHODS.len())?;
    (0..count).map(|_| Ok(*input.choose(&METHODS)?)).collect()
}

fn framed(body: &[u8]) -> BytesMut {
    let mut frame = BytesMut::from(&(body.len() as u32).to_be_bytes()[..]);
    frame.extend_from_slice(body);
    frame
}
