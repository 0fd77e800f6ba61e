//! Messages of every kind through frames of every size, and out again.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| nexus_fuzz::round_trip(script));
