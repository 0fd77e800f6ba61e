//! Text frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &[u8]| nexus_fuzz::decode(frame));
