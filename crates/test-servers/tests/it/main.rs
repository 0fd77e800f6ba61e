//! The servers and the proxy that other tests stand on.
#![allow(clippy::unwrap_used, reason = "clippy knows tests by their attribute, and not their helpers")]

mod proxy;
