//! Messages of every kind through frames of every size, and out again.
#![cfg_attr(fuzzing, no_main)]

nexus_fuzz::target!(nexus_fuzz::round_trip);
