//! Private servers for tests: each ends with the value that holds it, and with the test process at the latest.

mod address;
mod certificates;
mod nats;
mod postgres;
mod proxy;
mod recovery;
mod redis;
mod supervised;

pub use certificates::{Authority, Proof};
pub use nats::Nats;
pub use postgres::Postgres;
pub use proxy::{Proxy, Upstream};
pub use recovery::{measured, recovered};
pub use redis::Redis;
