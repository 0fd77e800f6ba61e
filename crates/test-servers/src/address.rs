//! Addresses that servers listen on.

use std::hash::{BuildHasher, RandomState};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A loopback address of one's own, so that the port stays free while the server is down: Linux takes all of
/// 127.0.0.0/8.
pub(crate) fn free(port: u16) -> SocketAddr {
    let free = |address: &SocketAddr| TcpListener::bind(address).is_ok();
    let random = || {
        let [a, b, c, ..] = RandomState::new().hash_one(port).to_ne_bytes();
        SocketAddr::from((Ipv4Addr::new(127, a, b, c), port))
    };
    std::iter::repeat_with(random).take(100).find(free).expect("a loopback address that is free")
}
