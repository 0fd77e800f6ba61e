//! Binary frames.
#![cfg_attr(fuzzing, no_main)]

nexus_fuzz::target!(nexus_fuzz::decode);
