//! The subscriptions of all real topics, which stand and fall together.

use std::sync::Arc;
use std::task::{Context, Poll};

use transport_traits::{Subscriber, Timer, Topic};

use crate::link::{Event, Link};

pub(crate) struct Links {
    links: Vec<Link>,
    /// Which one is asked first, so that a busy one does not keep the others from being heard.
    first: usize,
}

impl Links {
    pub(crate) fn new(
        subscriber: &Arc<dyn Subscriber>,
        timer: &Arc<dyn Timer>,
        topics: impl Iterator<Item = Topic>,
    ) -> Self {
        let links = topics.map(|topic| Link::new(subscriber.clone(), timer.clone(), topic)).collect();
        Self { links, first: 0 }
    }

    /// The next event of any of them. `wanted` says whether somebody waits for the subscriptions.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>, wanted: bool) -> Poll<Event> {
        for turn in 0..self.links.len() {
            let index = (self.first + turn) % self.links.len();
            if let Poll::Ready(event) = self.links[index].poll(cx, wanted) {
                self.first = index + 1;
                return Poll::Ready(event);
            }
        }
        Poll::Pending
    }

    /// Whether all of them are in place.
    pub(crate) fn are_up(&self) -> bool {
        self.links.iter().all(Link::is_up)
    }
}
