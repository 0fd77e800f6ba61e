//! What a store did so far.

use std::sync::Arc;

use transport_traits::Error;

/// Counters since the start, and the present state. A cheap copy.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Stats {
    /// Records in memory now.
    pub records: usize,
    /// Bytes that unconfirmed writes of this process take now.
    pub journal_bytes: usize,
    /// Writes accepted: `set`, `remove`, `increment`, `max`, `min`.
    pub accepted: u64,
    /// Reads sent to the store.
    pub store_reads: u64,
    /// Writes sent to the store, repeated ones too.
    pub store_writes: u64,
    /// Writes that the store committed, as far as is known.
    pub commits: u64,
    /// Writes that lost against another server's and were made anew.
    pub conflicts: u64,
    /// Store requests whose outcome was unknown.
    pub unknown_outcomes: u64,
    /// Store requests that failed otherwise.
    pub store_failures: u64,
    /// Messages handed to the bus.
    pub published: u64,
    /// Messages that the bus did not take.
    pub publish_failures: u64,
    /// Messages received, without one's own.
    pub received: u64,
    /// Messages that could not be understood: damaged, or of an unknown version.
    pub rejected_messages: u64,
    /// Writes of other servers that were not taken in for want of [room](crate::Config::max_foreign_bytes): what is
    /// stored tells of them.
    pub dropped: u64,
    /// Commits of others that were taken over without reading the store.
    pub followed: u64,
    /// Operations of other servers that this one wrote because they did not.
    pub adopted: u64,
    /// Operations whose fate cannot be found out: applied once or never.
    pub undetermined: u64,
    /// Committed changes that had no effect: a number added to none, or an overflow.
    pub without_effect: u64,
    /// Writes that had to wait because the metadata had no room for another writer.
    pub contended: u64,
    /// States found in the store without our bookkeeping: another program wrote them, or wiped or damaged it.
    pub foreign_writes: u64,
    /// What the store's latest failure was.
    pub last_store_error: Option<Arc<Error>>,
}
