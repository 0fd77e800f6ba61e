//! The ports that the crates of Nexus stand on: a **bus** (best-effort broadcast), a **data store**
//! (a JSON object a key, with compare-and-swap) and **time**, with the errors and the limits they share.
//!
//! Implement [`Publisher`] and [`Subscriber`] for a bus of yours, [`DataStore`] for a store, and every
//! crate above runs on them:
//!
//! ```
//! use futures::{executor::block_on, future::BoxFuture};
//! use transport_traits::{BusLimits, Error, Outgoing, Publisher, PublisherExt};
//!
//! struct Printer(BusLimits);
//! impl Publisher for Printer {
//!     fn limits(&self) -> &BusLimits {
//!         &self.0
//!     }
//!     fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
//!         Box::pin(async move {
//!             self.0.body.map_or(Ok(()), |limit| limit.check("body", &message.body))?;
//!             println!("{}: {} bytes", message.topic, message.body.len());
//!             Ok(())
//!         })
//!     }
//! }
//! let bus = Printer(transport_traits::presets::POSTGRES_NOTIFY);
//! assert!(block_on(bus.send("news", vec![b'x'; 8_000])).is_err());
//! ```
//!
//! # The contract
//!
//! - Every trait is dyn-compatible; futures are boxed by hand and borrow `&self` only.
//! - A call does nothing before its future is first polled. Dropping the future of a read cancels it;
//!   dropping that of a write or a publish leaves its outcome unknown.
//! - A failed write says whether it can have happened: [`Error::effect`]. Only [`ErrorKind::Unknown`] can.
//! - A subscription never loses messages silently: it yields [`Delivery::Gap`].
//! - Topics, store names and keys are any text; adapters encode what their service restricts.
//! - What an adapter has to carry out, such as [`Precondition`], [`Counting`](limits::Counting) or
//!   [`Content`](limits::Content), is exhaustive on purpose: one that did not know a new variant must not compile.
//!
//! The crate runs on no particular runtime. The feature `tokio`, off by default, adds `TokioTimer`.

mod bus;
mod error;
mod ext;
pub mod limits;
mod store;
mod time;
mod timer;

pub use bus::{Delivery, Outgoing, Priority, Publisher, Subscriber, Subscription, Topic};
pub use error::{Effect, Error, ErrorKind, Retry};
pub use ext::{DataStoreExt, PublisherExt};
pub use limits::{BusLimits, StoreLimits, TokenBucket, presets};
pub use store::{Capabilities, DataStore, Precondition, Record, RecordKey, Stored, Version, VersionInfo};
pub use time::{Instant, WallTime};
pub use timer::Timer;
#[cfg(feature = "tokio")]
pub use timer::TokioTimer;
