//! What a subscriber holds: reads from a queue, and says when it is gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::Stream;
use transport_traits::{Delivery, Subscription};

use crate::Queue;

/// A subscription that yields what comes into `queue`, and calls `leave` when it is dropped.
pub fn subscription(queue: Arc<Queue>, leave: impl FnOnce() + Send + 'static) -> Subscription {
    Box::pin(Reader { queue, leave: Some(Box::new(leave)) })
}

struct Reader {
    queue: Arc<Queue>,
    /// There until it is dropped.
    leave: Option<Box<dyn FnOnce() + Send>>,
}

impl Stream for Reader {
    type Item = Delivery;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        self.queue.poll(cx)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(leave) = self.leave.take() {
            leave();
        }
    }
}
