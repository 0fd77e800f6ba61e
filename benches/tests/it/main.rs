//! The tests of what the benchmarks stand on.

mod alone;
mod documents;
mod figures;
mod models;
mod packer;
mod pools;
mod reports;
mod saves;
mod scaling;
mod spread;
mod workloads;
