//! Every knob of a store, with its unit and default.

use std::time::Duration;

use transport_traits::limits::Load;

/// Whose way a store follows. See [`machine::original`](crate::machine::original) for the two that are not ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// Ours: for fleets without servers of the original.
    #[default]
    Default,
    /// The original's format, for fleets with its servers: writes are made at once and announced by Fetch. What the
    /// [crate promises](crate#what-is-promised) holds but for three points: operations of others are not adopted, what
    /// this process wrote without learning the outcome may be *undetermined*, and **keys must differ between stores**,
    /// since the original's channels have the key's name alone: see [`machine::original`](crate::machine::original).
    Nexus,
    /// The original's format, timing and semantics, message for message. Only what a crash of this process spares, an
    /// autosave each [`Config::flush_delay`] makes durable. Keys must differ between stores, as in [`Self::Nexus`]. See
    /// [`Config::strict_nexus`].
    StrictNexus,
}

/// How a [`NexusStore`](crate::NexusStore) behaves. Start from [`Config::default`] and set fields.
#[derive(Clone, Debug)]
pub struct Config {
    /// How long an accepted write may wait for others before it is written to the store. A crash loses at
    /// most the writes of this time (and of the store's own delays). Default 2 s, as are all delays here
    /// unless they say otherwise.
    pub flush_delay: Duration,
    /// The least time between two messages about one record; what happens in between is merged. The
    /// first goes out at once. Default 1 s.
    pub publish_interval: Duration,
    /// How long a write that this server heard of may stay unconfirmed before it looks into the store and
    /// writes it itself. Up to a third is added by chance, so that not all servers look at once.
    /// Default 6 s: three times the flush delay.
    pub adopt_after: Duration,
    /// How long a write of another server stays visible here without being confirmed. Default 10 min.
    pub withdraw_after: Duration,
    /// How often an open record is compared with the store although nothing suggests a difference, each time a read of the
    /// store. It bounds how long a write stays unseen of which nobody can tell: its server crashed after the write was
    /// sent and before it told anybody, and nobody else writes the record since. Default 5 min.
    pub revalidate_every: Duration,
    /// The longest wait before a read that another server's message asks for; each server picks its own
    /// by chance, so that a fleet does not read all at once. Default 500 ms.
    pub fetch_jitter: Duration,
    /// The first wait after a failed request; it doubles up to [`max_backoff`](Self::max_backoff). Default
    /// 200 ms.
    pub min_backoff: Duration,
    /// The longest wait after a failed request. Default 30 s.
    pub max_backoff: Duration,
    /// How long a record that nobody holds stays in memory once it is saved. Default 10 s.
    pub idle_eviction: Duration,
    /// How long a shutdown, or the end of the last handle, tries to save what is unsaved. Default 30 s.
    pub shutdown_timeout: Duration,
    /// Bytes that writes not yet confirmed may take in memory, over all records; beyond, writing fails
    /// with [`WriteError::JournalFull`](crate::WriteError::JournalFull). Default 64 MiB.
    pub max_journal_bytes: usize,
    /// Bytes that other servers' unconfirmed writes may take in memory, a record; beyond, messages are
    /// dropped and the record is read instead. Default 256 KiB.
    pub max_foreign_bytes: usize,
    /// The same over all records. Default 64 MiB.
    pub max_foreign_bytes_in_all: usize,
    /// Store requests under way at a time. Default 64.
    pub max_in_flight: usize,
    /// Changes that a listener may lag behind before it gets [`Update::Lagged`](crate::Update::Lagged).
    /// Default 256.
    pub update_buffer: usize,
    /// Writers a record remembers in its metadata, where the store's own limit allows as many. Default 256.
    pub max_writers: usize,
    /// The fleet that the store's request limits are computed for. Default: one server without players.
    pub load: Load,
    /// Who this process is to the others: 48 bits that no other process has or ever had. `None`, the
    /// default, draws them at random. Set it in tests only: a repeated writer breaks every guarantee.
    pub writer: Option<u64>,
    /// Whose format the servers of the fleet use, and how they go about it: the same on all of ours. Default: ours.
    pub profile: Profile,
    /// What jitter is drawn from. `None`, the default, draws it at random.
    pub seed: Option<u64>,
}

impl Default for Config {
    fn default() -> Self {
        let flush_delay = Duration::from_secs(2);
        Self {
            flush_delay,
            publish_interval: Duration::from_secs(1),
            adopt_after: flush_delay * 3,
            withdraw_after: Duration::from_secs(600),
            revalidate_every: Duration::from_secs(300),
            fetch_jitter: Duration::from_millis(500),
            min_backoff: Duration::from_millis(200),
            max_backoff: Duration::from_secs(30),
            idle_eviction: Duration::from_secs(10),
            shutdown_timeout: Duration::from_secs(30),
            max_journal_bytes: 64 << 20,
            max_foreign_bytes: 256 << 10,
            max_foreign_bytes_in_all: 64 << 20,
            max_in_flight: 64,
            update_buffer: 256,
            max_writers: 256,
            load: Load { servers: 1, players: 0 },
            writer: None,
            profile: Profile::default(),
            seed: None,
        }
    }
}

impl Config {
    /// The defaults in [`Profile::Nexus`].
    ///
    /// The publisher and subscriber are to be bulk messaging on the topic `NexusBulkMessagingService` in the original's
    /// format.
    #[must_use]
    pub fn nexus() -> Self {
        Self { profile: Profile::Nexus, ..Self::default() }
    }

    /// The defaults in [`Profile::StrictNexus`], with the original's delays: `flush_delay` is the time between two
    /// autosaves of a record, `publish_interval` that between two messages of a field, both 10 s; zero lets each Set be a
    /// message.
    #[must_use]
    pub fn strict_nexus() -> Self {
        Self {
            profile: Profile::StrictNexus,
            flush_delay: Duration::from_secs(10),
            publish_interval: Duration::from_secs(10),
            idle_eviction: Duration::ZERO,
            ..Self::default()
        }
    }
}
