//! JSON frames. What serde_json does not read as an object of arrays must not be read here either, and the reverse.
#![cfg_attr(fuzzing, no_main)]

nexus_fuzz::target!(nexus_fuzz::nexus);
