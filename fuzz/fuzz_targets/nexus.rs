//! JSON frames. What serde_json does not read as an object of arrays must not be read here either, and the reverse.
#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &[u8]| nexus_fuzz::nexus(frame));
