//! The tests of what the benchmarks over real servers stand on.

mod increments;
mod ledger;
mod ways;
