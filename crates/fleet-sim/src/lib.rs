//! A whole fleet of servers in one thread on **virtual time**, over a bus and a data store that fail on purpose: tests of
//! days of trouble that take seconds, and that run again exactly as they ran.
//!
//! A server is a [`Node`]: a pure machine that is told what happened and asked what to do.
//!
//! ```
//! use fleet_sim::{Action, CallId, Event, Node, Now, Sim};
//! use transport_traits::{Instant, Outgoing};
//!
//! /// Says hello once, and counts who does.
//! #[derive(Default)]
//! struct Greeter { said: u64, heard: u64 }
//! impl Node for Greeter {
//!     fn handle(&mut self, _: Now, event: Event) {
//!         self.heard += u64::from(matches!(event, Event::Delivered(..)));
//!     }
//!     fn poll(&mut self, _: Now) -> Option<Action> {
//!         self.said += 1;
//!         match self.said {
//!             1 => Some(Action::Subscribe("hall".into())),
//!             2 => Some(Action::Publish(CallId(1), Outgoing::new("hall", "hello"))),
//!             _ => None,
//!         }
//!     }
//!     fn next_wakeup(&mut self, _: Now) -> Option<Instant> { None }
//! }
//!
//! let mut sim = Sim::new(1);
//! sim.bus.faults.duplication = 1.0;
//! let hosts = [(); 2].map(|()| sim.launch(|_| Greeter::default()));
//! sim.run(std::time::Duration::from_secs(1));
//! assert_eq!(hosts.map(|host| sim.node(host).unwrap().heard), [4, 2]);
//! ```
//!
//! # What it does
//!
//! - **Time** jumps from one happening to the next. At equal times they come in the order in which they were caused.
//! - **The bus** ([`Bus`]) loses, doubles and delays deliveries, refuses publishes or leaves their outcome open, is cut
//!   in one direction or both, clogs, and keeps a service's limits in every sliding window.
//! - **The store** ([`Store`]) takes its time, throttles, is away, and loses calls before or after it carries them out.
//!   It never breaks the promises of the port.
//! - **Servers** pause, crash, start again on the same [host](HostId) or another one, and have clocks that are wrong and
//!   jump. What was on the way to a process that ended does not reach the next one.
//! - **Everything repeats.** The same seed with the same deeds gives the same [`Sim::trace_hash`], on every machine, in
//!   debug and in release.
//!
//! It has no threads and is not `async`; it takes what its nodes take, and 1,000 of them are no trouble.

mod agenda;
mod bus;
mod chance;
mod host;
mod node;
mod sim;
mod store;
mod trace;
mod window;

pub use bus::{Bus, BusFaults, BusStats, CutId, CutKind, OverRate, Published};
pub use chance::Delay;
pub use host::HostId;
pub use node::{Action, CallId, Event, Node, Now};
pub use sim::Sim;
pub use store::{Commit, Store, StoreFaults, StoreStats};
pub use trace::{Happening, TraceEntry};
pub use window::SlidingWindow;
