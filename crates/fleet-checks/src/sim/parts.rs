//! What a simulated server is made of.

use std::time::Duration;

use transport_traits::{RecordKey, StoreLimits, Topic};

use super::Planted;

/// What a server is made of. Seeds are to be set in each configuration, or runs cannot be repeated.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parts {
    /// How it sends.
    pub bulk: bulk_messaging::Config,
    /// Its pools.
    pub pools: server_pool::Config,
    /// Their topics.
    pub topics: Vec<Topic>,
    /// Checkpoints of them in the store, if it has any: the most bytes of a shard.
    pub checkpoints: Option<usize>,
    /// Its save data, if it has any: the records that it opens, and what the store allows.
    pub saves: Option<(nexus_store::Config, Vec<RecordKey>, StoreLimits)>,
    /// A topic of numbered messages, whose order it checks.
    pub order: Option<Topic>,
    /// A bug in it.
    pub planted: Option<Planted>,
}

impl Parts {
    /// A server with these pools, which hears its own messages, and nothing else.
    #[must_use]
    pub const fn new(bulk: bulk_messaging::Config, pools: server_pool::Config, topics: Vec<Topic>) -> Self {
        Self { bulk, pools, topics, checkpoints: None, saves: None, order: None, planted: None }
    }

    /// Sets up what a bug changes in the configurations.
    pub(super) fn plant(&mut self) {
        match self.planted {
            Some(Planted::NoBudget) => self.bulk.budget = bulk_messaging::Budget::Unlimited,
            Some(Planted::KeepsGhosts) => self.pools.timeout = Duration::from_secs(3_600),
            Some(Planted::NoBounds) => {
                (self.bulk.max_queued_messages, self.bulk.max_queued_bytes) = (usize::MAX, usize::MAX);
            }
            _ => {}
        }
    }
}
