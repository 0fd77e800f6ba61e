//! Pools of entries that a fleet of servers shares: every server contributes some, all servers see the union.
//! Who plays where, which rooms are open, which workers are free.
//!
//! ```
//! # use std::sync::Arc;
//! # use futures::{StreamExt, future::BoxFuture};
//! # use transport_traits::{BusLimits, Error, Outgoing, Publisher, Subscriber, Subscription, Topic};
//! # use transport_traits::{Instant, Timer, WallTime};
//! # #[derive(Default)]
//! # struct Bus(BusLimits);
//! # impl Publisher for Bus {
//! #     fn limits(&self) -> &BusLimits { &self.0 }
//! #     fn publish(&self, _: Outgoing) -> BoxFuture<'_, Result<(), Error>> { Box::pin(async { Ok(()) }) }
//! # }
//! # impl Subscriber for Bus {
//! #     fn subscribe(&self, _: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
//! #         Box::pin(async { Ok(futures::stream::pending().boxed()) })
//! #     }
//! #     fn hears_own_echo(&self) -> bool { false }
//! # }
//! # struct Clock;
//! # impl Timer for Clock {
//! #     fn now(&self) -> Instant { Instant::ZERO }
//! #     fn wall_clock(&self) -> WallTime { WallTime::from_system_clock() }
//! #     fn sleep_until(&self, _: Instant) -> BoxFuture<'_, ()> { Box::pin(std::future::pending()) }
//! # }
//! # let (bus, timer) = (Arc::new(Bus::default()), Arc::new(Clock));
//! use server_pool::{Config, Event, Pools};
//!
//! // `bus` is a Publisher and a Subscriber, `timer` a Timer.
//! let (pools, driver) = Pools::new(bus.clone(), bus, timer, Config::new("server 7"))?;
//! let play = async move {
//!     let players = pools.open::<String>("players").await?;
//!     let mut events = players.events();
//!     players.contribute("ada", &"in the castle".to_owned())?;
//!     assert_eq!(players.get("ada").as_deref().map(String::as_str), Some("in the castle"));
//!     assert!(matches!(events.next().await, Some(Event::Added(_))));
//!     pools.close().await;
//!     Ok::<(), Box<dyn std::error::Error>>(())
//! };
//! // Spawn the driver, on any executor; here it runs beside the rest.
//! futures::executor::block_on(futures::future::join(driver, play)).1?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The contract
//!
//! | whatever happens | holds |
//! |---|---|
//! | messages are lost, repeated, delayed, reordered | when they pass again, all views become equal |
//! | a key is contributed by several servers | one owner, the same everywhere; nobody else's end touches the entry |
//! | a server crashes | its entries are gone everywhere within the timeout and two seconds, also for newcomers; a bus that hands over its last messages late, as bulk messages may where one is missing, adds as much |
//! | a server leaves | its entries are gone at once, with an event for each |
//! | a server joins | it is told each entry once, however many join; with a store, only what is new |
//! | this server is cut off | its view is stale, nobody is declared dead, and it catches up |
//! | entries change faster than the bus allows | the latest value of each, in turn; no limit is exceeded |
//! | senders lie or flood | bounded memory, counted and warned of; what lies end with is repaired or expires |
//!
//! - **Ownership.** A key has one entry, and the server that contributed it last owns it. Only the
//!   owner's withdrawal, leave or death removes it; a former owner's does not touch it. "Last" is decided
//!   by a hybrid logical clock, between equal stamps by the server's name, alike on every server.
//! - **Convergence.** Messages may be lost, repeated, delayed and overtake each other. What is missing is
//!   noticed (at the latest by the next heartbeat), asked for and sent again. When messages pass, all
//!   views become equal.
//! - **Liveness.** A server that is silent for [`Config::timeout`] is removed on every other server, each
//!   by its own clock; it is back with its next frames. While nothing at all is heard, not even this
//!   server's own echo, the view is [`Stale`](ViewState::Stale) and nobody expires. (On a bus without
//!   echo the other servers' frames are the only proof: if all others die at once there, they stay, under
//!   a stale view.)
//!   The timeout is fixed. An accrual detector (φ: Hayashibara, Défago, Yared, Katayama: The φ accrual
//!   failure detector, 2004; normal distribution, window of 100) was looked at in a small model only, outside of
//!   this crate and with none of its code: random loss on 1.9 million heartbeats of 2 s, one seed. There, at 20 %
//!   loss, 20 s of fixed timeout declared nobody dead falsely; φ with a threshold that declared nobody dead
//!   allowed 26 s on average and 49 s at most; φ = 8 had 6,819 false deaths, and 19,852 where 20 % loss came for
//!   one minute in ten. That is a hint and no proof. It was enough not to build a second mechanism, since a fixed
//!   timeout says in advance when a crashed server is gone, and φ does not.
//! - **Hearsay.** What others say of a server (a checkpoint, a list of who lives) is no sign of life: it
//!   carries the age of its news, holds for what that leaves of the timeout, and gives way to the first
//!   frame of the server itself.
//! - **Restarts.** A new life of a server replaces the old one. If its [incarnation](Config::incarnation) is
//!   lesser, it goes on above the one that the others know as soon as it hears of that, within bounds.
//! - **Joining.** Whoever lives sends what it has, packed. With a store ([`Pools::with_store`]) a joiner
//!   reads a checkpoint, and asks for what changed since.
//! - **Clocks.** Wall clocks may disagree. A server whose clock is ahead wins races against others that
//!   do not know of its entry yet; whoever knows it overrides it. A clock more than 60 s ahead does not
//!   move the others'. (Stamps end at 2⁵³ − 1, in 285,000 years: who claims a key with that one, as only a hostile
//!   sender does, keeps it against servers of lesser names while it lives.)
//! - **Sending.** Changes are gathered for [`Config::coalesce`] and packed into frames up to the
//!   publisher's limit. A key that changes faster than the budget allows is sent with its latest value,
//!   in its turn. The budget is this server's share of the publisher's limits, for all pools together.
//! - **Reading.** Views are maps in memory behind a lock that a writer holds while it puts one entry in;
//!   decoding, the protocol and the bus happen outside of it. A look-up waits for that at most, and
//!   however many come, they do not keep the writer waiting. A snapshot may wait for one that began before. Own
//!   contributions show at once.
//! - **Memory** is bounded whatever comes from the bus, by [`Config::max_origins`],
//!   [`Config::max_origin_entries`], [`Config::max_pool_bytes`] and [`Config::event_capacity`]; what the bounds
//!   count and what they do not stands there. What does
//!   not fit is left out, counted in [`Stats::refused`] and warned of.
//! - **Trust.** Whoever may publish on the topic of a pool may speak for any server.
//!
//! The protocol itself is the [`machine`], pure and without time or I/O of its own.

mod config;
mod driver;
mod error;
mod events;
mod handle;
mod key_hash;
mod keyed;
mod listening;
pub mod machine;
mod order;
mod places;
mod pool;
mod rows;
mod stats;
mod store;
mod table;
mod wire;

pub use config::{Config, MAX_SERVER_NAME};
pub use driver::Driver;
pub use error::{ConfigError, ContributeError, OpenError};
pub use events::{Entry, Event, Events};
pub use handle::Pools;
pub use keyed::{JsonKey, Key, KeyedPool};
pub use machine::{ENTRY_OVERHEAD, Reason, ViewState};
pub use pool::Pool;
pub use stats::Stats;
