//! What **adapters** behind the ports of [`transport_traits`] have in common: checks of what they are given, and the
//! bounded queue of a subscription.
//!
//! ```
//! use futures::{StreamExt, executor::block_on};
//! use transport_adapter::{Queue, check};
//! use transport_traits::{Delivery, Record, RecordKey, StoreLimits};
//!
//! let limits = StoreLimits::default();
//! assert!(check::key(&limits, &RecordKey::new("players", "ann")).is_ok());
//! assert!(check::record(&limits, &Record::new("no JSON")).is_err());
//!
//! let queue = Queue::new(1);
//! queue.push("first".into());
//! queue.push("second".into()); // no room
//! queue.end();
//! let read: Vec<_> = block_on(futures::stream::poll_fn(|cx| queue.poll(cx)).collect());
//! assert_eq!(read, [Delivery::Message("first".into()), Delivery::Gap]);
//! ```

pub mod check;
mod json;
mod queue;

pub use queue::Queue;
