//! A durable data store in one SQLite file: no server, no setup, readable with any SQLite program.
//!
//! For one machine: a single process, or several that open the same file. The crate brings SQLite along
//! and runs on any async runtime.
//!
//! ```
//! use futures::executor::block_on;
//! use transport_sqlite::SqliteStore;
//! use transport_traits::{DataStore, DataStoreExt, ErrorKind, Record, RecordKey};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("saves.sqlite");
//! let store = SqliteStore::open(path)?; // blocks for a moment: the only call that does
//! let key = RecordKey::new("players", "7");
//! block_on(async {
//!     let first = store.create(key.clone(), Record::new(r#"{"coins":1}"#)).await?;
//!     store.compare_and_swap(key.clone(), first.clone(), Record::new(r#"{"coins":2}"#)).await?;
//!     let late = store.compare_and_swap(key.clone(), first, Record::new("{}")).await;
//!     assert_eq!(late.unwrap_err().kind(), ErrorKind::Conflict);
//!     assert_eq!(&*store.get(key).await?.unwrap().record.value, r#"{"coins":2}"#);
//!     store.close().await;
//!     Ok(())
//! })
//! # }
//! ```
//!
//! # The contract
//!
//! - **Durable.** A write that returned survives the end of the process, however it ends, and with
//!   [`Durability::Full`], the default, of the machine too. What a reader sees is as durable.
//! - **Writes are grouped.** One thread writes. It takes whatever waits, up to 256 writes or 16 MiB,
//!   commits it at once, and then answers each. Every write has its own precondition and its own answer:
//!   one that conflicts, or does not fit, takes no other with it.
//! - **Versions never repeat**, also after a record was deleted and created again, and also if the file is
//!   replaced by an older copy of itself, as long as the clock was not set back.
//! - **Refused or unknown.** A failed write surely did not happen, and says why; only where the file system
//!   fails in the middle of a commit is the outcome [`Unknown`](transport_traits::ErrorKind::Unknown). A
//!   full disk, or a file that another program keeps locked for longer than the
//!   [patience](Options::busy_timeout) of this one, is
//!   [`Unavailable`](transport_traits::ErrorKind::Unavailable). When the cause is gone the store works
//!   again; there is no need to open it anew.
//! - **Dropped futures.** A read is cancelled. A write that got as far as the queue is still executed.
//! - **The end.** When the last handle is dropped the threads finish what was queued and close the file;
//!   [`SqliteStore::close`] waits for that, and folds the write-ahead log into the file if no other
//!   process has it open.
//! - **Limits** of sizes are enforced ([`Options::limits`]); rates are not.
//!
//! # The file
//!
//! `SELECT * FROM saves` in any SQLite program shows `store`, `key`, `json`, `version` and `time` of every
//! record. The tables are `records`, `history` (the past states of each record, as many as
//! [`Options::history_versions`] says, deletions included) and `counter`. Other programs should only
//! read: who changes `records` by hand must change `version` too. Do not copy the file alone while it is
//! in use: the newest commits are in `-wal` beside it (`sqlite3 FILE ".backup COPY"` does it right). SQLite
//! demands a local file system.

mod apply;
mod check;
mod connection;
mod fault;
mod open_error;
mod options;
mod query;
mod reader;
mod schema;
mod store;
mod write;
mod writer;

pub use open_error::OpenError;
pub use options::{Durability, Options};
pub use store::SqliteStore;
