//! Much at once, both ways.

use std::thread;

use rs2p::{MeshSocket, Message};

use crate::{SOON, bind, ssl};

const MIB: usize = 1024 * 1024;

/// Bytes that differ everywhere and from block to block.
fn block(seed: u8, number: usize, len: usize) -> Vec<u8> {
    let mut state = (seed as u64) << 32 | number as u64;
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        bytes.extend_from_slice(&(state >> 16).to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

#[test]
fn sixty_four_mib_each_way_at_once_arrive_byte_for_byte() {
    const BLOCKS: usize = 64;
    let (a, b) = (bind(ssl()), bind(ssl()));
    a.connect(b.local_addr()).unwrap();
    let send = |node: &MeshSocket, seed: u8| {
        for n in 0..BLOCKS {
            node.send(block(seed, n, MIB)).unwrap();
        }
    };
    let receive = |node: &MeshSocket, seed: u8| {
        for n in 0..BLOCKS {
            let message: Message = node.recv_timeout(SOON).unwrap();
            assert!(message.payload()[0] == block(seed, n, MIB)[..], "block {n} of {seed}");
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| send(&a, 1));
        scope.spawn(|| send(&b, 2));
        scope.spawn(|| receive(&a, 2));
        receive(&b, 1);
    });
    assert_eq!((a.stats().left, b.stats().left), (0, 0));
}

#[test]
fn frames_of_all_sizes_around_a_record_arrive_whole_and_in_order() {
    let (a, b) = (bind(ssl()), bind(ssl()));
    a.connect(b.local_addr()).unwrap();
    let sizes: Vec<usize> =
        (0..600).chain(16_000..16_500).chain([65_535, 65_536, 200_000]).collect();
    thread::scope(|scope| {
        scope.spawn(|| {
            for (n, &len) in sizes.iter().enumerate() {
                a.send([&block(3, n, len)[..], n.to_string().as_bytes()]).unwrap();
            }
        });
        for (n, &len) in sizes.iter().enumerate() {
            let message = b.recv_timeout(SOON).unwrap();
            assert_eq!(message.payload()[1], n.to_string().as_str());
            assert!(message.payload()[0] == block(3, n, len)[..], "{len} bytes");
        }
    });
}

#[test]
fn many_threads_send_at_once() {
    const EACH: usize = 2000;
    let (a, b) = (bind(ssl()), bind(ssl()));
    a.connect(b.local_addr()).unwrap();
    thread::scope(|scope| {
        for who in 0..4 {
            let a = &a;
            scope.spawn(move || {
                for n in 0..EACH {
                    a.send([who.to_string(), n.to_string()]).unwrap();
                }
            });
        }
        let mut next = [0; 4];
        for _ in 0..4 * EACH {
            let message = b.recv_timeout(SOON).unwrap();
            let number = |at: usize| message.payload()[at].to_text().parse::<usize>().unwrap();
            assert_eq!(number(1), next[number(0)], "of thread {}", number(0));
            next[number(0)] += 1;
        }
        assert_eq!(next, [EACH; 4]);
    });
}
