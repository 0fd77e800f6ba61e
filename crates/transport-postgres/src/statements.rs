//! The statements of the store. Each is a transaction of its own: precondition, history and record are one step and one
//! round trip.

use crate::schema::Tables;

/// The statements, with the names of the tables in them.
pub(crate) struct Statements {
    pub(crate) get: String,
    pub(crate) put: String,
    pub(crate) delete: String,
    pub(crate) list: String,
    pub(crate) versions: String,
    pub(crate) get_version: String,
}

/// A state, as `state.rs` reads it.
const STATE: &str =
    "version::text, (extract(epoch FROM modified) * 1000000)::bigint, value::text, metadata, users";

impl Statements {
    pub(crate) fn new(tables: &Tables) -> Self {
        let Tables { records, history } = tables;
        let of_key = "WHERE store = $1 AND key = $2";
        Self {
            get: format!("SELECT {STATE} FROM {records} {of_key}"),
            put: put(tables),
            delete: delete(tables),
            list: format!("SELECT key FROM {records} WHERE store = $1 AND key >= $2 ORDER BY key LIMIT $3"),
            versions: format!(
                "SELECT version::text, (extract(epoch FROM modified) * 1000000)::bigint, deleted FROM (
                    SELECT version, modified, false AS deleted, NULL::bigint AS id FROM {records} {of_key}
                    UNION ALL SELECT version, modified, value IS NULL, id FROM {history} {of_key}
                ) AS states ORDER BY id DESC NULLS FIRST LIMIT $3"
            ),
            get_version: format!(
                "SELECT {STATE} FROM {records} {of_key} AND version::text = $3
                UNION ALL SELECT {STATE} FROM {history} {of_key} AND version::text = $3 AND value IS NOT NULL
                LIMIT 1"
            ),
        }
    }
}

/// What both writes begin with. `$1` store, `$2` key, `$3` condition (`always`, `absent`, `is`), `$4` the version
/// demanded, `$5` past states to keep.
///
/// The lock makes `seen` the latest state there is, which the statement's snapshot need not be; every later part goes by
/// `seen`. A record that is not in the snapshot and made meanwhile is not seen.
fn seen(records: &str) -> String {
    format!(
        "WITH seen AS MATERIALIZED (
            SELECT version, modified, value, metadata, users FROM {records}
            WHERE store = $1 AND key = $2 FOR UPDATE
        ), allowed AS MATERIALIZED (
            SELECT FROM (SELECT count(*) AS present, bool_or(version::text = $4::text) AS same FROM seen) AS state
            WHERE CASE $3::text WHEN 'always' THEN true WHEN 'absent' THEN present = 0 ELSE same END
        )"
    )
}

/// Deletes all past states but so many, of those that were there before the statement: new ones come beside them.
fn pruned(history: &str, changed: &str, keep: &str) -> String {
    format!(
        "DELETE FROM {history} WHERE store = $1 AND key = $2 AND EXISTS (SELECT FROM {changed}) AND id <= (
            SELECT id FROM {history} WHERE store = $1 AND key = $2
            ORDER BY id DESC OFFSET greatest({keep}, 0) LIMIT 1)"
    )
}

/// Gives the new version, or no row where the precondition does not hold, or where the record was made after the
/// statement began. `$6` value, `$7` metadata, `$8` users.
fn put(Tables { records, history }: &Tables) -> String {
    let seen = seen(records);
    let pruned = pruned(history, "changed", "$5::bigint - (SELECT count(*) FROM seen)");
    format!(
        "{seen}, changed AS (
            INSERT INTO {records} AS record (store, key, value, metadata, users)
            SELECT $1, $2, $6::text::jsonb, $7, $8 FROM allowed
            ON CONFLICT (store, key) DO UPDATE SET value = excluded.value, metadata = excluded.metadata,
                users = excluded.users, version = excluded.version, modified = excluded.modified
                WHERE record.version = (SELECT version FROM seen)
            RETURNING version
        ), kept AS (
            INSERT INTO {history} (store, key, value, metadata, users, version, modified)
            SELECT $1, $2, value, metadata, users, version, modified FROM seen
            WHERE $5::bigint > 0 AND EXISTS (SELECT FROM changed)
        ), pruned AS ({pruned})
        SELECT version::text FROM changed"
    )
}

/// Says whether the precondition held. A deletion is a past state too, after the one that it ended.
fn delete(Tables { records, history }: &Tables) -> String {
    let seen = seen(records);
    let pruned = pruned(history, "changed", "$5::bigint - 2");
    format!(
        "{seen}, changed AS (
            DELETE FROM {records} WHERE store = $1 AND key = $2 AND EXISTS (SELECT FROM allowed) RETURNING 1
        ), kept AS (
            INSERT INTO {history} (store, key, value, metadata, users, version, modified)
            SELECT $1, $2, value, metadata, users, version, modified FROM (
                SELECT 1 AS place, * FROM seen WHERE $5::bigint > 1
                UNION ALL SELECT 2, gen_random_uuid(), clock_timestamp(), NULL, NULL, NULL WHERE $5::bigint > 0
            ) AS states WHERE EXISTS (SELECT FROM changed) ORDER BY place
        ), pruned AS ({pruned})
        SELECT EXISTS (SELECT FROM allowed), EXISTS (SELECT FROM seen), EXISTS (SELECT FROM changed)"
    )
}
