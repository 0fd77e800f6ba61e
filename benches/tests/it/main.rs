//! The tests of what the benchmarks stand on.

mod figures;
mod models;
mod packer;
mod pools;
mod saves;
mod workloads;
