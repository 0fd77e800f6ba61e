//! **Save data shared by a fleet of servers**: one JSON object a record, cached in memory, buffered on write,
//! with changes made on one server seen on the others within a second or two; in any key-value store with
//! compare-and-swap, over any bus.
//!
//! ```
//! use std::sync::Arc;
//! use nexus_store::{Config, NexusStore};
//! use transport_memory::{MemoryBus, MemoryStore};
//! use transport_traits::{RecordKey, TokioTimer};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = Arc::new(MemoryBus::unlimited().join());
//! let (data, timer) = (Arc::new(MemoryStore::unlimited()), Arc::new(TokioTimer::new()));
//! let (store, driver) = NexusStore::new(data, bus.clone(), bus, timer, Config::default());
//! tokio::spawn(driver);
//!
//! let ann = store.open(RecordKey::new("players", "ann")).await?;
//! ann.set("name", "Ann")?; // Accepted at once, and soon seen by every server.
//! ann.increment("coins", 5)?; // Adds up with the increments of all other servers.
//! ann.update(&["coins", "sword"], |fields| {
//!     let coins = fields.get("coins").and_then(|coins| coins.as_i64()).unwrap_or(0);
//!     fields.set("coins", coins - 3);
//!     fields.set("sword", true);
//!     if coins < 3 { Err("not enough coins") } else { Ok(()) }
//! }).await?; // Durable, both or neither.
//! assert_eq!(ann.get_as("coins")?, Some(2));
//! # assert!(store.shutdown().await?.unsaved.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What is promised
//!
//! - *accepted* (`set` returned): survives all but this process's death;
//! - *shared* (published): may survive that too, no promise;
//! - *durable* (`flush` or `update` returned): never lost, as durable as the backend.
//!
//! Nothing is applied twice, ever. After a crash the operations that survive are a prefix, per writer and
//! record; the loss is at most one flush delay (default 2 s, within the store's budget).
//!
//! A record in memory is what the store holds (its **base**) plus **operations** that are not yet known to
//! be stored, of this server and of others. What users see, the **view**, is the base with them applied in
//! one order that all servers share. So what a server saw stays before what it wrote, if the server that
//! stores that saw it too; of `set`s that did not see each other the last one stored wins; increments always
//! add up. (A message that got lost can so bring a `set` in over one that replaced it: where a third server
//! missed the first and stores the second before the first is stored. An `update` is stored by the server
//! that made it, and so is safe from that.)
//!
//! | guarantee | invariant in the [machine] | test |
//! |---|---|---|
//! | An operation is applied once or never, however often it is sent, by whomever. | The stored table of writers judges it: see *Exactly once* below. Asserted: the fence rises and stays behind the commits. | `fleet::*`, `table::an_operation_is_applied_at_most_once` |
//! | An accepted operation is lost only with the process. | It leaves the journal only when a stored state contains it, or refuses it for ever (then it is reported). | `fleet::without_crashes_…` |
//! | A durable operation is never lost. | `flush` is answered from the journal: by stored states only, read or told of by the server that stored them. Writes are compare-and-swap on the state they were computed from. | `fleet::with_crashes_…` |
//! | What survives a crash is a prefix. | An operation names its predecessor and is admitted after it only. Asserted: own operations stand in the order of their sequence. | `fleet::with_crashes_…` |
//! | An update is all or nothing, on the stored value. | Its changes and its sequence are one write; nothing later is published until it is settled, so the sequence proves it. | `fleet::*`, `faults::*`, `guards::an_update_whose_…` |
//! | All servers see the same in the end. | A base moves only to a state that was read, or whose digest is that of the committed one. | `fleet::*`, `guards::*`, `scenarios::a_lost_message_heals…` |
//! | `on_update` fires once per visible change. | Changes are differences of consecutive views. | the mirror of every world in `fleet`, `scenarios` |
//! | A failed load never becomes a blank save. | Nothing is sealed, published or written before a state was read. | `faults::a_failed_load_…`, `overwriting::*` |
//! | What was deleted stays deleted. | A deletion is an update, and keeps the table that judges what comes late. | `deletion::*`, `whole::*` |
//! | No write overtakes one that the server that stores it saw before it. | A write takes a prefix of the view order. Asserted: of the own operations too. | `crowd::a_write_never_overtakes_…` |
//! | User tags and unknown fields survive every write. | They are part of the base, and of its digest. | `tags::*`, `typed::*`, `whole::*` |
//! | Every record gets its turn at a store with a budget. | Records queue in the order in which they came to wait, whatever they want. | `limits::a_record_that_is_always_busy_…` |
//! | Memory is bounded. | Journals are counted as they stand in memory, own ones and others', a record and in all. | `outage::*`, `hostile::a_flood_…` |
//!
//! # Exactly once
//!
//! Beside the value, in the record's metadata, stands a table: an epoch, the count of commits `c`, a fence
//! `p`, and for each recent writer its last sequence applied and the commit that applied it. A *writer* is 48
//! random bits for each process. An operation carries its writer's rising sequence, the sequence of its
//! writer's previous unconfirmed operation on the record (or 0), and the epoch and `c` of the base that it
//! was made on. It is applied if the epochs match, its predecessor is 0 or applied, and its sequence is above
//! its writer's last or, if the writer is not listed, its `c ≥ p`. To forget a writer that last moved at `m`
//! sets `p = max(p, m)`. That is safe: an operation made at `c₀` is applied at some `m > c₀`; once that
//! entry is forgotten `p ≥ m`, so the operation is refused from then on.
//!
//! A published operation that the fence shuts out is undetermined only if its writer missed commits that may
//! have applied it. Where the writer's last base did not have it and the fence rose no further than that
//! base, it surely was never applied and never will be: it is made anew under a new sequence.
//!
//! Only writers that have not moved for a minute are forgotten, and only when room is needed: about 20
//! writers fit into metadata of 300 characters. Where more than that write one record within a minute, a
//! write takes along the longest prefix of the view order that fits, so that none overtakes one that stands
//! before it; the rest waits unpublished, merged into one operation a server, until there is room again
//! ([`Stats::contended`]). So about 20 more servers get their turn each minute.
//!
//! # When things go wrong
//!
//! - **The store is slow, throttles or is away**: writes are accepted and kept up to
//!   [`Config::max_journal_bytes`], then refused with [`WriteError::JournalFull`]. Requests are repeated
//!   with growing pauses, and keep to the store's request limits.
//! - **The outcome of a write is unknown**: it is found out by reading. If that cannot be, which takes that
//!   the store forgot this writer or another program wiped the table, its operations are *undetermined*:
//!   reported by [`FlushError::Undetermined`] and [`UpdateError::Unknown`], and never repeated.
//! - **What is stored may not be read**, or is no JSON object: the record can be used, and nothing is saved
//!   ([`FlushError::NotLoaded`]) until it can be, or until [`SaveData::overwrite_failed_load`] gives up what
//!   makes no sense.
//! - **The bus takes nothing**: views differ as when messages are lost. A record that nobody holds is forgotten
//!   with what it had to tell once it is saved and five messages in a row failed.
//! - **Messages are lost**: views differ until the next commit, the next [`Gap`](transport_traits::Delivery::Gap)
//!   or the next revalidation ([`Config::revalidate_every`]), whichever is first. So it is with a write whose server
//!   crashes before it tells anybody; what it had told, others look after within [`Config::adopt_after`].
//! - **Somebody on the bus lies**: who can publish is trusted. What is damaged or impossible is found and ignored,
//!   but a message that says a commit contains what it does not is believed if its digest is right, until the
//!   next read. Let only your servers publish on the topics of save data.
//! - **A server dies**: what it had published is stored by others ([`Config::adopt_after`]).
//! - **Another program writes the record**: its value is taken over. Where it wiped the metadata, a new epoch
//!   begins, and published operations that were under way are undetermined.
//! - **The record is deleted** by [`SaveData::delete`]: it is emptied and keeps its bookkeeping, so nothing that
//!   was applied comes back; writes that the deleting server did not see count as made after it.
//! - **The record is deleted** in the data store by another program: as when the metadata is wiped, and the
//!   record begins anew. A server that missed that the record's first writes were stored before takes it for
//!   one that never was, and may write them again.
//! - **This crate itself fails**, an assertion in the machine: the call panics, the driver ends, every call that
//!   waits ends with `Closed`, and later ones panic. Handles can be dropped. What is not durable is lost, as
//!   if the process had died.
//! - **An increment meets no number, or overflows**: at the call it is an error; when the stored value turns
//!   out to be so, it has no effect and is counted ([`Stats::without_effect`]). Integers are exact between
//!   −2⁶³ and 2⁶⁴ − 1; sums with a fraction are doubles. `NaN`, infinities and all else
//!   that is no JSON are errors where they are set ([`WriteError::NotJson`]).
//!
//! User tags of a record and fields that nobody here knows are kept through every write. The value that is
//! stored is the plain JSON object and nothing else; an empty array is read as an empty object.
//!
//! # Beside servers of the original
//!
//! Servers of Nexus Data Store can be part of the fleet: see [`Profile`] and [`machine::original`].
//!
//! # Cost
//!
//! A write is a change in memory. A record with writes costs one store write each
//! [`Config::flush_delay`], and one message each [`Config::publish_interval`]; servers that hear these need no
//! read. The crate runs on any executor and takes time from a [`Timer`](transport_traits::Timer).

mod change;
mod codec;
pub mod coming_from_the_original;
mod config;
mod driver;
mod engine;
mod error;
mod fields;
mod finite;
mod handle;
mod json;
mod local;
pub mod machine;
mod names;
mod object;
mod save;
mod save_data;
mod shared;
mod stats;
mod subscriptions;
mod typed;
mod update_call;
mod updates;
mod view;
mod waiting;
mod wire;

pub use change::{Change, NoEffect};
pub use config::{Config, Profile};
pub use driver::Driver;
pub use error::{
    DecodeError, EditError, Failed, FlushError, OpenError, ShutdownReport, Unsaved, UpdateError, UpdateId,
    WriteError,
};
pub use fields::Fields;
pub use handle::NexusStore;
pub use local::LocalSaveData;
pub use object::Object;
pub use save::Save;
pub use save_data::SaveData;
pub use stats::Stats;
pub use updates::{Update, Updates};
pub use view::{LoadState, View};
