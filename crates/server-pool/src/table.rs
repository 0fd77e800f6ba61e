//! A pool's view as typed entries: what readers read.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::{Mutex, RecursiveRwLock};
use serde::de::DeserializeOwned;

use crate::events::{Entry, Event, Events, Queue};
use crate::machine::{Change, Notice, Reason, ViewState};

/// Where a machine's notices go, whatever type the pool is read as.
pub(crate) trait Sink: Send + Sync {
    /// Takes in what happened. Whom to wake afterwards goes into `wakers`.
    fn take(&self, notice: Notice, wakers: &mut Vec<Waker>);
    /// Nothing happens any more.
    fn close(&self, wakers: &mut Vec<Waker>);
    /// Values that could not be decoded so far.
    fn undecodable(&self) -> u64;
    /// The table itself.
    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync>;
}

/// The entries of a pool, decoded.
///
/// Values are decoded before the lock is taken; writers hold it for one entry at a time, readers for one
/// look-up or for copying the pointers of a snapshot. Nobody holds it while waiting for anything. Readers pass
/// by a writer that waits, so that a look-up does not wait for a snapshot that the writer waits for; snapshots
/// follow each other one by one, so that a writer waits for one at most.
pub(crate) struct Table<T> {
    contents: RecursiveRwLock<Contents<T>>,
    /// Held while a snapshot is made, longer than `contents`.
    snapshot: Mutex<()>,
    /// Whoever follows the changes. Locked while `contents` is, for reading or writing.
    readers: Mutex<Vec<Weak<Queue<T>>>>,
    status: Mutex<Status>,
    undecodable: AtomicU64,
    event_capacity: usize,
}

struct Contents<T> {
    rows: BTreeMap<Arc<str>, Row<T>>,
    closed: bool,
}

struct Row<T> {
    value: Arc<T>,
    owner: Arc<str>,
}

#[derive(Default)]
struct Status {
    state: ViewState,
    synced: bool,
    closed: bool,
    waiting: Vec<Waker>,
}

impl<T> Table<T> {
    pub(crate) fn new(event_capacity: usize) -> Self {
        Self {
            contents: RecursiveRwLock::new(Contents { rows: BTreeMap::new(), closed: false }),
            snapshot: Mutex::default(),
            readers: Mutex::default(),
            status: Mutex::default(),
            undecodable: AtomicU64::new(0),
            event_capacity,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<T>> {
        self.contents.read().rows.get(key).map(|row| row.value.clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.contents.read().rows.len()
    }

    /// The entries for which `wanted` holds of the owner, by key.
    pub(crate) fn entries(&self, wanted: impl Fn(&str) -> bool) -> Vec<Entry<T>> {
        let _turn = self.snapshot.lock();
        self.contents.read().entries(wanted)
    }

    /// The entries by key, and whatever happens to them afterwards.
    pub(crate) fn watch(&self) -> (Vec<Entry<T>>, Events<T>) {
        let queue = Arc::new(Queue::new(self.event_capacity));
        let _turn = self.snapshot.lock();
        // Nothing changes meanwhile, so the events go on where the entries end.
        let contents = self.contents.read();
        if contents.closed {
            queue.close(&mut Vec::new());
        }
        let mut readers = self.readers.lock();
        readers.retain(|reader| reader.strong_count() > 0);
        readers.push(Arc::downgrade(&queue));
        drop(readers);
        (contents.entries(|_| true), Events::new(queue))
    }

    pub(crate) fn state(&self) -> ViewState {
        self.status.lock().state
    }

    /// Whether everything was known once; waits for that, or for the end.
    pub(crate) fn poll_synced(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut status = self.status.lock();
        if status.synced || status.closed {
            return Poll::Ready(status.synced);
        }
        if !status.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            status.waiting.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn set(&self, key: Arc<str>, row: Row<T>, reason: Reason, wakers: &mut Vec<Waker>) {
        let entry = row.entry(key.clone());
        let mut contents = self.contents.write();
        let event = match contents.rows.insert(key.clone(), row) {
            None => Event::Added(entry),
            Some(previous) => Event::Changed { entry, previous: previous.entry(key), reason },
        };
        self.tell(&event, wakers);
    }

    fn remove(&self, key: &str, reason: Reason, wakers: &mut Vec<Waker>) {
        let mut contents = self.contents.write();
        if let Some((key, row)) = contents.rows.remove_entry(key) {
            self.tell(&Event::Removed { entry: row.entry(key), reason }, wakers);
        }
    }

    /// Tells those who follow, before anybody else can change or read the contents.
    fn tell(&self, event: &Event<T>, wakers: &mut Vec<Waker>) {
        self.readers.lock().retain(|reader| {
            let queue = reader.upgrade();
            queue.is_some_and(|queue| {
                queue.push(event.clone(), wakers);
                true
            })
        });
    }

    fn set_status(&self, set: impl FnOnce(&mut Status), wakers: &mut Vec<Waker>) {
        let mut status = self.status.lock();
        set(&mut status);
        if status.synced || status.closed {
            wakers.append(&mut status.waiting);
        }
    }
}

impl<T: DeserializeOwned> Table<T> {
    fn change(&self, change: Change, wakers: &mut Vec<Waker>) {
        match change {
            Change::Removed { key, reason } => self.remove(&key, reason, wakers),
            Change::Set { key, value, owner, reason } => match serde_json::from_str::<T>(&value) {
                Ok(value) => {
                    let row = Row { value: Arc::new(value), owner };
                    self.set(key, row, reason, wakers);
                }
                Err(error) => {
                    self.count_undecodable(&key, &owner, &error);
                    self.remove(&key, Reason::Undecodable, wakers);
                }
            },
        }
    }

    /// Warns the 1st, 2nd, 4th, 8th … time.
    fn count_undecodable(&self, key: &str, owner: &str, error: &serde_json::Error) {
        let count = self.undecodable.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(count, key, owner, %error, "an entry is not of the pool's type");
        }
    }
}

impl<T: DeserializeOwned + Send + Sync + 'static> Sink for Table<T> {
    fn take(&self, notice: Notice, wakers: &mut Vec<Waker>) {
        match notice {
            Notice::Changed(change) => self.change(change, wakers),
            Notice::State(state) => self.set_status(|status| status.state = state, wakers),
            Notice::Synced => self.set_status(|status| status.synced = true, wakers),
        }
    }

    fn close(&self, wakers: &mut Vec<Waker>) {
        let mut contents = self.contents.write();
        contents.closed = true;
        self.readers.lock().iter().filter_map(Weak::upgrade).for_each(|queue| queue.close(wakers));
        drop(contents);
        let close = |status: &mut Status| {
            status.closed = true;
            status.state = ViewState::Stale;
        };
        self.set_status(close, wakers);
    }

    fn undecodable(&self) -> u64 {
        self.undecodable.load(Ordering::Relaxed)
    }

    fn into_any(self: Arc<Self>) -> Arc<dyn Any + Send + Sync> {
        self
    }
}

impl<T> Contents<T> {
    fn entries(&self, wanted: impl Fn(&str) -> bool) -> Vec<Entry<T>> {
        let rows = self.rows.iter().filter(|(_, row)| wanted(&row.owner));
        rows.map(|(key, row)| row.entry(key.clone())).collect()
    }
}

impl<T> Row<T> {
    fn entry(&self, key: Arc<str>) -> Entry<T> {
        Entry { key, value: self.value.clone(), owner: self.owner.clone() }
    }
}
