//! The text of checkpoints: parts of logs with their ages, in shards that a store takes.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

/// The most shards of a checkpoint. What they do not hold is told over the bus.
pub(crate) const MAX_SHARDS: usize = 16;

/// The most that a shard holds, in bytes: with the default timeout 3 MiB a minute are written to it, where Roblox
/// takes 4 MB a key (data stores: error codes and limits).
pub(crate) const MAX_SHARD: usize = 512 * 1024;

/// The room for what stands around the parts.
const AROUND: usize = 64;

/// A shard as read. Borrows from its text.
#[derive(Debug, Deserialize)]
pub(crate) struct Shard<'a> {
    /// When it was written, in milliseconds since 1970 by the writer's clock.
    at: u64,
    /// How many there are.
    shards: usize,
    /// Parts of logs as frames, and for how many milliseconds their servers had been silent then.
    #[serde(borrow)]
    pub(crate) parts: Vec<(u64, &'a RawValue)>,
}

impl<'a> Shard<'a> {
    /// `None` if it is no shard, or larger than any.
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let fits = text.len() <= 2 * MAX_SHARD;
        fits.then(|| serde_json::from_str(text).ok()).flatten()
    }

    /// How many shards the checkpoint has of which this is the first.
    pub(crate) fn count(text: &'a str) -> usize {
        Self::read(text).map_or(1, |shard| shard.shards.clamp(1, MAX_SHARDS))
    }

    /// How long ago it was written. None of the clocks can be trusted fully: of a clock that is ahead it is new.
    pub(crate) fn age_at(&self, now: u64) -> Duration {
        Duration::from_millis(now.saturating_sub(self.at))
    }
}

/// The shards that hold these parts, each of at most `room` bytes, as far as there is room; at least one.
pub(crate) fn write(at: u64, room: usize, parts: &[(Duration, Bytes)]) -> Vec<Arc<str>> {
    let mut shards = vec![String::new()];
    for (age, frame) in parts {
        let last = shards.last().map_or(0, String::len);
        if last > 0 && last + frame.len() + AROUND > room {
            if shards.len() == MAX_SHARDS {
                tracing::warn!(parts = parts.len(), "a checkpoint has no room for all of a pool");
                break;
            }
            shards.push(String::new());
        }
        let Some(shard) = shards.last_mut().filter(|shard| shard.len() + frame.len() + AROUND <= room) else {
            continue;
        };
        let comma = if shard.is_empty() { "" } else { "," };
        let frame = std::str::from_utf8(frame).expect("frames are text");
        write!(shard, "{comma}[{},{frame}]", age.as_millis()).expect("a string takes any text");
    }
    let count = shards.len();
    shards
        .into_iter()
        .map(|parts| format!(r#"{{"at":{at},"shards":{count},"parts":[{parts}]}}"#).into())
        .collect()
}
