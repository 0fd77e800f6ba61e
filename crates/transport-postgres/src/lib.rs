//! A **bus** and a **data store** on a PostgreSQL server, behind the ports of [`transport_traits`].
//!
//! ```no_run
//! use futures::StreamExt;
//! use transport_postgres::{PostgresBus, PostgresStore};
//! use transport_traits::{DataStoreExt, Delivery, PublisherExt, Record, RecordKey, Subscriber};
//!
//! # async fn example() -> Result<(), transport_traits::Error> {
//! let url = "postgres://user:password@localhost/game";
//! let bus = PostgresBus::connect(url).await?;
//! let mut news = bus.subscribe("news".into()).await?;
//! bus.send("news", "hello").await?;
//! assert_eq!(news.next().await, Some(Delivery::Message("hello".into())));
//!
//! PostgresStore::migrate(url).await?; // once, before the fleet starts
//! let store = PostgresStore::connect(url).await?;
//! let ann = RecordKey::new("players", "ann");
//! store.create(ann, Record::new(r#"{"coins":1}"#)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The contract
//!
//! - **Store**: a row a record. `SELECT value->'coins' FROM nexus_records WHERE store = 'players' AND key = 'ann'` works
//!   with any client; the other columns are `metadata`, `users`, `version` and `modified`. Whoever writes by hand must
//!   set `version = DEFAULT` too.
//! - The value is a `jsonb`: numbers, texts and members are what was written, but white space, the order of members and
//!   the way in which a number is written are not (`1e5` becomes `100000`, and `-0` becomes `0`). A text with the
//!   character U+0000 is `Invalid`, and so is a number of more than 16,383 digits behind the point.
//! - A write is **one statement, one transaction and one round trip**: precondition, history and record are one step.
//!   Each state has a random name (a UUID) that no other has, also on a server that lost its data.
//! - **Names**: any text. U+0000, which PostgreSQL does not have, is stored as U+001B and `0`, and U+001B as itself
//!   and `1`.
//! - **The tables** are made by [`PostgresStore::migrate`] and by nothing else. Where they are missing, calls are
//!   `Unavailable` and say so.
//! - **Listing** goes by the index, 256 keys a query.
//! - **History** is bounded for each record; that of a deleted record stays. It is in the order in which the states came
//!   about; where several write a record at once, times can differ from that by the length of a statement.
//! - **Bus**: `NOTIFY` and `LISTEN` on channels `nexus_TOPIC`; a topic that is too long for the name of a channel (63
//!   bytes) is replaced there by its hash. Bodies are text of up to 7,999 bytes. Messages of one sender arrive in order.
//!   Publishing has a connection and transactions of its own, since the server commits those that notify one at a time.
//! - **Gaps**: when the connection that receives broke, or gave no sign of life for twice the
//!   [timeout](Options::timeout), it is made anew, and each subscription yields `Gap` once it is whole again. A
//!   subscription that is not read keeps a [bounded](Options::queue_capacity) number of messages, and then a `Gap`.
//! - **Errors**: what the server answered with an error surely did not happen. A write or a publish whose connection
//!   broke, or that got no answer within twice the [timeout](Options::timeout), is `Unknown`, and may still come to
//!   happen until the server notices or that time is over; a connection that could not be made is `Unavailable`, refused
//!   credentials are `Denied`. The next call connects again.
//! - **Durable** is what the server makes so: see the README.

mod bus;
mod fault;
mod link;
mod listening;
mod names;
mod options;
mod schema;
mod speaking;
mod state;
mod statements;
mod store;
mod target;
mod tls;

pub use bus::PostgresBus;
pub use options::Options;
pub use store::PostgresStore;
