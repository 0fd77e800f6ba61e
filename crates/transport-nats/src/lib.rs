//! A **bus** and a **data store** on a NATS server, behind the ports of [`transport_traits`].
//!
//! ```no_run
//! use futures::StreamExt;
//! use transport_nats::{NatsBus, NatsStore};
//! use transport_traits::{DataStoreExt, Delivery, PublisherExt, Record, RecordKey, Subscriber};
//!
//! # async fn example() -> Result<(), transport_traits::Error> {
//! let bus = NatsBus::connect("nats://user:password@localhost").await?;
//! let mut news = bus.subscribe("news".into()).await?;
//! bus.send("news", "hello").await?;
//! assert_eq!(news.next().await, Some(Delivery::Message("hello".into())));
//!
//! let store = NatsStore::connect("nats://user:password@localhost").await?;
//! let ann = RecordKey::new("players", "ann");
//! store.create(ann, Record::new(r#"{"coins":1}"#)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # The contract
//!
//! - **Store**: one key of a JetStream bucket a record: `nats kv get nexus players.ann` shows the JSON to any client.
//!   Metadata and user tags are headers. What others write into the bucket is a record like any other.
//! - The **bucket** is made at connect if it is not there, and again where a server that came back has none. One that
//!   exists is used as it is: how many states it keeps, on how many servers, and in files or in memory.
//! - A **version** is the revision and a name that no other state ever has, since a server that lost its last writes,
//!   or a bucket that was made anew, gives revisions out again. So compare-and-swap takes two round trips: the latest
//!   state is read from the leader of the stream, its version compared, and the write made on the condition that the
//!   revision is still the same. A write without a condition takes one.
//! - **Names**: letters, digits, `-` and `_` stay, every other byte is `=` and two hexadecimal digits. So any text is a
//!   topic or a key, and comes back as it was.
//! - **Listing** makes a short-lived consumer, which looks at all keys of the store: it is for people and for repair.
//! - **History** is the bucket's: bounded a record, at most 64 states. A deleted record keeps its own, and a marker.
//!   Those stay until somebody clears them (`nats kv compact`).
//! - **Bus**: core NATS on subjects `nexus.TOPIC`. Messages of one sender arrive in order. A publish is done when the
//!   server has handled it, a subscription is in place when the server has. In a cluster that is the server on the other
//!   end: the others learn of a new subscription a moment later.
//! - **Gaps**: when the connection that receives broke, was cut for slowness or gave no sign of life for twice the
//!   [timeout](Options::timeout), it is made anew, and each subscription yields `Gap` once it is whole again. A
//!   subscription that is not read keeps a [bounded](Options::queue_capacity) number of messages, and then a `Gap`.
//! - **The end** of a subscription comes if the server does not permit its topic any more: when it is subscribed to anew, or
//!   as soon as the server says so. The others go on. Subscribing again is `Denied`.
//! - **Encrypted** connections, to `tls://` or where the server wants it, take the process's provider of cryptography for
//!   `rustls`; if none was chosen, `ring` is. See [`Options::root_certificates`] and [`Options::client_certificate`].
//! - **Errors**: what the server refused surely did not happen. A write or a publish whose connection broke, or that
//!   got no answer within the [timeout](Options::timeout), is `Unknown`; a connection that could not be made is
//!   `Unavailable`, as is a bucket that is full; refused credentials and missing permissions are `Denied`. The next call
//!   connects again. NATS tells of a missing permission beside the answers: a permission that is taken away while a bus
//!   is connected can be noticed a publish late.
//! - **Durable** is what the server makes so, and by default it is less than one would think: see the README.

mod access;
mod bucket;
mod bus;
mod connection;
mod echo;
mod escape;
mod fault;
mod keys;
mod limits;
mod link;
mod listening;
mod listing;
mod options;
mod servers;
mod state;
mod store;
mod tls;
mod trouble;

pub use bus::NatsBus;
pub use options::Options;
pub use store::NatsStore;
