//! A **bus** and a **data store** on a Redis server, behind the ports of [`transport_traits`].
//!
//! ```no_run
//! use futures::StreamExt;
//! use transport_redis::{RedisBus, RedisStore};
//! use transport_traits::{DataStoreExt, Delivery, PublisherExt, Record, RecordKey, Subscriber};
//!
//! # async fn example() -> Result<(), transport_traits::Error> {
//! let bus = RedisBus::connect("redis://user:password@localhost").await?;
//! let mut news = bus.subscribe("news".into()).await?;
//! bus.send("news", "hello").await?;
//! assert_eq!(news.next().await, Some(Delivery::Message("hello".into())));
//!
//! let store = RedisStore::connect("redis://user:password@localhost").await?;
//! let ann = RecordKey::new("players", "ann");
//! store.create(ann, Record::new(r#"{"coins":1}"#)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The contract
//!
//! - **Store**: one hash a record. `HGET nexus:{players:ann} value` shows the JSON to any client; the other fields are
//!   `metadata`, `users`, `version` and `modified`. Whoever writes by hand must change `version` too.
//! - A write is **one script and one round trip**: precondition, history and record are one step. Each state has a
//!   name that no other ever has, also on a server that lost its data.
//! - A record and its history share a slot of a cluster. The client speaks to one node; it follows no redirections.
//! - **Listing** scans all keys of the database, and remembers those it named: it is for people and for repair.
//! - **History** is bounded; that of a deleted record is kept for 30 days.
//! - **Bus**: `PUBLISH` and `SUBSCRIBE` on channels `nexus:TOPIC`. Messages of one sender arrive in order.
//! - **Gaps**: when the connection that receives broke, was cut for slowness or gave no sign of life for twice the
//!   [timeout](Options::timeout), it is made anew, and each subscription yields `Gap` once it is whole again. A
//!   subscription that is not read keeps a [bounded](Options::queue_capacity) number of messages, and then a `Gap`.
//! - **The end** of a subscription comes if the server does not permit its topic when it is subscribed to anew. The others
//!   go on. Subscribing again is `Denied`.
//! - **Errors**: what the server answered with an error surely did not happen. A write or a publish whose connection
//!   broke, or that got no answer within the [timeout](Options::timeout), is `Unknown`; a connection that could not be
//!   made is `Unavailable`, refused credentials are `Denied`. The next call connects again.
//! - **Encrypted** connections, to `rediss://`, take the process's provider of cryptography for `rustls`; if none was
//!   chosen, `ring` is. See [`Options::root_certificates`] and [`Options::client_certificate`].
//! - **Durable** is what the server makes so: see the README.

mod bus;
mod client;
mod fault;
mod keys;
mod link;
mod listening;
mod options;
mod script;
mod state;
mod store;

pub use bus::RedisBus;
pub use options::Options;
pub use store::RedisStore;
