//! Text frames.
#![no_main]

libfuzzer_sys::fuzz_target!(|frame: &[u8]| bulk_messaging_fuzz::decode(frame));
