//! How to connect: every knob with its default.

use std::time::Duration;

use transport_adapter::Hidden;
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, Error, StoreLimits, presets};

use crate::link::Link;
use crate::schema::Tables;
use crate::target::Target;
use crate::{PostgresBus, PostgresStore};

/// How to connect. [`Options::default`] is what [`PostgresBus::connect`] and [`PostgresStore::connect`] take.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) prefix: String,
    pub(crate) timeout: Duration,
    pub(crate) connections: usize,
    pub(crate) history_versions: u32,
    pub(crate) queue_capacity: usize,
    pub(crate) root_certificates: Option<Hidden<Vec<u8>>>,
    /// A certificate and its key.
    pub(crate) client_certificate: Option<[Hidden<Vec<u8>>; 2]>,
    pub(crate) store_limits: StoreLimits,
    pub(crate) bus_limits: BusLimits,
}

impl Default for Options {
    fn default() -> Self {
        let mut store_limits = StoreLimits::default();
        store_limits.value = Some(SizeLimit::bytes(16 * 1024 * 1024));
        store_limits.metadata = Some(SizeLimit::bytes(64 * 1024));
        store_limits.key = Some(SizeLimit::bytes(1_024));
        store_limits.store_name = Some(SizeLimit::bytes(255));
        let mut bus_limits = presets::POSTGRES_NOTIFY;
        bus_limits.topic = Some(SizeLimit::bytes(1_024));
        Self {
            prefix: "nexus_".to_owned(),
            timeout: Duration::from_secs(5),
            connections: 4,
            history_versions: 16,
            queue_capacity: 8_192,
            root_certificates: None,
            client_certificate: None,
            store_limits,
            bus_limits,
        }
    }
}

impl Options {
    /// What the names of tables and channels begin with, so that others can use the database too: up to 20 bytes.
    /// Default: `nexus_`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// How long to wait for a connection, for the server to be done with a statement, and for a sign of life of a quiet
    /// subscription. A connection that gives no answer for twice as long is given up. Not zero, which is
    /// `Invalid` at connect. Default: 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many connections a store makes at most; calls beyond wait. A bus always makes two. At least 1. Default: 4,
    /// for servers take 100 in all unless told otherwise.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections.max(1);
        self
    }

    /// How many past states of a record are kept, deletions included; the oldest go first, whenever the record is
    /// written. With 0 the store has no history, and says so. Default: 16.
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

    /// The authorities that may vouch for servers, in PEM. Default: those of the operating system.
    #[must_use]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.root_certificates = Some(Hidden(pem.into()));
        self
    }

    /// Proves who this is by a certificate, with those that vouch for it, and its key; both in PEM. Default: no
    /// certificate.
    #[must_use]
    pub fn client_certificate(mut self, pem: impl Into<Vec<u8>>, key: impl Into<Vec<u8>>) -> Self {
        self.client_certificate = Some([Hidden(pem.into()), Hidden(key.into())]);
        self
    }

    /// The limits that the store reports, of which it enforces the sizes. Default: values of 16 MiB, metadata of 64 KiB,
    /// keys of 1,024 bytes and names of stores of 255: both together must fit in an entry of an index, 2,704 bytes, when
    /// each byte of them is escaped.
    #[must_use]
    pub fn store_limits(mut self, limits: StoreLimits) -> Self {
        self.store_limits = limits;
        self
    }

    /// The limits that the bus reports, of which it enforces the sizes. Default: [`presets::POSTGRES_NOTIFY`], but with
    /// topics of up to 1,024 bytes. Whatever is set, a body has at most 7,999 bytes, of which the characters U+0000 and
    /// U+001B take two each.
    #[must_use]
    pub fn bus_limits(mut self, limits: BusLimits) -> Self {
        self.bus_limits = limits;
        self
    }

    /// Connects a store. See [`PostgresStore::connect`], for dropping the future too.
    ///
    /// # Errors
    /// As there, and `Invalid` for timeout, certificates or prefix.
    pub async fn store(self, url: &str) -> Result<PostgresStore, Error> {
        PostgresStore::start(url, self).await
    }

    /// Makes the tables of a store. See [`PostgresStore::migrate`], for dropping the future too.
    ///
    /// # Errors
    /// As there, and `Invalid` for timeout, certificates or prefix.
    pub async fn migrate(self, url: &str) -> Result<(), Error> {
        let link = Link::new(Target::new(url, &self)?, 1, &self);
        Tables::new(&self.prefix).migrate(&link).await
    }

    /// Connects a bus. See [`PostgresBus::connect`], for dropping the future too.
    ///
    /// # Errors
    /// As there, and `Invalid` for timeout, certificates or prefix.
    pub async fn bus(self, url: &str) -> Result<PostgresBus, Error> {
        PostgresBus::start(url, self).await
    }
}
