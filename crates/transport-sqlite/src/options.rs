//! How a file is opened: every knob with its default.

use std::path::Path;
use std::time::Duration;

use transport_traits::StoreLimits;
use transport_traits::limits::SizeLimit;

use crate::{OpenError, SqliteStore};

/// What an acknowledged write survives. Each process chooses for the writes of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// The end of the process and the loss of power: each commit waits until the disk has it
    /// (`synchronous=FULL`).
    #[default]
    Full,
    /// The end of the process in any way, also by SIGKILL; nothing more. Loss of power or a crash of the
    /// operating system can undo the last acknowledged writes (all after some commit, so the file is
    /// never inconsistent). A commit then costs no wait for the disk (`synchronous=NORMAL`).
    Normal,
}

/// How to open a file. [`Options::default`] is what [`SqliteStore::open`] takes.
///
/// ```no_run
/// use transport_sqlite::{Durability, Options};
///
/// let store = Options::default().durability(Durability::Normal).history_versions(100).open("saves.sqlite");
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) durability: Durability,
    pub(crate) history_versions: u32,
    pub(crate) busy_timeout: Duration,
    pub(crate) max_pages: Option<u32>,
    pub(crate) limits: StoreLimits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::default(),
            history_versions: 16,
            busy_timeout: Duration::from_secs(5),
            max_pages: None,
            limits: default_limits(),
        }
    }
}

impl Options {
    /// What an acknowledged write survives. Default: [`Durability::Full`].
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// How many past states of a record are kept beside the present one; the oldest go first, whenever
    /// the record is written. A deletion is a state too, so the last values of a deleted record remain
    /// until the record was written often enough: with 0 nothing of it does. With 0 the store has no
    /// history, and says so. Default: 16.
    #[must_use]
    pub fn history_versions(mut self, versions: u32) -> Self {
        self.history_versions = versions;
        self
    }

    /// How long opening, a read or a group of writes waits while other processes hold the file, before it
    /// fails. Default: 5 s.
    #[must_use]
    pub fn busy_timeout(mut self, patience: Duration) -> Self {
        self.busy_timeout = patience;
        self
    }

    /// The size that writes of this store may grow the file to, in pages of 4,096 bytes, without the
    /// write-ahead log. Beyond it the disk counts as full. Default: none.
    #[must_use]
    pub fn max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }

    /// The limits that the store reports, of which it enforces the sizes. Default: values of 16 MiB
    /// (every value that Roblox takes, whatever its characters), metadata of 64 KiB, store names and
    /// keys of 1 KiB, no rates.
    #[must_use]
    pub fn limits(mut self, limits: StoreLimits) -> Self {
        self.limits = limits;
        self
    }

    /// Opens the file, or creates it, and starts the threads. Blocks: for milliseconds usually, for
    /// [`busy_timeout`](Self::busy_timeout) if another program holds the file.
    ///
    /// The folder must exist and be writable, since SQLite puts `-wal` and `-shm` files beside the file.
    ///
    /// # Errors
    /// See [`OpenError`]. A file that is refused is left as it was.
    pub fn open(self, path: impl AsRef<Path>) -> Result<SqliteStore, OpenError> {
        SqliteStore::start(path.as_ref(), self)
    }
}

fn default_limits() -> StoreLimits {
    let mut limits = StoreLimits::default();
    limits.value = Some(SizeLimit::bytes(16 * 1024 * 1024));
    limits.metadata = Some(SizeLimit::bytes(64 * 1024));
    limits.key = Some(SizeLimit::bytes(1_024));
    limits.store_name = Some(SizeLimit::bytes(1_024));
    limits
}
