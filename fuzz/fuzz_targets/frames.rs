#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| rs2p::fuzzing::run("frames", data));
