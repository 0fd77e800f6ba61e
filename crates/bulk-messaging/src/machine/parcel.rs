//! A message as it comes in.

use std::sync::Arc;

use transport_traits::{Outgoing, Priority, Topic};

/// A message on its way into the queue.
#[derive(Clone, Debug)]
pub(super) struct Parcel<'a> {
    pub(super) topic: Topic,
    pub(super) body: Body<'a>,
    pub(super) priority: Priority,
    pub(super) key: Option<Arc<str>>,
}

/// What a body is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Body<'a> {
    Bytes(&'a [u8], Known),
    /// It shall become the JSON string of this.
    Text(&'a str),
}

/// What is known of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    Nothing,
    /// It is one JSON value without white space around it, since we wrote it.
    Json,
}

impl<'a> Parcel<'a> {
    /// Of normal priority, without a key.
    pub(super) fn text(topic: Topic, text: &'a str) -> Self {
        Self { topic, body: Body::Text(text), priority: Priority::default(), key: None }
    }

    pub(super) fn of(message: &'a Outgoing, known: Known) -> Self {
        let Outgoing { topic, body, priority, conflation_key, .. } = message;
        let (topic, key) = (topic.clone(), conflation_key.clone());
        Self { topic, body: Body::Bytes(body, known), priority: *priority, key }
    }
}
