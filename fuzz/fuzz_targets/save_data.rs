//! Save data in our format: messages, stored records, writes and trouble with the store.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| nexus_fuzz::save_data(script));
