//! A pool: frames, checkpoints and own contributions.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| nexus_fuzz::pool(script));
