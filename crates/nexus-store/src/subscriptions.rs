//! The subscriptions of many records as one stream that costs little for each of them.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures::stream::{BoxStream, Stream, StreamExt};
use futures::task::AtomicWaker;
use parking_lot::Mutex;
use transport_traits::Delivery;

use crate::machine::{Input, RecordId};

#[cfg(test)]
mod tests;

/// The subscriptions of the records that are open. Each is polled only when it has something to say.
///
/// A set of futures would know its members by address; these are found by record, so that one ends with it at
/// once, for a third of the memory.
#[derive(Default)]
pub(crate) struct Subscriptions {
    streams: HashMap<RecordId, Listener>,
    ready: Arc<Ready>,
}

struct Listener {
    stream: BoxStream<'static, Delivery>,
    bell: Arc<Bell>,
}

/// The records whose subscriptions may have something to say, in the order in which they rang.
#[derive(Default)]
struct Ready {
    rung: Mutex<VecDeque<RecordId>>,
    /// Wakes whoever polls all of them.
    waker: AtomicWaker,
}

/// What a subscription rings when it has something to say.
struct Bell {
    id: RecordId,
    /// It rang and was not answered yet.
    rang: AtomicBool,
    ready: Arc<Ready>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rang.swap(true, Ordering::AcqRel) {
            self.ready.rung.lock().push_back(self.id);
            self.ready.waker.wake();
        }
    }
}

impl Subscriptions {
    /// Listens to a record's subscription from now on, and to an earlier one of it no more.
    pub(crate) fn begin(&mut self, id: RecordId, stream: BoxStream<'static, Delivery>) {
        let bell = Arc::new(Bell { id, rang: AtomicBool::new(false), ready: Arc::clone(&self.ready) });
        bell.wake_by_ref(); // It is looked at once without being asked.
        self.streams.insert(id, Listener { stream, bell });
    }

    /// Drops a record's subscription, if it has one.
    pub(crate) fn end(&mut self, id: RecordId) {
        self.streams.remove(&id);
    }

    /// Polls one subscription that rang. `None`: it has nothing to say, or it is gone.
    fn answer(&mut self, id: RecordId) -> Option<Input> {
        let listener = self.streams.get_mut(&id)?;
        listener.bell.rang.swap(false, Ordering::AcqRel); // Whatever rings from here on is looked at again.
        let waker = Waker::from(Arc::clone(&listener.bell));
        let input = match listener.stream.poll_next_unpin(&mut Context::from_waker(&waker)) {
            Poll::Ready(Some(Delivery::Message(body))) => Input::Received(id, body),
            Poll::Ready(Some(Delivery::Gap)) => Input::Gap(id),
            Poll::Ready(None) => {
                self.streams.remove(&id);
                return Some(Input::SubscriptionEnded(id));
            }
            Poll::Pending => return None,
        };
        listener.bell.wake_by_ref(); // There may be more; the others come first.
        Some(input)
    }
}

impl Stream for Subscriptions {
    type Item = Input;

    /// Never ends.
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Input>> {
        self.ready.waker.register(cx.waker());
        loop {
            let rung = self.ready.rung.lock().pop_front();
            let Some(id) = rung else { return Poll::Pending };
            if let Some(input) = self.answer(id) {
                return Poll::Ready(Some(input));
            }
        }
    }
}
