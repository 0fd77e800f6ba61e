//! A pool: frames, checkpoints and own contributions.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| bulk_messaging_fuzz::pool(script));
