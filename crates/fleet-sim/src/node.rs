//! What a simulation runs: nodes, which are told what happened and asked what to do.

use std::sync::Arc;

use transport_traits::{
    Delivery, Error, Instant, Outgoing, Precondition, Record, RecordKey, Stored, Topic, Version, WallTime,
};

/// The time as one server knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// On its clock that never goes back. The simulation's own: alike on all servers.
    pub instant: Instant,
    /// On its calendar, which may be wrong and may jump.
    pub wall: WallTime,
}

/// A call of a node's that is answered later, by a name that the node chose. The simulation hands it back and nothing
/// else, so a node may use a name twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u64);

/// What happened to a node.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// A topic that it is subscribed to delivered this.
    Delivered(Topic, Delivery),
    /// The answer to [`Action::Publish`].
    Published(CallId, Result<(), Error>),
    /// The answer to [`Action::Get`].
    Got(CallId, Result<Option<Stored>, Error>),
    /// The answer to [`Action::Put`].
    Put(CallId, Result<Version, Error>),
    /// The answer to [`Action::Delete`].
    Deleted(CallId, Result<(), Error>),
    /// The answer to [`Action::List`].
    Listed(CallId, Result<Vec<Arc<str>>, Error>),
}

/// What a node wants done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Action {
    /// Subscribe to a topic, at once. Twice is once.
    Subscribe(Topic),
    /// End the subscription of a topic.
    Unsubscribe(Topic),
    /// Publish a message.
    Publish(CallId, Outgoing),
    /// Read a record.
    Get(CallId, RecordKey),
    /// Write a record if the precondition holds.
    Put(CallId, RecordKey, Record, Precondition),
    /// Delete a record if the precondition holds.
    Delete(CallId, RecordKey, Precondition),
    /// List the keys of a store that begin with a prefix.
    List(CallId, Arc<str>, Arc<str>),
    /// End the process, in good order.
    Exit,
}

/// One server process: everything that runs in it, without async, clock, I/O or randomness but from a seed.
///
/// The simulation calls [`poll`](Self::poll) until it gives `None` after it has called anything else, and again at
/// [`next_wakeup`](Self::next_wakeup) at the latest. A node must do the same given the same calls, or runs cannot
/// be repeated.
pub trait Node {
    /// Takes in what happened.
    fn handle(&mut self, now: Now, event: Event);

    /// The next thing to do; `None` if there is nothing more to do now.
    fn poll(&mut self, now: Now) -> Option<Action>;

    /// When to poll again if nothing happens before; `None` if never. Asked after `poll` gave `None`, and then later
    /// than `now`.
    fn next_wakeup(&mut self, now: Now) -> Option<Instant>;
}
