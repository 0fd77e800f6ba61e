//! What a server allows, by the `max_payload` that it tells at connect.

use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, StoreLimits, presets};

/// The longest topic and key: a subject must fit in a control line of 4,096 bytes when each of its bytes is escaped.
/// Source of that figure: NATS documentation, "server configuration", `max_control_line`.
const NAME: usize = 1_024;
const STORE_NAME: usize = 255;

/// Left free in a message with the largest value and metadata: for the version, user tags and the framing of headers.
const REST: usize = 4 * 1024;

/// Half of what the headers of a stored message can have. Source of that figure, 65,535 bytes: `processJetStreamMsg` in
/// `stream.go` of the server.
const METADATA: usize = 32 * 1024;

pub(crate) fn bus(max_payload: usize) -> BusLimits {
    let mut limits = presets::NATS_CORE;
    limits.body = Some(SizeLimit::bytes(max_payload));
    limits.topic = Some(SizeLimit::bytes(NAME));
    limits
}

pub(crate) fn store(max_payload: usize) -> StoreLimits {
    let metadata = METADATA.min(max_payload / 16);
    let value = max_payload.saturating_sub(metadata + REST);
    let mut limits = StoreLimits::default();
    limits.value = Some(SizeLimit::bytes(value));
    limits.metadata = Some(SizeLimit::bytes(metadata));
    limits.key = Some(SizeLimit::bytes(NAME));
    limits.store_name = Some(SizeLimit::bytes(STORE_NAME));
    limits
}
