//! Many small messages in few requests, over a bus that limits the number and size of requests.
//!
//! [`BulkMessaging`] takes a [`Publisher`](transport_traits::Publisher) and a
//! [`Subscriber`](transport_traits::Subscriber) and is both itself, for **inner topics** that share one real topic.
//! Messages wait in queues per inner topic until a **frame** leaves; frames are filled when they are sent, as full as
//! the bus allows, and no more often than the bus allows.
//!
//! ```
//! # use std::sync::Arc;
//! # use bulk_messaging::{BulkMessaging, Config};
//! # use futures::{FutureExt, StreamExt, future::BoxFuture};
//! # use transport_traits::*;
//! # struct MyBus(BusLimits);
//! # impl Publisher for MyBus {
//! #     fn limits(&self) -> &BusLimits { &self.0 }
//! #     fn publish(&self, _: Outgoing) -> BoxFuture<'_, Result<(), Error>> { async { Ok(()) }.boxed() }
//! # }
//! # impl Subscriber for MyBus {
//! #     fn subscribe(&self, _: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
//! #         async { Ok(futures::stream::pending().boxed()) }.boxed()
//! #     }
//! #     fn hears_own_echo(&self) -> bool { true }
//! # }
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bus = Arc::new(MyBus(presets::ROBLOX_MESSAGING));
//! let timer = Arc::new(TokioTimer::new());
//! let (bulk, driver) = BulkMessaging::new(bus.clone(), bus, timer, Config::new("fleet"))?;
//! tokio::spawn(driver);
//!
//! let _chat = bulk.subscribe("chat".into()).await?;
//! for player in 0..20 {
//!     bulk.send(format!("player/{player}"), r#"{"coins":5}"#).await?;
//! }
//! bulk.publish_text("chat", "hello").await?;
//! bulk.flush().await;
//! assert_eq!((bulk.stats().messages, bulk.stats().frames), (21, 1));
//! # Ok(())
//! # }
//! ```
//!
//! # The contract
//!
//! - **Order.** Messages of one inner topic from one sender arrive in the order in which they were published; between
//!   inner topics there is no order. A message with a conflation key replaces the unsent one of the same topic and key and
//!   takes its place, so keyed messages are ordered within their key only.
//! - **Size.** No frame exceeds the limit, however the bus counts. A message is checked and measured once, when it is
//!   published; one that cannot fit is refused with `TooLarge`. A message is one JSON value in
//!   the format `Nexus`, and any bytes in `Compact`.
//! - **Rate.** No window has more publishes than the [`Budget`], repetitions and heads included. While half of the bucket
//!   is there a frame leaves at once; below that messages wait for company, at most [`Config::linger`]. Urgent messages,
//!   full frames and flushes do not wait.
//! - **Lanes.** With [`Config::lanes`] inner topics are spread over several real topics, for buses that limit each one. An
//!   inner topic keeps its lane, and so its order; each lane has its own sequence and its own budget beside the common one.
//! - **Long messages** are refused, or with [`Config::fragmentation`] split and put together again: a subscription gets them
//!   whole or, if a fragment is lost or does not come in time, a gap.
//! - **Priorities.** Urgent before normal before background; every fourth frame of a lane, and every fourth publish among
//!   lanes, goes by age alone, so that nothing starves.
//! - **Nothing is dropped silently.** `publish` is ready when the message is in the bounded queue. A failed publish is
//!   repeated with the same bytes and sequence, after an unknown outcome too. What the bus refuses for good is counted,
//!   logged and told to whoever used [`publish_confirmed`](BulkMessaging::publish_confirmed).
//!   [`drain`](BulkMessaging::drain) gives back what could not be sent. A message that was only accepted dies with its
//!   process.
//! - **Loss is told.** A subscription yields [`Delivery::Gap`](transport_traits::Delivery::Gap) where messages may be
//!   missing. A lost frame may have held any inner topic, so *every* inner subscription is told; gaps in a row are one.
//!   The loss of a sender's last frames shows when it repeats its head: after 1, 2, 4 … 30 s, and every 30 s; where its
//!   last four frames came evenly and at most 4 s apart, as heartbeats do, first after half as long again as between
//!   those. A sender that ends before that leaves the loss of its very last frames unnoticed.
//! - **Nothing comes twice**, unless a receiver has had to forget a sender ([`Config::max_senders`]), or the sender's
//!   frames have no header.
//! - **Waiting for what is missing.** Frames behind a hole are held for [`Config::hole_timeout`] once the sender has
//!   told, by a later frame, that the bus has accepted or refused what is missing; while the sender may still be
//!   repeating it, for [`Config::retry_hole_timeout`]. So on a bus without loss failing publishes lose nothing, unless one goes on
//!   failing for that long while a later one gets through: then receivers are told of a gap, and drop the frame when the bus
//!   takes it at last.
//! - **Bounded memory** on both sides, against a mad sender too. A consumer that lags beyond its inbox loses what is in
//!   it and finds a gap there.
//! - **Unreadable frames** are dropped and counted. Senders are not authenticated.
//! - **The log** has a warning of the 1st, 2nd, 4th, 8th … unreadable frame, failed publish and refused frame, with its number,
//!   so that no flood of them floods it; [`Stats`] goes on counting.
//! - **Beside the original.** [`Config::nexus`] is for a fleet in which servers of Nexus Data Store run too: they read our
//!   frames, and take our header for one more inner topic; we read theirs, which have none, so of theirs loss is not told and
//!   doubles are not dropped. [`Config::strict_nexus`] also sends as they do, frame for frame and second for second, with what
//!   that costs: no header from us either, and a failed publish is not repeated.
//! - Nothing runs unless the [`Driver`] is spawned. It needs no particular runtime.
//!
//! # Formats
//!
//! [`Config::format`] says how frames are written; every receiver reads every format. [`Format::Nexus`] is JSON and read by
//! servers of the original too. [`Format::Compact`] is for fleets that are all ours: see [`wire::compact`] for its bytes. Its
//! binary form is the fastest, and its text form puts the most messages into a request. That takes time, both to write and to
//! read, and the more the less repeats, as in messages full of random ids: `docs/benchmarks.md` of the repository has how many
//! messages and how much time.
//!
//! # The format `Nexus`, version 1
//!
//! A frame is a JSON object, UTF-8. Each member is an inner topic and an array of its messages, in their order; a
//! message is any JSON value, delivered as it stands there. A topic may come more than once. The member `~` is the header:
//! an array of one string without escapes. Servers that know nothing of it see one more inner topic to which nobody
//! subscribes, and a frame without it is delivered as it comes. A frame with two such members, or with one that is anything
//! else, is unreadable.
//!
//! ```json
//! {"~":["1k3Jx_9aQ...1"],"chat":["hi","all"],"coins":[{"ada":5}]}
//! ```
//!
//! | part of the header | here | what it is |
//! |---|---|---|
//! | version | `1` | one character |
//! | sender | `k3Jx_9aQ` | 1 to 32 of `A–Z a–z 0–9 _ -` |
//! | `.` incarnation | `.` | which life of the sender: below 2⁵³ |
//! | `.` lane | `.` | which of several real topics: below 2¹⁶ |
//! | `.` sequence | `.1` | of this sender, incarnation and lane: 1, 2, 3 … below 2⁵³ |
//! | `.` pending | | left out if 0, and below the sequence: that less the smallest sequence whose publish was not over when this frame was sealed |
//! | `+` | | only on a head |
//!
//! Numbers are in base 36, digits `0–9 a–z`, without leading zeros; zero is written as nothing. A **head** ends with `+`, has
//! no pending and no other members; its sequence is that of the last frame before it, and it is no frame of the
//! sequence itself. `1k3Jx_9aQ.2.1.zz.3` is frame 1,295 of lane 1 in incarnation 2, sealed while the publish of 1,292 was
//! under way: everything up to 1,291 had been accepted or given up. A header of another version makes the whole frame
//! unreadable.
//!
//! # Fragments
//!
//! In a frame with a header a message that begins with `{"~":"` or `~/` is a fragment of a longer one. The parts of a message
//! are messages of its inner topic that follow each other in the sequence of its lane, with other topics' in between:
//!
//! | format | fragment 2 of 5 |
//! |---|---|
//! | `Nexus` | `{"~":"2/5:…"}`, where `…` is the part, whole characters of the message's JSON text, as the rest of a JSON string |
//! | `Compact` | `~/2/5:…`, where `…` are the part's bytes |
//!
//! Numbers are decimal, from 1 to 2³² − 1, without sign. The message is its parts in a row. A first fragment begins anew; one
//! that does not follow its predecessor ends the message, and the rest is passed over. A user's message that begins like a
//! fragment travels as fragment 1 of 1, and so it has a little less room than others. `{"~":"1/2:[\"a"}` and
//! `{"~":"2/2:b\"]"}` make `["ab"]`.

mod config;
mod driver;
mod entrance;
mod error;
mod handle;
mod inbox;
mod link;
mod links;
pub mod machine;
mod shared;
mod stats;
mod tally;
pub mod wire;

pub use config::{Budget, Config, Format, Fragmentation, OnFull, Profile};
pub use driver::Driver;
pub use error::{ConfigError, Refusal};
pub use handle::BulkMessaging;
pub use stats::Stats;
pub use wire::WireError;
