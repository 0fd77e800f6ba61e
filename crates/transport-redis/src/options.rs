//! How to connect: every knob with its default.

use std::time::Duration;

use transport_adapter::Hidden;
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, Error, StoreLimits, presets};

use crate::{RedisBus, RedisStore};

/// How to connect. [`Options::default`] is what [`RedisBus::connect`] and [`RedisStore::connect`] take.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    pub(crate) history_versions: u32,
    pub(crate) queue_capacity: usize,
    pub(crate) store_limits: StoreLimits,
    pub(crate) bus_limits: BusLimits,
    pub(crate) root_certificates: Option<Hidden<Vec<u8>>>,
    /// A certificate and its key.
    pub(crate) client_certificate: Option<[Hidden<Vec<u8>>; 2]>,
}

impl Default for Options {
    fn default() -> Self {
        let mut store_limits = StoreLimits::default();
        store_limits.value = Some(SizeLimit::bytes(16 * 1024 * 1024));
        store_limits.metadata = Some(SizeLimit::bytes(64 * 1024));
        store_limits.key = Some(SizeLimit::bytes(1_024));
        store_limits.store_name = Some(SizeLimit::bytes(1_024));
        Self {
            prefix: "nexus:".to_owned(),
            timeout: Duration::from_secs(5),
            history_versions: 16,
            queue_capacity: 8_192,
            store_limits,
            bus_limits: presets::REDIS_PUB_SUB,
            root_certificates: None,
            client_certificate: None,
        }
    }
}

impl Options {
    /// What the names of all keys and channels begin with, so that others can use the server too. Without braces,
    /// which Redis Cluster reads. Default: `nexus:`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long to wait for a connection, for an answer, and for a sign of life of a quiet subscription. Not
    /// zero, which is `Invalid` at connect. Default: 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many past states of a record are kept, deletions included; the oldest go first. With 0 the store has no
    /// history, and says so. Default: 16.
    #[must_use]
    pub fn history_versions(mut self, versions: u32) -> Self {
        self.history_versions = versions;
        self
    }

    /// How many messages wait in a subscription that is not read, and 64 MiB of them at most; what comes beyond is dropped,
    /// and shows as a `Gap`. At least 1. Default: 8,192.
    #[must_use]
    pub fn queue_capacity(mut self, messages: usize) -> Self {
        self.queue_capacity = messages.max(1);
        self
    }

    /// The authorities that may vouch for servers, in PEM, for connections to `rediss://`. Default: those of the
    /// operating system.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(Hidden(pem.into()));
        self
    }

    /// Proves who this is by a certificate, with those that vouch for it, and its key; both in PEM, for connections to
    /// `rediss://`. Default: no certificate.
    #[must_use]
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some([Hidden(pem.into()), Hidden(key.into())]);
        self
    }

    /// The limits that the store reports, of which it enforces the sizes. Default: those of the SQLite store, values
    /// of 16 MiB among them: Redis takes more, and serves nobody else meanwhile.
    #[must_use]
    pub fn store_limits(mut self, limits: StoreLimits) -> Self {
        self.store_limits = limits;
        self
    }

    /// The limits that the bus reports, of which it enforces the sizes. Default: [`presets::REDIS_PUB_SUB`].
    #[must_use]
    pub fn bus_limits(mut self, limits: BusLimits) -> Self {
        self.bus_limits = limits;
        self
    }

    /// Connects a store. See [`RedisStore::connect`], for dropping the future too.
    ///
    /// # Errors
    /// As there, and `Invalid` for timeout or certificates.
    pub async fn store(self, url: &str) -> Result<RedisStore, Error> {
        RedisStore::start(url, self).await
    }

    /// Connects a bus. See [`RedisBus::connect`], for dropping the future too.
    ///
    /// # Errors
    /// As there, and `Invalid` for timeout or certificates.
    pub async fn bus(self, url: &str) -> Result<RedisBus, Error> {
        RedisBus::start(url, self).await
    }
}
