//! The tables: made by an explicit call, recognized by the comment on them.

use tokio_postgres::Row;
use transport_traits::{Error, ErrorKind};

use crate::fault::{Does, failed};
use crate::link::Link;
use crate::names::quote;

/// Stands as a comment on the table of records.
const FORMAT: &str = "transport-postgres, format 1";

/// Whether there is a table of this name, the comment on it, and how the database encodes text.
const LOOK: &str = "
SELECT to_regclass($1) IS NOT NULL, obj_description(to_regclass($1), 'pg_class'), current_setting('server_encoding')";

/// The names of the two tables, as SQL has them.
pub(crate) struct Tables {
    pub(crate) records: String,
    pub(crate) history: String,
}

/// What was found in a database.
enum Found {
    Nothing,
    Ours,
}

impl Tables {
    pub(crate) fn new(prefix: &str) -> Self {
        Self { records: quote(&format!("{prefix}records")), history: quote(&format!("{prefix}history")) }
    }

    /// Checks that the tables are there.
    pub(crate) async fn check(&self, link: &Link) -> Result<(), Error> {
        let rows = link.call("looking for the tables", Does::Read, LOOK, &[&self.records]).await?;
        match self.judge(rows.first())? {
            Found::Ours => Ok(()),
            Found::Nothing => {
                let what = format!("there is no table {}: PostgresStore::migrate makes it", self.records);
                Err(Error::new(ErrorKind::Unavailable, what))
            }
        }
    }

    /// Makes the tables that are missing, or none of them. Others that do so at the same time wait.
    pub(crate) async fn migrate(&self, link: &Link) -> Result<(), Error> {
        let mut connection = link.connection().await?;
        let what = "making the tables";
        // Doing it twice does no harm, so it does not matter that its end may be unknown.
        let failed = |error| failed(what, Does::Read, error).error;
        let transaction = connection.transaction().await.map_err(failed)?;
        transaction.batch_execute(LOCK).await.map_err(failed)?;
        let row = transaction.query_one(LOOK, &[&self.records]).await.map_err(failed)?;
        if matches!(self.judge(Some(&row))?, Found::Nothing) {
            transaction.batch_execute(&self.definition()).await.map_err(failed)?;
        }
        transaction.commit().await.map_err(failed)
    }

    fn judge(&self, row: Option<&Row>) -> Result<Found, Error> {
        let refuse = |what: String| Err(Error::new(ErrorKind::Invalid, what));
        let look =
            row.and_then(|row| Some((row.try_get(0).ok()?, row.try_get(1).ok()?, row.try_get(2).ok()?)));
        let (exists, comment, encoding): (bool, Option<String>, String) =
            look.ok_or_else(|| Error::new(ErrorKind::Malformed, "looking for the tables"))?;
        check_encoding(&encoding)?;
        match comment {
            _ if !exists => Ok(Found::Nothing),
            Some(comment) if comment == FORMAT => Ok(Found::Ours),
            other => refuse(format!("the table {} is not of {FORMAT:?} but of {other:?}", self.records)),
        }
    }

    /// Texts are ordered by their bytes, so that a prefix is a range. Both defaults are for those who write by hand.
    fn definition(&self) -> String {
        let Self { records, history } = self;
        format!(
            r#"
CREATE TABLE {records} (
    store text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    value jsonb NOT NULL CHECK (jsonb_typeof(value) = 'object'),
    metadata text NOT NULL DEFAULT '',
    users text[] NOT NULL DEFAULT '{{}}',
    version uuid NOT NULL DEFAULT gen_random_uuid(),
    modified timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (store, key)
);
CREATE TABLE {history} (
    store text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY,
    value jsonb,
    metadata text,
    users text[],
    version uuid NOT NULL,
    modified timestamptz NOT NULL,
    PRIMARY KEY (store, key, id)
);
COMMENT ON TABLE {records} IS '{FORMAT}';
COMMENT ON TABLE {history} IS 'past states, latest with the greatest id; no value: a deletion';
"#
        )
    }
}

/// Held until the end of the transaction. The number is this crate's own: the first bytes of its name.
const LOCK: &str = "SELECT pg_advisory_xact_lock(x'7472616e73706f72'::bigint)";

/// In other encodings there are characters that cannot be stored, or none that mean anything.
pub(crate) fn check_encoding(encoding: &str) -> Result<(), Error> {
    if encoding == "UTF8" {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Invalid,
        format!("a database that encodes text as {encoding}, and not as UTF8"),
    ))
}
