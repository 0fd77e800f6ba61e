//! Reading players back: from a data file through a fresh connection and SQL alone, from elsewhere through a fresh one of
//! its adapter.

use std::collections::BTreeMap;
use std::path::Path;

use futures::TryStreamExt;
use rusqlite::{Connection, OpenFlags};
use serde_json::{Map, Value};
use transport_traits::{DataStore, Error, RecordKey};

use crate::failure::Failure;

/// A player's record as the file holds it.
#[derive(Clone, Debug, Default)]
pub(super) struct SavedPlayer(Map<String, Value>);

impl SavedPlayer {
    pub(super) fn new(fields: Map<String, Value>) -> Self {
        Self(fields)
    }

    /// A whole number among its fields.
    pub(super) fn number(&self, field: &str) -> Option<i64> {
        self.0.get(field)?.as_i64()
    }

    pub(super) fn coins(&self) -> i64 {
        self.number("coins").unwrap_or(0)
    }
}

/// The key of a player's record.
pub(super) fn key_of(player: u32) -> String {
    format!("PlayerList${player}")
}

/// All players of `store` in the data file.
pub(super) fn read(data: &Path, store: &str) -> Result<BTreeMap<u32, SavedPlayer>, Failure> {
    let failed = |error: rusqlite::Error| Failure::because(format!("cannot read {}", data.display()), &error);
    let connection = Connection::open_with_flags(data, OpenFlags::SQLITE_OPEN_READ_ONLY).map_err(failed)?;
    let mut query = connection.prepare("SELECT key, json FROM saves WHERE store = ?1").map_err(failed)?;
    let rows = query
        .query_map([store], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .map_err(failed)?;
    let mut players = BTreeMap::new();
    for row in rows {
        let (key, text) = row.map_err(failed)?;
        let (player, fields) = parse(&key, &text)
            .ok_or_else(|| Failure::new(format!("{}: record {key} is no player's", data.display())))?;
        players.insert(player, SavedPlayer::new(fields));
    }
    Ok(players)
}

/// All players of `name` in a data store.
pub(super) async fn fetch(store: &dyn DataStore, name: &str) -> Result<BTreeMap<u32, SavedPlayer>, Failure> {
    let failed = |error: Error| Failure::because("cannot read the store", &error);
    let keys: Vec<_> = store.list(name.into(), "".into()).try_collect().await.map_err(failed)?;
    let mut players = BTreeMap::new();
    for key in keys {
        let Some(stored) = store.get(RecordKey::new(name, key.clone())).await.map_err(failed)? else {
            continue;
        };
        let (player, fields) = parse(&key, &stored.record.value)
            .ok_or_else(|| Failure::new(format!("the store's record {key} is no player's")))?;
        players.insert(player, SavedPlayer::new(fields));
    }
    Ok(players)
}

fn parse(key: &str, text: &str) -> Option<(u32, Map<String, Value>)> {
    let player = key.strip_prefix("PlayerList$")?.parse().ok()?;
    match serde_json::from_str(text).ok()? {
        Value::Object(fields) => Some((player, fields)),
        _ => None,
    }
}
