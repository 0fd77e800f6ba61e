//! Frames one after another into a receiver: sequences, holes, heads, fragments.
#![cfg_attr(fuzzing, no_main)]

nexus_fuzz::target!(nexus_fuzz::receive);
