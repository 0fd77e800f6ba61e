//! States of a record as the bucket holds them.

use std::sync::Arc;

use async_nats::HeaderMap;
use async_nats::header::NATS_EXPECTED_LAST_SUBJECT_SEQUENCE;
use async_nats::jetstream::message::StreamMessage;
use transport_traits::{Error, Record, Stored, Version, VersionInfo, WallTime};

use crate::fault::malformed;

/// Names a state, so that a sequence which is given out again is not taken for the same one: by a server that lost its
/// last writes, by one that was restored, by a bucket that was made anew.
const NAME: &str = "Nexus-Version";
/// The metadata between quotes: without them a client would trim it.
const METADATA: &str = "Nexus-Metadata";
/// The users as a JSON array.
const USERS: &str = "Nexus-Users";
/// What kind of deletion this is, if it is one. Source: NATS ADR-8.
const OPERATION: &str = "KV-Operation";
/// There if the server made a deletion by itself. Source: NATS ADR-43.
const REASON: &str = "Nats-Marker-Reason";

/// One state, present or past.
pub(crate) struct State(StreamMessage);

impl State {
    pub(crate) fn new(message: StreamMessage) -> Self {
        Self(message)
    }

    pub(crate) fn sequence(&self) -> u64 {
        self.0.sequence
    }

    pub(crate) fn subject(&self) -> &str {
        &self.0.subject
    }

    pub(crate) fn is(&self, version: &Version) -> bool {
        self.version() == *version
    }

    pub(crate) fn is_deletion(&self) -> bool {
        is_deletion(&self.0.headers)
    }

    fn version(&self) -> Version {
        match self.0.headers.get(NAME) {
            Some(name) => version(self.0.sequence, name.as_str()),
            // Somebody else wrote it.
            None => version(self.0.sequence, &format!("t{}", self.0.time.unix_timestamp_nanos())),
        }
    }

    pub(crate) fn info(&self) -> VersionInfo {
        VersionInfo { version: self.version(), modified: self.modified(), deleted: self.is_deletion() }
    }

    /// The record, unless this state is a deletion.
    pub(crate) fn stored(self) -> Result<Option<Stored>, Error> {
        if self.is_deletion() {
            return Ok(None);
        }
        let value = std::str::from_utf8(&self.0.payload)
            .map_err(|error| malformed("a value that is no text").with_source(error))?;
        let record = Record::new(value).with_metadata(self.metadata()?).with_users(self.users()?);
        Ok(Some(Stored { record, version: self.version(), modified: self.modified() }))
    }

    fn metadata(&self) -> Result<&str, Error> {
        let Some(quoted) = self.0.headers.get(METADATA) else { return Ok("") };
        let inner = quoted.as_str().strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        inner.ok_or_else(|| malformed("metadata without quotes"))
    }

    fn users(&self) -> Result<Vec<Arc<str>>, Error> {
        let Some(list) = self.0.headers.get(USERS) else { return Ok(Vec::new()) };
        serde_json::from_str(list.as_str()).map_err(|error| malformed("user tags").with_source(error))
    }

    fn modified(&self) -> WallTime {
        let micros = self.0.time.unix_timestamp_nanos() / 1_000;
        WallTime::from_micros(micros.try_into().unwrap_or_default())
    }
}

/// Whether a message with these headers says that there is no record.
pub(crate) fn is_deletion(headers: &HeaderMap) -> bool {
    let operation = headers.get(OPERATION).map(|operation| operation.as_str());
    matches!(operation, Some("DEL" | "PURGE")) || headers.get(REASON).is_some()
}

/// The version of the state of this sequence and name.
pub(crate) fn version(sequence: u64, name: &str) -> Version {
    Version::new(format!("{sequence}-{name}"))
}

/// The sequence in a version, if it can be one of ours.
pub(crate) fn sequence_in(version: &Version) -> Option<u64> {
    let sequence = version.as_str().split_once('-')?.0.parse().ok()?;
    (sequence > 0).then_some(sequence)
}

/// The headers of a message that becomes the state of this name: of a record, or of a deletion if there is none. With
/// `expected` it is taken only if the last message of its subject has that sequence; 0 says that there is none.
pub(crate) fn headers(record: Option<&Record>, name: &str, expected: Option<u64>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(NAME, name);
    if let Some(sequence) = expected {
        headers.insert(NATS_EXPECTED_LAST_SUBJECT_SEQUENCE, sequence.to_string().as_str());
    }
    let Some(record) = record else {
        headers.insert(OPERATION, "DEL");
        return headers;
    };
    if !record.metadata.is_empty() {
        headers.insert(METADATA, format!("\"{}\"", record.metadata).as_str());
    }
    if !record.users.is_empty() {
        let users: Vec<&str> = record.users.iter().map(|user| &**user).collect();
        let users = serde_json::to_string(&users).expect("a list of strings is JSON");
        headers.insert(USERS, users.as_str());
    }
    headers
}
