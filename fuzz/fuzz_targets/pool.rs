//! A pool: frames, checkpoints and own contributions.
#![cfg_attr(fuzzing, no_main)]

nexus_fuzz::target!(nexus_fuzz::pool);
