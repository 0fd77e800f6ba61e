//! A whole fleet of servers in one thread on **virtual time**, over a bus and a data store that fail on purpose: tests of
//! days of trouble that take seconds, and that run again exactly as they ran.
//!
//! A server is a [`Node`]: a pure machine that is told what happened and asked what to do. Async code is run by a node too,
//! a [`Process`].
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
//! # Async code
//!
//! What you wrote over the ports of `transport-traits`, with whatever handles stand on them, runs as it is: a [`Process`]
//! runs tasks on virtual time, and [`swarm`] runs a test of a whole fleet of them with one seed after the other. Here
//! three servers count by compare-and-swap, and every call may fail:
//!
//! ```
//! use fleet_sim::{Ports, swarm};
//! use std::time::Duration;
//! use transport_traits::{DataStore, DataStoreExt, ErrorKind, Record, RecordKey, Timer};
//!
//! /// Adds one to a counter; repeats what surely did not happen, and gives up where that is not known.
//! async fn count(ports: Ports) {
//!     let (store, timer, key) = (ports.store(), ports.timer(), RecordKey::new("s", "k"));
//!     loop {
//!         let written = match store.get(key.clone()).await {
//!             Err(_) => Err(ErrorKind::Unavailable),
//!             Ok(None) => store.create(key.clone(), Record::new(r#"{"n":1}"#)).await.map_err(|e| e.kind()),
//!             Ok(Some(old)) => {
//!                 let mut value: serde_json::Value = serde_json::from_str(&old.record.value).unwrap();
//!                 value["n"] = (value["n"].as_u64().unwrap() + 1).into();
//!                 let next = Record::new(value.to_string());
//!                 store.compare_and_swap(key.clone(), old.version, next).await.map_err(|e| e.kind())
//!             }
//!         };
//!         match written {
//!             Ok(_) | Err(ErrorKind::Unknown) => break,
//!             Err(_) => timer.sleep_until(timer.now() + Duration::from_millis(100)).await,
//!         }
//!     }
//! }
//!
//! swarm(1..20, |sim| {
//!     (sim.store.faults.conflict, sim.store.faults.unavailable) = (0.3, 0.3);
//!     (0..3).for_each(|_| drop(sim.launch_app(count)));
//!     sim.run(Duration::from_secs(60));
//!     let stored = sim.store.get(&RecordKey::new("s", "k")).unwrap();
//!     assert_eq!(&*stored.record.value, r#"{"n":3}"#);
//! });
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
//!   jump. What was on the way to a process that ended does not reach the next one. Their connections to the bus break,
//!   which subscriptions are told of by `Gap`; what the bus itself loses is lost without a word, as with real services.
//! - **Everything repeats.** The same seed with the same deeds gives the same [`Sim::trace_hash`], on every machine, in
//!   debug and in release.
//!
//! It has no threads; it takes what its nodes take, and 1,000 of them are no trouble.

mod agenda;
mod bus;
mod chance;
mod fan;
mod host;
mod node;
mod process;
mod sim;
mod store;
mod swarm;
mod trace;
mod window;

pub use bus::{Bus, BusFaults, BusStats, CutId, CutKind, OverRate, Published};
pub use chance::Delay;
pub use host::HostId;
pub use node::{Action, CallId, Event, Node, Now};
pub use process::{Ports, Process, SimBus, SimStore, SimTimer};
pub use sim::Sim;
pub use store::{Commit, Store, StoreFaults, StoreStats};
pub use swarm::swarm;
pub use trace::{Happening, TraceEntry};
pub use window::SlidingWindow;
