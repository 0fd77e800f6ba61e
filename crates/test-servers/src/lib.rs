//! Private servers for tests: each ends with the value that holds it, and with the test process at the latest.

mod redis;
mod supervised;

pub use redis::Redis;
