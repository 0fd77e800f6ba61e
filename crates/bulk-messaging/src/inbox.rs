//! What subscriptions have not read yet.

use std::collections::{BTreeMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use futures::Stream;
use transport_traits::{Delivery, Topic};

use crate::shared::Shared;

type InboxId = u64;

/// Deliveries that a subscription takes out of its inbox at a time, so that it seldom needs the lock.
const HANDFUL: usize = 64;

/// The inboxes of all subscriptions, by inner topic.
pub(crate) struct Inboxes {
    max_messages: usize,
    max_bytes: usize,
    inboxes: BTreeMap<Topic, BTreeMap<InboxId, Inbox>>,
    next_id: InboxId,
    /// Deliveries dropped because a consumer lagged.
    pub(crate) lagged: u64,
    /// Whose inbox got something. To be woken when the lock is released.
    wakers: Vec<Waker>,
}

#[derive(Default)]
struct Inbox {
    unread: VecDeque<Delivery>,
    bytes: usize,
    waker: Option<Waker>,
}

impl Inboxes {
    pub(crate) fn new(max_messages: usize, max_bytes: usize) -> Self {
        let (inboxes, wakers) = (BTreeMap::new(), Vec::new());
        Self { max_messages, max_bytes, inboxes, next_id: 0, lagged: 0, wakers }
    }

    pub(crate) fn open(&mut self, topic: Topic) -> InboxId {
        self.next_id += 1;
        self.inboxes.entry(topic).or_default().insert(self.next_id, Inbox::default());
        self.next_id
    }

    fn close(&mut self, topic: &Topic, id: InboxId) {
        if let Some(inboxes) = self.inboxes.get_mut(topic) {
            inboxes.remove(&id);
            if inboxes.is_empty() {
                self.inboxes.remove(topic);
            }
        }
    }

    /// Hands a message to all subscriptions of a topic. A consumer that lags too far loses what it has not read, and
    /// finds a gap there instead: the newest messages are the ones worth having.
    pub(crate) fn deliver(&mut self, topic: &Topic, body: &Bytes) {
        for inbox in self.inboxes.get_mut(topic).into_iter().flat_map(BTreeMap::values_mut) {
            let full = inbox.unread.len() >= self.max_messages || inbox.bytes + body.len() > self.max_bytes;
            if full && !inbox.unread.is_empty() {
                self.lagged += inbox.unread.len() as u64;
                inbox.unread.clear();
                inbox.bytes = 0;
                inbox.unread.push_back(Delivery::Gap);
            }
            inbox.bytes += body.len();
            inbox.unread.push_back(Delivery::Message(body.clone()));
            self.wakers.extend(inbox.waker.take());
        }
    }

    /// Tells all subscriptions that they may have missed something; one that has just been told, not again.
    pub(crate) fn gap(&mut self) {
        for inbox in self.inboxes.values_mut().flat_map(BTreeMap::values_mut) {
            if inbox.unread.back() != Some(&Delivery::Gap) {
                inbox.unread.push_back(Delivery::Gap);
            }
            self.wakers.extend(inbox.waker.take());
        }
    }

    /// Ends all subscriptions.
    pub(crate) fn end_all(&mut self) {
        let inboxes = std::mem::take(&mut self.inboxes);
        self.wakers
            .extend(inboxes.into_values().flat_map(BTreeMap::into_values).filter_map(|inbox| inbox.waker));
    }

    pub(crate) fn take_wakers(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.wakers)
    }

    /// Moves the next deliveries to `taken`; says false if there will be none any more.
    fn poll(
        &mut self,
        topic: &Topic,
        id: InboxId,
        taken: &mut VecDeque<Delivery>,
        cx: &Context<'_>,
    ) -> Poll<bool> {
        let inbox = self.inboxes.get_mut(topic).and_then(|inboxes| inboxes.get_mut(&id));
        let Some(inbox) = inbox else { return Poll::Ready(false) };
        if inbox.unread.is_empty() {
            inbox.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let handful = inbox.unread.len().min(HANDFUL);
        for delivery in inbox.unread.drain(..handful) {
            if let Delivery::Message(body) = &delivery {
                inbox.bytes -= body.len();
            }
            taken.push_back(delivery);
        }
        Poll::Ready(true)
    }
}

/// One subscription of an inner topic.
pub(crate) struct InboxStream {
    shared: Arc<Shared>,
    topic: Topic,
    id: InboxId,
    /// Taken out of the inbox, and not read yet.
    taken: VecDeque<Delivery>,
}

impl InboxStream {
    pub(crate) fn new(shared: Arc<Shared>, topic: Topic) -> Self {
        let id = shared.watch(topic.clone());
        Self { shared, topic, id, taken: VecDeque::new() }
    }
}

impl Stream for InboxStream {
    type Item = Delivery;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        let Self { shared, topic, id, taken } = &mut *self;
        if taken.is_empty() && !ready!(shared.lock().inboxes.poll(topic, *id, taken, cx)) {
            return Poll::Ready(None);
        }
        Poll::Ready(taken.pop_front())
    }
}

impl Drop for InboxStream {
    fn drop(&mut self) {
        self.shared.lock().inboxes.close(&self.topic, self.id);
        self.shared.unwatch(&self.topic);
    }
}
