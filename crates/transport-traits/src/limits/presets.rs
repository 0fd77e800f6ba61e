//! The limits of real services, each with its source.
//!
//! Figures are those of the services' public documents in 2026. Where a document leaves something open,
//! the preset takes the reading that is safe and its doc says so; set the field to take the other.

use super::{BusLimits, Content, FleetRate, ReceiveCounting, SizeLimit, StoreLimits, Throughput};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

const UNLIMITED_BUS: BusLimits = BusLimits {
    body: None,
    content: Content::Binary,
    topic: None,
    send: None,
    receive_topic: None,
    receive_total: None,
    receive_counting: ReceiveCounting::PerPublish,
    subscriptions: None,
    subscribes: None,
};

const UNLIMITED_STORE: StoreLimits = StoreLimits {
    value: None,
    metadata: None,
    key: None,
    store_name: None,
    reads: None,
    writes: None,
    removes: None,
    lists: None,
    requests: None,
    key_reads: None,
    key_writes: None,
};

/// Roblox `MessagingService`, from within a game server. Source: its API reference, "limits".
///
/// The reference gives 1,024 characters without saying how escapes count, so this preset counts the
/// JSON-encoded form. It does not say whether the receive limits count publishes or deliveries either:
/// this preset takes publishes.
pub const ROBLOX_MESSAGING: BusLimits = BusLimits {
    body: Some(SizeLimit::json_encoded(1_024)),
    content: Content::Text,
    topic: Some(SizeLimit::chars(80)),
    send: Some(FleetRate::per_minute(600).plus_per_player(240)),
    receive_topic: Some(FleetRate::per_minute(40).plus_per_server(80)),
    receive_total: Some(FleetRate::per_minute(400).plus_per_server(200)),
    receive_counting: ReceiveCounting::PerPublish,
    subscriptions: Some(FleetRate::per_minute(20).plus_per_player(8)),
    subscribes: Some(FleetRate::per_minute(240)),
};

/// Roblox Open Cloud's `publishMessage`, from outside. Source: its reference and the messaging guide.
/// The receivers' limits are those of [`ROBLOX_MESSAGING`]; `send` is a limit of the key's owner, not of a
/// server.
pub const OPEN_CLOUD_MESSAGING: BusLimits = BusLimits {
    send: Some(FleetRate::per_minute(5_000)),
    subscriptions: None,
    subscribes: None,
    ..ROBLOX_MESSAGING
};

/// Redis pub/sub. Source: Redis documentation, "client-output-buffer-limit": no rates; a subscriber that
/// lags by 32 MB, or by 8 MB for 60 s, is cut.
pub const REDIS_PUB_SUB: BusLimits =
    BusLimits { body: Some(SizeLimit::bytes(512 * 1024 * 1024)), ..UNLIMITED_BUS };

/// Core NATS with its default `max_payload` of 1 MiB; the server tells the real one at connect. Subjects
/// travel in a control line of at most 4,096 bytes. Source: NATS documentation, "server configuration".
pub const NATS_CORE: BusLimits = BusLimits {
    body: Some(SizeLimit::bytes(1024 * 1024)),
    topic: Some(SizeLimit::bytes(4_000)),
    ..UNLIMITED_BUS
};

/// Postgres `NOTIFY`: under 8,000 bytes of text; channels are identifiers. Source: PostgreSQL
/// documentation, `NOTIFY`, and "identifiers and key words".
pub const POSTGRES_NOTIFY: BusLimits = BusLimits {
    body: Some(SizeLimit::bytes(7_999)),
    content: Content::Text,
    topic: Some(SizeLimit::bytes(63)),
    ..UNLIMITED_BUS
};

/// AWS IoT Core over MQTT, a connection. Source: AWS IoT Core endpoints and quotas.
pub const AWS_IOT_CORE: BusLimits = BusLimits {
    body: Some(SizeLimit::bytes(128 * 1024)),
    topic: Some(SizeLimit::bytes(256)),
    send: Some(FleetRate::per_second(100)),
    ..UNLIMITED_BUS
};

/// AWS SNS and SQS, a message; batches of ten share the size. Source: AWS quotas.
pub const AWS_SNS: BusLimits =
    BusLimits { body: Some(SizeLimit::bytes(256 * 1024)), content: Content::Text, ..UNLIMITED_BUS };

/// Ably, a connection and channel. Source: Ably documentation, "limits".
pub const ABLY: BusLimits = BusLimits {
    body: Some(SizeLimit::bytes(64 * 1024)),
    send: Some(FleetRate::per_second(50)),
    ..UNLIMITED_BUS
};

/// Pusher Channels, an event; a request may carry ten. Source: Pusher Channels documentation.
pub const PUSHER_CHANNELS: BusLimits = BusLimits {
    body: Some(SizeLimit::bytes(10 * 1024)),
    content: Content::Text,
    topic: Some(SizeLimit::chars(164)),
    ..UNLIMITED_BUS
};

/// Google Cloud Pub/Sub, a request of up to 1,000 messages. Source: Google Cloud, "quotas and limits".
pub const GOOGLE_PUB_SUB: BusLimits = BusLimits { body: Some(SizeLimit::bytes(10_000_000)), ..UNLIMITED_BUS };

/// A UDP datagram that any path of today's internet carries whole. Source: RFC 9000 §14.
pub const UDP_SAFE: BusLimits = BusLimits { body: Some(SizeLimit::bytes(1_200)), ..UNLIMITED_BUS };

/// A UDP datagram that every IPv4 host must accept: 576 bytes less the largest IP header and UDP's.
/// Source: RFC 791 §3.2.
pub const UDP_FLOOR: BusLimits = BusLimits { body: Some(SizeLimit::bytes(508)), ..UNLIMITED_BUS };

/// Roblox data stores, from within a game server. Source: "Data store error codes and limits".
pub const ROBLOX_DATA_STORE: StoreLimits = StoreLimits {
    value: Some(SizeLimit::chars(4_194_304)),
    metadata: Some(SizeLimit::chars(300)),
    key: Some(SizeLimit::chars(50)),
    store_name: Some(SizeLimit::chars(50)),
    reads: Some(FleetRate::per_minute(60).plus_per_player(40)),
    writes: Some(FleetRate::per_minute(60).plus_per_player(40)),
    removes: Some(FleetRate::per_minute(60).plus_per_player(40)),
    lists: Some(FleetRate::per_minute(5).plus_per_player(2)),
    requests: None,
    key_reads: Some(Throughput { bytes: 25_000_000, granularity: 1_024, window: MINUTE }),
    key_writes: Some(Throughput { bytes: 4_000_000, granularity: 1_024, window: MINUTE }),
};

/// Roblox Open Cloud's data stores, from outside, a universe. Source: the Open Cloud throttling guide.
/// A key has 4 MB/min of writes and 25 MB/min of reads as from within, the universe 10 and 20 MB/min together: of each, the
/// smaller one stands here for each key.
pub const OPEN_CLOUD_DATA_STORE: StoreLimits = StoreLimits {
    reads: None,
    writes: None,
    removes: None,
    lists: None,
    requests: Some(FleetRate::per_minute(300)),
    key_reads: Some(Throughput { bytes: 20_000_000, granularity: 1_024, window: MINUTE }),
    key_writes: Some(Throughput { bytes: 4_000_000, granularity: 1_024, window: MINUTE }),
    ..ROBLOX_DATA_STORE
};

/// A store without limits worth the name, as most databases of one's own are.
pub const OWN_DATABASE: StoreLimits = UNLIMITED_STORE;
