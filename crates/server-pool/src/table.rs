//! A pool's view as typed entries: what readers read.

#[cfg(test)]
mod tests;

use std::any::Any;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use parking_lot::{Mutex, MutexGuard, RwLock};
use serde::de::DeserializeOwned;

use crate::events::{Entry, Event, Events, Queue};
use crate::key_hash::KeyHasher;
use crate::machine::{Change, Notice, Reason, ViewState};
use crate::order;
use crate::rows::{Owners, Row, Rows};

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
/// Look-ups only read `rows`. Whoever changes them and whoever copies them take turns before, so nobody waits for
/// `rows` to be free of a snapshot while a look-up comes: a look-up waits for the insertion of one entry at most. A
/// writer that waits for the look-ups under way is passed by no other, however many come. Decoding before, and telling
/// those who follow behind, are done while look-ups go on; and nobody holds any of the locks while waiting for anything else.
pub(crate) struct Table<T> {
    hasher: KeyHasher,
    /// Written only by whose `turn` it is.
    rows: RwLock<Rows<T>>,
    turn: Mutex<Turn<T>>,
    /// Held while a snapshot is made or waits for its turn, so that only one does: a writer that waits is the next.
    snapshot: Mutex<()>,
    status: Mutex<Status>,
    undecodable: AtomicU64,
    event_capacity: usize,
}

/// What goes with the rows and is not needed to look one up.
struct Turn<T> {
    owners: Owners,
    /// Whoever follows the changes.
    followers: Vec<Weak<Queue<T>>>,
    closed: bool,
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
        let turn = Turn { owners: Owners::default(), followers: Vec::new(), closed: false };
        Self {
            hasher: KeyHasher::default(),
            rows: RwLock::default(),
            turn: Mutex::new(turn),
            snapshot: Mutex::default(),
            status: Mutex::default(),
            undecodable: AtomicU64::new(0),
            event_capacity,
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<Arc<T>> {
        let hash = self.hasher.hash(key);
        self.rows.read().get(hash, key).map(|row| row.value.clone())
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.read().len()
    }

    /// The entries for which `wanted` holds of the owner, by key.
    pub(crate) fn entries(&self, wanted: impl Fn(&str) -> bool) -> Vec<Entry<T>> {
        self.copy(wanted, |_| ()).0
    }

    /// The entries by key, and whatever happens to them afterwards.
    pub(crate) fn watch(&self) -> (Vec<Entry<T>>, Events<T>) {
        let queue = Arc::new(Queue::new(self.event_capacity));
        let (entries, ()) = self.copy(|_| true, |turn| turn.follow(&queue));
        (entries, Events::new(queue))
    }

    /// The entries for which `wanted` holds of the owner, by key, as they are when something else is done. They are put in
    /// order when others may go on.
    fn copy<R>(
        &self,
        wanted: impl Fn(&str) -> bool,
        also: impl FnOnce(&mut Turn<T>) -> R,
    ) -> (Vec<Entry<T>>, R) {
        let alone = self.snapshot.lock();
        let mut turn = self.turn.lock();
        let result = also(&mut turn);
        let rows = self.rows.read();
        let wanted = rows.iter().filter(|row| wanted(turn.owners.name(row.owner)));
        let entries: Vec<_> = wanted.map(|row| turn.entry(row)).collect();
        drop(rows);
        // To the writer that waits, or else another snapshot might come before it.
        MutexGuard::unlock_fair(turn);
        drop(alone);
        (order::by_key(entries), result)
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

    fn set(&self, entry: Entry<T>, reason: Reason, wakers: &mut Vec<Waker>) {
        let mut turn = self.turn.lock();
        let Entry { key, value, owner } = entry.clone();
        let row = Row { hash: self.hasher.hash(&key), owner: turn.owners.add(&owner), key, value };
        let previous = self.rows.write().replace(row);
        let event = match previous {
            None => Event::Added(entry),
            Some(row) => Event::Changed { entry, previous: turn.release(row), reason },
        };
        turn.tell(&event, wakers);
    }

    fn remove(&self, key: &str, reason: Reason, wakers: &mut Vec<Waker>) {
        let mut turn = self.turn.lock();
        let row = self.rows.write().take(self.hasher.hash(key), key);
        if let Some(row) = row {
            let entry = turn.release(row);
            turn.tell(&Event::Removed { entry, reason }, wakers);
        }
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
                    self.set(Entry { key, value: Arc::new(value), owner }, reason, wakers);
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
        let mut turn = self.turn.lock();
        turn.closed = true;
        turn.followers.iter().filter_map(Weak::upgrade).for_each(|queue| queue.close(wakers));
        drop(turn);
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

impl<T> Turn<T> {
    /// Tells a queue what happens from now on.
    fn follow(&mut self, queue: &Arc<Queue<T>>) {
        if self.closed {
            queue.close(&mut Vec::new());
        }
        self.followers.retain(|follower| follower.strong_count() > 0);
        self.followers.push(Arc::downgrade(queue));
    }

    fn tell(&mut self, event: &Event<T>, wakers: &mut Vec<Waker>) {
        self.followers.retain(|follower| {
            let queue = follower.upgrade();
            queue.is_some_and(|queue| {
                queue.push(event.clone(), wakers);
                true
            })
        });
    }

    /// The entry of a row that is there.
    fn entry(&self, row: &Row<T>) -> Entry<T> {
        let owner = self.owners.name(row.owner).clone();
        Entry { key: row.key.clone(), value: row.value.clone(), owner }
    }

    /// The entry of a row that was taken out.
    fn release(&mut self, row: Row<T>) -> Entry<T> {
        Entry { key: row.key, value: row.value, owner: self.owners.remove(row.owner) }
    }
}
