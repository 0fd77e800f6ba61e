//! What services allow, as data: sizes and how they are counted, rates and what they depend on.

mod bucket;
pub mod presets;
mod rate;
mod size;

pub use bucket::TokenBucket;
pub use rate::{FleetRate, Load, Throughput};
pub use size::{Counting, SizeLimit, json_encoded_len};

/// What bodies a bus carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Content {
    /// Any bytes.
    #[default]
    Binary,
    /// UTF-8 text only.
    Text,
}

/// What a receive limit counts, where the service's documents leave it open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReceiveCounting {
    /// One for each publish, however many servers receive it.
    #[default]
    PerPublish,
    /// One for each server that receives it.
    PerDelivery,
}

/// What a bus allows. `None` means that there is no limit worth the name.
///
/// Start from [`BusLimits::default`], which limits nothing, or from a [preset](presets), and set fields.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct BusLimits {
    /// The size of one published body.
    pub body: Option<SizeLimit>,
    /// Text or any bytes.
    pub content: Content,
    /// The length of a topic's name.
    pub topic: Option<SizeLimit>,
    /// Publishes of one server.
    pub send: Option<FleetRate>,
    /// Messages of one topic that a fleet may receive.
    pub receive_topic: Option<FleetRate>,
    /// Messages of all topics together that a fleet may receive.
    pub receive_total: Option<FleetRate>,
    /// What the two receive limits count.
    pub receive_counting: ReceiveCounting,
    /// Topics that one server may be subscribed to at a time (a count: the window is unused).
    pub subscriptions: Option<FleetRate>,
    /// Subscribe requests of one server.
    pub subscribes: Option<FleetRate>,
}

/// What a data store allows. `None` means that there is no limit worth the name.
///
/// Start from [`StoreLimits::default`], which limits nothing, or from a [preset](presets), and set fields.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct StoreLimits {
    /// The size of a value's text.
    pub value: Option<SizeLimit>,
    /// The length of a record's metadata.
    pub metadata: Option<SizeLimit>,
    /// The length of a key.
    pub key: Option<SizeLimit>,
    /// The length of a store's name.
    pub store_name: Option<SizeLimit>,
    /// Reads of one server.
    pub reads: Option<FleetRate>,
    /// Writes of one server.
    pub writes: Option<FleetRate>,
    /// Deletions of one server.
    pub removes: Option<FleetRate>,
    /// List requests of one server.
    pub lists: Option<FleetRate>,
    /// Requests of every kind by the whole application together.
    pub requests: Option<FleetRate>,
    /// Bytes read from one key.
    pub key_reads: Option<Throughput>,
    /// Bytes written to one key.
    pub key_writes: Option<Throughput>,
}
