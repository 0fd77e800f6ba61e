//! What a machine tells this side of the bus: changes of views.

use std::sync::Arc;

/// Why an entry changed or went away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// Its owner contributed it, anew or with another value.
    Updated,
    /// Another server contributed the key later and owns it now.
    Overtaken,
    /// Its owner withdrew it.
    Withdrawn,
    /// Its owner closed its pools.
    Left,
    /// Its owner was silent for the whole timeout.
    Expired,
    /// Its owner started again under the same name.
    Restarted,
    /// Others had said that its owner contributed it, and what its owner says itself does not agree.
    Unconfirmed,
    /// Its value is no JSON form of the type that the pool is read as.
    Undecodable,
}

/// A change of what a pool holds under one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// The key has this value and owner now.
    Set {
        /// The key.
        key: Arc<str>,
        /// The JSON text of its value.
        value: Arc<str>,
        /// The server that contributed it.
        owner: Arc<str>,
        /// Why. If an owner's claim ended and an earlier one shows again, why it ended.
        reason: Reason,
    },
    /// The key has no value any more.
    Removed {
        /// The key.
        key: Arc<str>,
        /// Why.
        reason: Reason,
    },
}

/// Whether a view can be trusted to be up to date.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewState {
    /// The bus was heard a moment ago.
    #[default]
    Fresh,
    /// Nothing was heard for half the timeout, not even this server itself where it should hear its own
    /// echo: it may be cut off. Nobody expires meanwhile, so entries may be out of date. For good once the
    /// subscription to the pool's topic has ended.
    Stale,
}

/// What happened to a pool, for those who hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// An entry changed.
    Changed(Change),
    /// The view became fresh or stale.
    State(ViewState),
    /// For the first time everything is known that the living servers have.
    Synced,
}
