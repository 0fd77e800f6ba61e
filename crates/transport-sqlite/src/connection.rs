//! Opening connections: looking before touching, creating, and the settings of each.

use std::io;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::schema::{self, Owner};
use crate::{Durability, OpenError, Options};

/// How often a connection looks whether a lock is free. SQLite's own waiting backs off to 100 ms, with which
/// a process that writes all the time locks the others out for seconds.
const LOCK_POLL: Duration = Duration::from_millis(1);

/// The write-ahead log is cut back to this when it was longer: 64 MiB.
const LOG_KEPT: i64 = 64 * 1024 * 1024;

/// What all connections of a store share.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Absolute: SQLite gives some relative names (`:memory:`, `file:…`) a meaning of their own.
    pub(crate) path: PathBuf,
    pub(crate) options: Options,
}

impl Place {
    pub(crate) fn new(path: &Path, options: Options) -> Result<Self, OpenError> {
        let path = std::path::absolute(path).map_err(|error| OpenError::io(path, error))?;
        Ok(Self { path, options })
    }

    /// The connection that writes. Creates what is missing, refuses what is not ours.
    pub(crate) fn open_writer(&self) -> Result<Connection, OpenError> {
        let path = &self.path;
        let at = |error| OpenError::of(path, error);
        self.look()?;
        let mut connection = self.connect(OpenFlags::SQLITE_OPEN_CREATE).map_err(at)?;
        if connection.is_readonly("main").map_err(at)? {
            return Err(OpenError::ReadOnly { path: path.clone() });
        }
        if let Some(pages) = self.options.max_pages {
            connection.pragma_update(None, "max_page_count", pages).map_err(at)?;
        }
        if matches!(schema::owner(&connection, path)?, Owner::Nobody) {
            schema::create(&mut connection, path)?;
        }
        self.keep_log(&connection)?;
        self.set_durability(&connection).map_err(at)?;
        Ok(connection)
    }

    /// A connection that reads.
    pub(crate) fn open_reader(&self) -> Result<Connection, OpenError> {
        let connect = || {
            let connection = self.connect(OpenFlags::empty())?;
            connection.pragma_update(None, "query_only", true)?;
            Ok(connection)
        };
        connect().map_err(|error| OpenError::of(&self.path, error))
    }

    /// Looks at an existing file without touching it, and without making files beside it: locks and the
    /// log are ignored, since the header alone matters here.
    fn look(&self) -> Result<(), OpenError> {
        if !self.path.try_exists().map_err(|error| OpenError::io(&self.path, error))? {
            return Ok(());
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
        let connection = Connection::open_with_flags(immutable_uri(&self.path), flags)
            .map_err(|error| OpenError::of(&self.path, error))?;
        match schema::owner(&connection, &self.path) {
            // So it looks, too, while another process is making the file longer. Later, with locks, it is true.
            Ok(_) | Err(OpenError::Damaged { .. }) => Ok(()),
            Err(refusal) => Err(refusal),
        }
    }

    fn connect(&self, more: OpenFlags) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        let mut connection = Connection::open_with_flags(&self.path, flags)?;
        wait_for_locks(&mut connection, self.options.busy_timeout)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        Ok(connection)
    }

    /// Gives the file a write-ahead log, once for all. While two processes try that, SQLite fails without
    /// asking the busy handler.
    fn keep_log(&self, connection: &Connection) -> Result<(), OpenError> {
        let since = Instant::now();
        loop {
            let mode: rusqlite::Result<String> =
                connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0));
            match mode {
                Ok(mode) if mode == "wal" => return Ok(()),
                Ok(_) => return Err(OpenError::io(&self.path, no_log())),
                Err(error) if is_busy(&error) && since.elapsed() < self.options.busy_timeout => {
                    sleep(LOCK_POLL)
                }
                Err(error) => return Err(OpenError::of(&self.path, error)),
            }
        }
    }

    fn set_durability(&self, connection: &Connection) -> rusqlite::Result<()> {
        let full = self.options.durability == Durability::Full;
        connection.pragma_update(None, "synchronous", if full { "FULL" } else { "NORMAL" })?;
        // On macOS alone: there an ordinary fsync leaves the data in the disk's own cache.
        connection.pragma_update(None, "fullfsync", full)?;
        connection.pragma_update(None, "checkpoint_fullfsync", full)?;
        connection.pragma_update(None, "journal_size_limit", LOG_KEPT)
    }
}

fn wait_for_locks(connection: &mut Connection, patience: Duration) -> rusqlite::Result<()> {
    let mut since = Instant::now();
    connection.busy_handler(Some(move |polls_before| {
        if polls_before == 0 {
            since = Instant::now();
        }
        sleep(LOCK_POLL);
        since.elapsed() < patience
    }))
}

fn no_log() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "the file system has no shared memory for a write-ahead log")
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// The file as a URI with which SQLite neither locks it nor looks for a log.
/// Source: <https://www.sqlite.org/uri.html>.
fn immutable_uri(path: &Path) -> String {
    let encode = |&byte: &u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02x}"),
    };
    let encoded: String = path.as_os_str().as_encoded_bytes().iter().map(encode).collect();
    format!("file:{encoded}?immutable=1")
}

#[cfg(test)]
mod tests;
