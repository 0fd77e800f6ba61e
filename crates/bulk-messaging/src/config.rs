//! Every knob, with its unit and default.

use std::sync::Arc;
use std::time::Duration;

use transport_traits::Topic;
use transport_traits::limits::SizeLimit;

/// What `publish` does when the queue is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnFull {
    /// It waits for room; publishers get it in the order in which they came.
    #[default]
    Wait,
    /// It fails at once with [`ErrorKind::Unavailable`](transport_traits::ErrorKind::Unavailable).
    Fail,
}

/// How many publishes this server may make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Budget {
    /// This server's shares of the publisher's limits: `receive_topic` in each lane, `receive_total` and `send`
    /// in all lanes together. Where those limits name none there is no budget.
    ///
    /// The publisher's `send` counts without players, which it grows with. Where receives are counted per delivery no share can be told without
    /// knowing the fleet, and [`ConfigError::NoShare`](crate::ConfigError::NoShare) asks for a number.
    #[default]
    FromLimits,
    /// At most so many publishes of all lanes in any window of this length, retries and repeated heads included. An eighth
    /// of them may be made at once, the rest flows evenly.
    AtMost {
        /// Publishes, at least 2.
        publishes: u32,
        /// The length of the window, above zero.
        window: Duration,
    },
    /// As many as there are.
    Unlimited,
}

/// How frames are written. Every receiver reads every format.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// JSON, which servers of the original read too. A message is one JSON value.
    #[default]
    Nexus,
    /// [`Compact`](crate::wire::compact), for fleets that are all ours: binary where the bus takes any bytes, otherwise
    /// its text form. A message is any bytes.
    Compact,
    /// The text form of `Compact`, on any bus. It is the denser one, and takes longer.
    CompactText,
}

/// How messages that are longer than a frame travel: in fragments, put together again by the receiver.
///
/// All servers of a fleet need it, or the longer messages are gaps to the others, and the same `max_message_bytes`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fragmentation {
    /// The longest message, bytes. The queue must be able to hold it four times. Default 64 KiB.
    pub max_message_bytes: usize,
    /// Messages of one sender's lane that a receiver holds while they are not complete; one an inner topic at most.
    /// Default 16.
    pub max_partial_messages: usize,
    /// The same of all senders together, bytes. Default 4 MiB.
    pub max_partial_bytes: usize,
    /// How long a receiver waits for the next fragment. It should be longer than
    /// [`retry_hole_timeout`](Config::retry_hole_timeout). Default 60 s.
    pub timeout: Duration,
}

impl Fragmentation {
    /// The defaults, for messages of so many bytes at most.
    #[must_use]
    pub const fn new(max_message_bytes: usize) -> Self {
        let timeout = Duration::from_secs(60);
        Self { max_message_bytes, max_partial_messages: 16, max_partial_bytes: 4 << 20, timeout }
    }
}

impl Default for Fragmentation {
    fn default() -> Self {
        Self::new(64 << 10)
    }
}

/// Whose way of sending a server follows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Profile {
    /// Ours.
    #[default]
    Default,
    /// That of the original, Nexus Data Store, frame for frame. See [`Config::strict_nexus`].
    StrictNexus,
}

/// The configuration of one [`BulkMessaging`](crate::BulkMessaging).
///
/// All servers of a fleet need the same `topic` and `lanes`; everything else may differ between them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// Whose way of sending this server follows. Receiving is the same in all.
    pub profile: Profile,
    /// How frames are written. Default: `Nexus`.
    pub format: Format,
    /// The real topic that carries the frames.
    pub topic: Topic,
    /// Over how many real topics inner topics are spread, for buses that limit each topic more than all together, 1
    /// to 64: `topic`, and beside it `topic-1`, `topic-2` and so on. An inner topic has one lane, told by the hash of its
    /// name. Servers receive from all lanes, and each lane has its own sequence. Default 1.
    pub lanes: u16,
    /// The sender's name in the headers: 1 to 32 characters of `A–Z a–z 0–9 _ -`, different on every server.
    /// Default: 48 random bits as 8 characters.
    pub sender: Option<Arc<str>>,
    /// Which life of the sender this is, below 2⁵³. A name that outlives the process needs another one in each life: with the
    /// same one receivers take what it sends for repetitions of what its earlier life sent, and drop it. Default (`None`): where
    /// the sender has a name, the wall clock's milliseconds when bulk messaging is made; otherwise 0, as the name is new. A
    /// [`Machine`](crate::machine::Machine) alone has no clock, and takes 0 for either.
    pub incarnation: Option<u64>,
    /// The longest time that a message waits for company once the budget runs low. While half of the
    /// bucket or more is there, frames leave at once. Default 1 s.
    pub linger: Duration,
    /// The largest frame and how it is counted. Default: the publisher's own limit for a body, but at most
    /// 1 MiB. Where it is counted as the publisher counts it must not be larger.
    pub max_batch_bytes: Option<SizeLimit>,
    /// The longest inner topic, in bytes of its JSON form with the quotation marks. Room for it is kept in
    /// every frame when [`limits`](transport_traits::Publisher::limits) says what surely fits. Default 128.
    pub max_topic_bytes: usize,
    /// Messages that do not fit into a frame are split, within these bounds. Keyed ones are not conflated then. Default
    /// off: they are refused.
    pub fragmentation: Option<Fragmentation>,
    /// How far the sequence may go beyond the oldest frame whose publish is under way, itself included, 1 to 64: so
    /// many publishes may be under way at a time in each lane. A publish that never ends holds up its lane once so many
    /// frames have followed it; publishers that may hang need a timeout of their own. Default 4.
    pub max_in_flight: usize,
    /// The bodies of queued messages, bytes. At least one frame. Default 4 MiB.
    pub max_queued_bytes: usize,
    /// Queued messages. Default 65,536.
    pub max_queued_messages: usize,
    /// What `publish` does when the queue is full. Default: it waits.
    pub on_full: OnFull,
    /// How many publishes this server may make. Default: what the publisher's limits give it.
    pub budget: Budget,
    /// Servers of the original, or any that do not read our header, listen too: a frame that shares an
    /// inner topic with an unacknowledged frame then waits for it. Default false: receivers of ours put
    /// frames in order.
    pub original_receivers: bool,
    /// What the jitter and a random sender's name are drawn from. Default: the system's entropy. For tests and
    /// simulations, where each server needs a seed of its own.
    pub seed: Option<u64>,
    /// How long frames behind a hole are held before the hole is reported as a gap, from when it is known that the
    /// bus had accepted or refused what is missing. Default 500 ms.
    pub hole_timeout: Duration,
    /// The same while the sender may still be repeating a failed publish of what is missing. A frame that the bus takes only
    /// later, when another one has got through meanwhile, is lost to this receiver, which is told of a gap. Default 15 s: time for
    /// about eight repetitions while the bus takes other frames, and less than half a minute of silence, so that what was held
    /// for a sender that has crashed comes before others take it for dead, and not after.
    pub retry_hole_timeout: Duration,
    /// The wait before the first repetition of a failed publish; it doubles each time, less a jitter of up to
    /// a half. Above zero. Default 250 ms.
    pub retry_backoff: Duration,
    /// The longest wait between two repetitions, unless the service asks for more, which is believed up to 60 s. Above zero.
    /// Default 8 s, so that whoever is given up after half a minute of silence gets several. After a publish that the bus has
    /// taken, others that wait for their repetition wait no longer than after four failures (2 s by default), since the bus
    /// works.
    pub max_retry_backoff: Duration,
    /// How long [`drain`](crate::BulkMessaging::drain), and the drain when the last handle drops, tries to send
    /// what is queued. Default 10 s.
    pub drain_timeout: Duration,
    /// Senders whose sequences a receiver follows, each with as many [`lanes`](Self::lanes) as are configured here; beyond that
    /// many lanes of all senders, the one not heard for longest is forgotten. Default 1,024.
    pub max_senders: usize,
    /// Frames held behind holes, of one sender's lane. Default 64.
    pub max_held_frames: usize,
    /// Frames held behind holes, of all senders together, bytes. Default 4 MiB.
    pub max_held_bytes: usize,
    /// Messages that a subscription holds for a consumer that lags: more than the largest frame has of those that it
    /// reads, or it finds gaps in the largest frames. Default 65,536.
    pub max_inbox_messages: usize,
    /// The same in bytes. Default 4 MiB. What a subscription has just taken out to yield it counts no more, up to 64 messages at
    /// a time: so it holds at most twice this, and 64 messages more than the other limit says.
    pub max_inbox_bytes: usize,
}

impl Config {
    /// The defaults, on this real topic.
    pub fn new(topic: impl Into<Topic>) -> Self {
        Self {
            profile: Profile::default(),
            format: Format::default(),
            topic: topic.into(),
            lanes: 1,
            sender: None,
            incarnation: None,
            linger: Duration::from_secs(1),
            max_batch_bytes: None,
            max_topic_bytes: 128,
            fragmentation: None,
            max_in_flight: 4,
            max_queued_bytes: 4 << 20,
            max_queued_messages: 65_536,
            on_full: OnFull::default(),
            budget: Budget::default(),
            original_receivers: false,
            seed: None,
            hole_timeout: Duration::from_millis(500),
            retry_hole_timeout: Duration::from_secs(15),
            retry_backoff: Duration::from_millis(250),
            max_retry_backoff: Duration::from_secs(8),
            drain_timeout: Duration::from_secs(10),
            max_senders: 1_024,
            max_held_frames: 64,
            max_held_bytes: 4 << 20,
            max_inbox_messages: 65_536,
            max_inbox_bytes: 4 << 20,
        }
    }

    /// The defaults for a fleet in which servers of the original, Nexus Data Store, run too: on its topic, in its format, and one
    /// frame of an inner topic at a time ([`original_receivers`](Self::original_receivers)), since originals do not put frames in
    /// order. They read neither another [`format`](Self::format) nor [`lanes`](Self::lanes) nor
    /// [fragments](Self::fragmentation).
    #[must_use]
    pub fn nexus() -> Self {
        Self { original_receivers: true, ..Self::new("NexusBulkMessagingService") }
    }

    /// The strict profile on this real topic: frames as Nexus Data Store makes them, one for one.
    ///
    /// A message that would bring the frame over 800 bytes, JSON-encoded once more, sends it off first
    /// ([`max_batch_bytes`](Self::max_batch_bytes)); a message that is longer by itself goes out alone, up to the
    /// publisher's own limit. Otherwise a frame leaves every second, counted from when bulk messaging was made, and with
    /// a flush. There is no header, and so no order, no gap and no double to tell by it; no budget
    /// unless one is set; priorities and conflation keys are ignored. A failed publish is never repeated, as a frame
    /// without a header could arrive twice: its messages are counted as refused.
    pub fn strict_nexus(topic: impl Into<Topic>) -> Self {
        Self {
            profile: Profile::StrictNexus,
            max_batch_bytes: Some(SizeLimit::json_encoded(800)),
            max_in_flight: 64,
            budget: Budget::Unlimited,
            ..Self::new(topic)
        }
    }
}
