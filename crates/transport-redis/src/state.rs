//! States of a record as the server holds them.

use std::sync::Arc;

use serde::Deserialize;
use transport_traits::{Error, ErrorKind, Record, Stored, Version, VersionInfo, WallTime};

/// The fields of a record's hash, in the order in which they are asked for.
pub(crate) const FIELDS: [&str; 5] = ["version", "modified", "value", "metadata", "users"];

/// One state, present or past.
#[derive(Deserialize)]
pub(crate) struct State {
    version: String,
    modified: String,
    /// None after a deletion.
    record: Option<Parts>,
}

#[derive(Deserialize)]
struct Parts {
    value: String,
    metadata: String,
    users: String,
}

impl State {
    /// The present state, if there is a record: what [`FIELDS`] hold.
    pub(crate) fn present(fields: Vec<Option<String>>) -> Result<Option<Self>, Error> {
        if fields.iter().all(Option::is_none) {
            return Ok(None);
        }
        let fields = fields.into_iter().collect::<Option<Vec<String>>>();
        let fields = fields.and_then(|fields| <[String; 5]>::try_from(fields).ok());
        let [version, modified, value, metadata, users] =
            fields.ok_or_else(|| malformed("a hash that lacks fields of a record"))?;
        Ok(Some(Self { version, modified, record: Some(Parts { value, metadata, users }) }))
    }

    /// A past state out of the history.
    pub(crate) fn past(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| malformed("a past state").with_source(error))
    }

    pub(crate) fn is(&self, version: &Version) -> bool {
        self.version == version.as_str()
    }

    pub(crate) fn info(&self) -> Result<VersionInfo, Error> {
        let version = Version::new(self.version.as_str());
        Ok(VersionInfo { version, modified: self.modified()?, deleted: self.record.is_none() })
    }

    /// The record, unless this state is a deletion.
    pub(crate) fn stored(self) -> Result<Option<Stored>, Error> {
        let modified = self.modified()?;
        let Some(parts) = self.record else { return Ok(None) };
        let users: Vec<Arc<str>> = serde_json::from_str::<Vec<String>>(&parts.users)
            .map_err(|error| malformed("user tags").with_source(error))?
            .into_iter()
            .map(Arc::from)
            .collect();
        let record = Record::new(parts.value).with_metadata(parts.metadata).with_users(users);
        Ok(Some(Stored { record, version: Version::new(self.version), modified }))
    }

    fn modified(&self) -> Result<WallTime, Error> {
        let micros = self
            .modified
            .parse()
            .map_err(|error: std::num::ParseIntError| malformed("a time").with_source(error))?;
        Ok(WallTime::from_micros(micros))
    }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::Malformed, what)
}
