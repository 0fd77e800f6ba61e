//! What **adapters** behind the ports of [`transport_traits`] have in common: checks of what they are given, the
//! bounded queue of a subscription, and options that are not shown.
//!
//! ```
//! use std::sync::Arc;
//! use futures::{StreamExt, executor::block_on};
//! use transport_adapter::{Queue, check, subscription};
//! use transport_traits::{Delivery, Record, RecordKey, StoreLimits};
//!
//! let limits = StoreLimits::default();
//! assert!(check::key(&limits, &RecordKey::new("players", "ann")).is_ok());
//! assert!(check::record(&limits, &Record::new("no JSON")).is_err());
//!
//! let queue = Arc::new(Queue::new(1));
//! let news = subscription(queue.clone(), || println!("nobody listens any more"));
//! queue.push("first".into());
//! queue.push("second".into()); // no room
//! queue.end();
//! assert_eq!(block_on(news.collect::<Vec<_>>()), [Delivery::Message("first".into()), Delivery::Gap]);
//! ```

pub mod check;
mod hidden;
mod json;
mod queue;
mod subscription;

pub use hidden::Hidden;
pub use queue::Queue;
pub use subscription::subscription;
