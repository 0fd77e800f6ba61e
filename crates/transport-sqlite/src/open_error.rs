//! Why a file could not be opened.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Error as SqliteError, ErrorCode};

/// Why a file could not be opened. Nothing was written to it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file has some other format.
    #[error("{} is not a SQLite database", path.display())]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// A SQLite database that this crate did not create.
    #[error("{} belongs to another program (application id {application_id})", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What its header has for an application id; 0 if nothing was set.
        application_id: i32,
    },
    /// A newer version of this crate wrote the file.
    #[error("{} has format {found}; this version knows formats up to {supported}", path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        found: i32,
        /// The latest version of the format that can be read.
        supported: i32,
    },
    /// The file, or its folder, may not be written.
    #[error("{} is read-only", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// Other programs held the file for longer than this one may wait.
    #[error("{} is locked by another program", path.display())]
    Busy {
        /// The file.
        path: PathBuf,
    },
    /// No room for an empty database.
    #[error("no room for {}: the disk is full", path.display())]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// The database is damaged.
    #[error("{} is damaged: {source}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite found.
        source: SqliteError,
    },
    /// Everything else: no such folder, a folder instead of a file, no permission to look.
    #[error("cannot open {}: {source}", path.display())]
    CannotOpen {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl OpenError {
    /// What an error of SQLite's on the way means.
    pub(crate) fn of(path: &Path, error: SqliteError) -> Self {
        let path = path.to_owned();
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => Self::NotADatabase { path },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => Self::ReadOnly { path },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy { path },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged { path, source: error },
            Some(ErrorCode::CannotOpen) => Self::by_looking(path, error),
            _ => Self::CannotOpen { path, source: error.into() },
        }
    }

    pub(crate) fn io(path: &Path, error: io::Error) -> Self {
        Self::CannotOpen { path: path.to_owned(), source: error.into() }
    }

    /// SQLite does not say why it cannot open something, so look what is there.
    fn by_looking(path: PathBuf, error: SqliteError) -> Self {
        let folder = path.parent().unwrap_or(&path);
        match folder.metadata() {
            Err(reason) => Self::io(&path, reason),
            Ok(_) if path.is_dir() => Self::io(&path, io::ErrorKind::IsADirectory.into()),
            Ok(about) if about.permissions().readonly() => Self::ReadOnly { path },
            Ok(_) => Self::CannotOpen { path, source: error.into() },
        }
    }
}
