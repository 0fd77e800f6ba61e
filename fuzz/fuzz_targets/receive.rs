//! Frames one after another into a receiver: sequences, holes, heads, fragments.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| nexus_fuzz::receive(script));
