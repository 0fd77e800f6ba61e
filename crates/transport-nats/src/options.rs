//! How to connect: every knob with its default.

use std::time::Duration;

use transport_adapter::Hidden;
use transport_traits::{BusLimits, Error, StoreLimits};

use crate::{NatsBus, NatsStore};

/// How many states of a record a bucket can keep, the present one included. Source: NATS ADR-8.
const MOST_STATES: u32 = 64;

/// How to connect. [`Options::default`] is what [`NatsBus::connect`] and [`NatsStore::connect`] take.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) prefix: String,
    pub(crate) bucket: String,
    pub(crate) timeout: Duration,
    pub(crate) history_versions: u32,
    pub(crate) replicas: u32,
    pub(crate) in_memory: bool,
    pub(crate) queue_capacity: usize,
    pub(crate) credentials: Option<Hidden<String>>,
    pub(crate) root_certificates: Option<Hidden<Vec<u8>>>,
    pub(crate) client_certificate: Option<[Hidden<Vec<u8>>; 2]>,
    pub(crate) store_limits: Option<StoreLimits>,
    pub(crate) bus_limits: Option<BusLimits>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            prefix: "nexus.".to_owned(),
            bucket: "nexus".to_owned(),
            timeout: Duration::from_secs(5),
            history_versions: 16,
            replicas: 1,
            in_memory: false,
            queue_capacity: 8_192,
            credentials: None,
            root_certificates: None,
            client_certificate: None,
            store_limits: None,
            bus_limits: None,
        }
    }
}

impl Options {
    /// What the subjects of all topics begin with, so that others can use the server too: letters, digits, `-`, `_`
    /// and dots. Default: `nexus.`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// The bucket that holds all records: letters, digits, `-` and `_`. Default: `nexus`.
    #[must_use]
    pub fn bucket(mut self, bucket: impl Into<String>) -> Self {
        self.bucket = bucket.into();
        self
    }

    /// How long to wait for a connection, for an answer, and for a sign of life of a quiet subscription. Not
    /// zero, which is `Invalid` at connect. Default: 5 s.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// For a bucket that is made: how many past states of a record it keeps, deletions included, up to 63; the oldest
    /// go first. With 0 the store has no history, and says so. A bucket that exists keeps what it keeps. Default: 16.
    #[must_use]
    pub fn history_versions(mut self, versions: u32) -> Self {
        self.history_versions = versions.min(MOST_STATES - 1);
        self
    }

    /// For a bucket that is made: on how many servers of a cluster it is kept, 1 to 5. Default: 1.
    #[must_use]
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.replicas = replicas;
        self
    }

    /// For a bucket that is made: keeps it in memory alone, so that it ends with its servers. Default: in files.
    #[must_use]
    pub fn in_memory(mut self, in_memory: bool) -> Self {
        self.in_memory = in_memory;
        self
    }

    /// How many messages wait in a subscription that is not read, and 64 MiB of them at most; what comes beyond is dropped,
    /// and shows as a `Gap`. At least 1. Default: 8,192.
    #[must_use]
    pub fn queue_capacity(mut self, messages: usize) -> Self {
        self.queue_capacity = messages.max(1);
        self
    }

    /// Logs in with the text of a credentials file (`.creds`: a JWT and a seed). Default: with what the URL says.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Into<String>) -> Self {
        self.credentials = Some(Hidden(credentials.into()));
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

    /// The limits that the store reports, of which it enforces the sizes. Default: what fits in the server's
    /// `max_payload` when the store connects: of 1 MiB, 32 KiB for metadata and 988 KiB for a value. Names of stores
    /// have up to 255 bytes and keys up to 1,024, for a subject must fit in 4,096 when each byte of it is escaped.
    #[must_use]
    pub fn store_limits(mut self, limits: StoreLimits) -> Self {
        self.store_limits = Some(limits);
        self
    }

    /// The limits that the bus reports, of which it enforces the sizes. Default: the server's `max_payload` when the
    /// bus connects, and topics of up to 1,024 bytes.
    #[must_use]
    pub fn bus_limits(mut self, limits: BusLimits) -> Self {
        self.bus_limits = Some(limits);
        self
    }

    /// Connects a store. See [`NatsStore::connect`], for dropping the future too.
    ///
    /// # Errors
    /// As there, and `Invalid` for timeout, certificates, credentials, prefix or bucket.
    pub async fn store(self, url: &str) -> Result<NatsStore, Error> {
        NatsStore::start(url, self).await
    }

    /// Connects a bus. See [`NatsBus::connect`], for dropping the future too.
    ///
    /// # Errors
    /// As there, and `Invalid` for timeout, certificates, credentials, prefix or bucket.
    pub async fn bus(self, url: &str) -> Result<NatsBus, Error> {
        NatsBus::start(url, self).await
    }
}
