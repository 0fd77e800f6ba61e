//! Whole fleets of the real machines on virtual time, and what must hold of them.
//!
//! ```
//! use fleet_checks::replay::{DEVIATIONS, Recording, replay};
//!
//! let text = r#"{"scenarios":[{"name":"one","kind":"compat","until":2,"servers":[{"id":"A","start":0}],
//!     "calls":[{"at":0.5,"server":"A","call":"Publish","args":["T","hello"]}],
//!     "published":[{"at":1,"server":"A","topic":"NexusBulkMessagingService",
//!                   "message":"{\"T\":[\"hello\"]}","bytes":15,"encoded_bytes":21}]}]}"#;
//! let report = replay(&Recording::parse(text).expect("a recording"), DEVIATIONS);
//! assert!(!report.has_failed(), "{report}");
//! assert_eq!(report.sums(), "1 passed, 0 failed, 0 skipped");
//! ```

pub mod replay;
pub mod replay_pool;
pub mod sim;

/// The examples of the project's README, run as tests so that they stay true.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
