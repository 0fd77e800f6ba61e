//! A **bus** and a **data store** in one process, for tests and for fleets that are one process.
//!
//! ```
//! use futures::{StreamExt, executor::block_on};
//! use transport_memory::{MemoryBus, MemoryStore};
//! use transport_traits::{DataStore, DataStoreExt, Delivery, PublisherExt, Record, RecordKey, Subscriber};
//!
//! # fn main() -> Result<(), transport_traits::Error> {
//! let bus = MemoryBus::unlimited();
//! let (here, there) = (bus.join(), bus.join());
//! let mut news = block_on(there.subscribe("news".into()))?;
//! block_on(here.send("news", "hello"))?;
//! assert_eq!(block_on(news.next()), Some(Delivery::Message("hello".into())));
//!
//! let store = MemoryStore::unlimited();
//! let ann = RecordKey::new("players", "ann");
//! let first = block_on(store.create(ann.clone(), Record::new(r#"{"coins":1}"#)))?;
//! block_on(store.compare_and_swap(ann.clone(), first.clone(), Record::new(r#"{"coins":2}"#)))?;
//! assert!(block_on(store.compare_and_swap(ann, first, Record::new("{}"))).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # The contract
//!
//! Both keep the contract of the [ports](transport_traits), and enforce the [limits](transport_traits::limits)
//! they are given as a real service would. They inject no faults and no delay.
//!
//! - **Rates** hold in every sliding window, half-open as `(t - length, t]`, to the request. Whoever is
//!   over a rate is `Throttled` and told exactly how long, and what a rate refuses uses up nothing of it.
//! - **Receive limits** make no error, as on the real services: what is over them is dropped. Ours knows
//!   who missed it, counts it, and lets them read `Gap`. Where publishes are counted, a publish counts even
//!   if nobody listens, and is dropped for all or for none; where deliveries are, those who subscribed
//!   first are served first.
//! - **Order**: messages of one sender arrive in the order in which their publishes were polled. A message
//!   reaches each subscription once or, if dropped, never.
//! - **Slow consumers**: a subscription queues a bounded number of deliveries. What comes while it is full
//!   is dropped, and one `Gap` stands in its place, between what came before and after.
//! - **Store**: linearizable, and so each server reads its own writes. Versions are counted for the whole
//!   store and never repeat. A key keeps a bounded number of past states, deletions among them; of deleted
//!   keys, the history of some 16,000 is kept, those deleted last.
//! - **Memory** is bounded by the records, the queues and the limits: a rate limit costs 16 bytes for each
//!   request within its window. Nothing survives the process.
//!
//! It needs no runtime: nothing here ever sleeps, and the timer is asked for the time alone.

mod bus;
mod clock;
mod store;
mod window;

pub use bus::{BusAllowance, BusStats, MemoryBus, MemoryEndpoint, TopicStats};
pub use store::{MemoryStore, StoreStats};
