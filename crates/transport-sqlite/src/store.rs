//! The handle: checks what is asked, queues it, and waits for the answer.

use std::convert::Infallible;
use std::fmt;
use std::future;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use async_channel::{Receiver, Sender};
use futures::channel::oneshot;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use rusqlite::Connection;
use transport_adapter::check;
use transport_traits::{
    Capabilities, DataStore, Error, ErrorKind, Precondition, Record, RecordKey, StoreLimits, Stored, Version,
    VersionInfo,
};

use crate::connection::Place;
use crate::query::{self, Cursor};
use crate::reader::Read;
use crate::write::{Change, Job, Outcome, Write};
use crate::{OpenError, Options, fault, reader, writer};

/// A data store in one SQLite file. Clones are handles to the same threads and connections.
///
/// The futures run on any runtime; the work is done on threads of the store's own. A write waits for room
/// in a queue of 1,024 before it is queued, in the order of asking. See the [crate](crate) for what is
/// promised.
#[derive(Clone)]
pub struct SqliteStore {
    shared: Arc<Shared>,
}

struct Shared {
    place: Place,
    writes: Sender<Job>,
    reads: Sender<Read>,
    /// Carries nothing. Each thread holds a sender until its end.
    ended: Receiver<Infallible>,
}

impl SqliteStore {
    /// Opens the file, or creates it, with [`Options::default`]. Blocks; see [`Options::open`].
    ///
    /// # Errors
    /// See [`OpenError`]. A file that is refused is left as it was.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Options::default().open(path)
    }

    /// Closes the store for all handles, and is ready when everything that was queued is done and the file
    /// is closed. Later calls fail with [`ErrorKind::Closed`]. Dropping the future changes nothing but that
    /// nobody waits.
    pub async fn close(&self) {
        self.shared.writes.close();
        self.shared.reads.close();
        let _all_gone = self.shared.ended.recv().await;
    }

    pub(crate) fn start(path: &Path, options: Options) -> Result<Self, OpenError> {
        let place = Place::new(path, options)?;
        let (alive, ended) = async_channel::bounded(1);
        let (writes, write_queue) = async_channel::bounded(writer::QUEUE);
        let (reads, read_queue) = async_channel::bounded(reader::QUEUE);
        let spawn = |name, connection, work| spawn(&place.path, name, &alive, connection, work);

        let history_versions = place.options.history_versions;
        let work = move |connection: &Connection| writer::run(connection, history_versions, &write_queue);
        spawn("sqlite-writer", place.open_writer()?, Box::new(work) as Work)?;
        for _ in 0..reader::threads() {
            let queue = read_queue.clone();
            let work = move |connection: &Connection| reader::run(connection, &queue);
            spawn("sqlite-reader", place.open_reader()?, Box::new(work) as Work)?;
        }
        Ok(Self { shared: Arc::new(Shared { place, writes, reads, ended }) })
    }

    async fn write(&self, write: Write) -> Result<Outcome, Error> {
        check::key(self.limits(), &write.key)?;
        if let Change::Put(record) = &write.change {
            crate::check::record(self.limits(), record)?;
        }
        let what = write.key.to_string();
        let (reply, answer) = oneshot::channel();
        let sent = self.shared.writes.send(Job { write, reply }).await;
        sent.map_err(|_| fault::closed(&what))?;
        // Only a thread that died leaves an answer out.
        let died = |_| Error::new(ErrorKind::Unknown, format!("writing {what}: the thread died"));
        answer.await.map_err(died)?
    }

    async fn read<T: Send + 'static>(
        &self,
        what: impl fmt::Display,
        question: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let (read, answer) = reader::read(question);
        let sent = self.shared.reads.send(read).await;
        sent.map_err(|_| fault::closed(&what.to_string()))?;
        let died = |_| Error::new(ErrorKind::Unavailable, format!("reading {what}: the thread died"));
        answer.await.map_err(died)?.map_err(|error| fault::unread(&what.to_string(), error))
    }

    /// A question about past states of one record.
    fn read_history<T: Send + 'static>(
        &self,
        key: RecordKey,
        question: impl FnOnce(&Connection, &RecordKey) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, Error>> {
        if self.capabilities().history {
            return self.read_record(key, question);
        }
        let refusal = Error::new(ErrorKind::Unsupported, format!("history of {key}"));
        Box::pin(future::ready(Err(refusal)))
    }

    /// A question about one record.
    fn read_record<T: Send + 'static>(
        &self,
        key: RecordKey,
        question: impl FnOnce(&Connection, &RecordKey) -> rusqlite::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, Error>> {
        Box::pin(async move {
            check::key(self.limits(), &key)?;
            self.read(key.clone(), move |connection| question(connection, &key)).await
        })
    }
}

type Work = Box<dyn FnOnce(&Connection) + Send>;

fn spawn(
    path: &Path,
    name: &str,
    alive: &Sender<Infallible>,
    connection: Connection,
    work: Work,
) -> Result<(), OpenError> {
    let alive = alive.clone();
    let run = move || {
        work(&connection);
        drop(connection);
        drop(alive);
    };
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(run);
    spawned.map(drop).map_err(|error| OpenError::io(path, error))
}

impl DataStore for SqliteStore {
    fn limits(&self) -> &StoreLimits {
        &self.shared.place.options.limits
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.history = self.shared.place.options.history_versions > 0;
        capabilities
    }

    fn get(&self, key: RecordKey) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        self.read_record(key, query::get)
    }

    fn put(
        &self,
        key: RecordKey,
        record: Record,
        precondition: Precondition,
    ) -> BoxFuture<'_, Result<Version, Error>> {
        Box::pin(async move {
            let write = Write { key: key.clone(), change: Change::Put(record), precondition };
            match self.write(write).await? {
                Outcome::Changed(version) => Ok(query::version_name(version)),
                Outcome::Unchanged => unreachable!("a put that is not refused changes the record"),
                Outcome::Conflict => Err(conflict(&key)),
            }
        })
    }

    fn delete(&self, key: RecordKey, precondition: Precondition) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let write = Write { key: key.clone(), change: Change::Delete, precondition };
            match self.write(write).await? {
                Outcome::Changed(_) | Outcome::Unchanged => Ok(()),
                Outcome::Conflict => Err(conflict(&key)),
            }
        })
    }

    fn list(&self, store: Arc<str>, prefix: Arc<str>) -> BoxStream<'_, Result<Arc<str>, Error>> {
        let pages = stream::try_unfold(Some(Cursor::new(store, prefix)), |cursor| async {
            let Some(cursor) = cursor else { return Ok(None) };
            check::store_name(self.limits(), cursor.store())?;
            let store = cursor.store().clone();
            let (keys, next) = self.read(store, |connection| cursor.next(connection)).await?;
            Ok::<_, Error>(Some((stream::iter(keys).map(Ok), next)))
        });
        pages.try_flatten().boxed()
    }

    fn versions(&self, key: RecordKey) -> BoxFuture<'_, Result<Vec<VersionInfo>, Error>> {
        self.read_history(key, query::versions)
    }

    fn get_version(&self, key: RecordKey, version: Version) -> BoxFuture<'_, Result<Option<Stored>, Error>> {
        self.read_history(key, move |connection, key| query::get_version(connection, key, &version))
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").field("place", &self.shared.place).finish_non_exhaustive()
    }
}

fn conflict(key: &RecordKey) -> Error {
    Error::new(ErrorKind::Conflict, format!("writing {key}"))
}
