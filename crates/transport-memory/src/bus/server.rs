//! What one server on a bus may still send and subscribe to.

use std::collections::HashMap;

use parking_lot::Mutex;
use transport_traits::limits::Load;
use transport_traits::{BusLimits, Error, ErrorKind, Instant, Topic};

use crate::window::{Window, take};

/// One server's account.
pub(super) struct Server {
    /// Topics that it may be subscribed to at a time.
    most_topics: Option<usize>,
    state: Mutex<State>,
}

struct State {
    sends: Option<Window>,
    subscribes: Option<Window>,
    /// The topics it is subscribed to, with the number of subscriptions each.
    topics: HashMap<Topic, usize>,
}

impl Server {
    pub(super) fn new(limits: &BusLimits, load: Load) -> Self {
        let window = |rate: Option<_>| rate.map(|rate| Window::of_rate(rate, load));
        let state = State {
            sends: window(limits.send),
            subscribes: window(limits.subscribes),
            topics: HashMap::new(),
        };
        let most_topics = limits.subscriptions.map(|count| count.allowed(load) as usize);
        Self { most_topics, state: Mutex::new(state) }
    }

    pub(super) fn take_send(&self, now: Instant) -> Result<(), Error> {
        take([self.state.lock().sends.as_mut()], now, 1)
            .map_err(|shortage| Error::new(shortage.throttled(now), "publishes of one server"))
    }

    /// Takes a subscribe request and, if the server does not listen to this topic yet, a place for it.
    pub(super) fn take_subscription(&self, topic: &Topic, now: Instant) -> Result<(), Error> {
        let mut state = self.state.lock();
        let full = self.most_topics.is_some_and(|most| state.topics.len() >= most);
        if full && !state.topics.contains_key(topic) {
            return Err(Error::new(ErrorKind::Unavailable, "one server's subscriptions are used up"));
        }
        take([state.subscribes.as_mut()], now, 1)
            .map_err(|shortage| Error::new(shortage.throttled(now), "subscribe requests of one server"))?;
        *state.topics.entry(topic.clone()).or_default() += 1;
        Ok(())
    }

    /// Gives back one subscription to `topic`.
    pub(super) fn release_subscription(&self, topic: &Topic) {
        let mut state = self.state.lock();
        let count = state.topics.get_mut(topic).expect("a subscription is released once");
        *count -= 1;
        if *count == 0 {
            state.topics.remove(topic);
        }
    }
}
