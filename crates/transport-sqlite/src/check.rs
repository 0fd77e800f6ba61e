//! What is refused before it reaches the file, beside what every store refuses.

use transport_adapter::check;
use transport_traits::limits::SizeLimit;
use transport_traits::{Error, ErrorKind, Record, StoreLimits};

/// SQLite's own limit of a row is 1,000,000,000 bytes; this leaves room for what goes with it.
/// Source: <https://www.sqlite.org/limits.html>, "maximum length of a string or BLOB".
const ROW: SizeLimit = SizeLimit::bytes(999_000_000);

/// Checks what a record shall hold.
pub(crate) fn record(limits: &StoreLimits, record: &Record) -> Result<(), Error> {
    row(record)?;
    check::record(limits, record)
}

fn row(record: &Record) -> Result<(), Error> {
    let users: usize = record.users.iter().map(|user| user.len()).sum();
    let size = record.value.len() + record.metadata.len() + users;
    if size <= ROW.max {
        return Ok(());
    }
    Err(Error::new(ErrorKind::TooLarge { size, limit: ROW.max }, "record"))
}
