//! What a store was asked for.

use std::sync::atomic::{AtomicU64, Ordering};

use super::budget::Request;

/// Requests that a store has taken from all servers since it was made, whether or not they then failed.
/// Those refused for their form (names, sizes) or for a request rate are not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// `get` and `get_version`.
    pub reads: u64,
    /// `put`.
    pub writes: u64,
    /// `delete`.
    pub removes: u64,
    /// `list` and `versions`.
    pub lists: u64,
}

/// A [`StoreStats`] that grows, by kind of request.
#[derive(Default)]
pub(super) struct Counters([AtomicU64; 4]);

impl Counters {
    pub(super) fn count(&self, request: Request) {
        self.0[request as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> StoreStats {
        let of = |request: Request| self.0[request as usize].load(Ordering::Relaxed);
        StoreStats {
            reads: of(Request::Read),
            writes: of(Request::Write),
            removes: of(Request::Remove),
            lists: of(Request::List),
        }
    }
}
