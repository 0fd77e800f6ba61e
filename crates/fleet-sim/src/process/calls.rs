//! A call to bus or store that waits for its answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use super::desk::Desk;
use super::lock;
use crate::{Action, CallId, Event};

/// The answer of a call that was asked for. Dropped, the call goes on, and nobody hears how it went.
pub(super) struct Answer {
    desk: Arc<Mutex<Desk>>,
    id: CallId,
}

impl Answer {
    /// Asks for a call at once.
    pub(super) fn of(desk: &Arc<Mutex<Desk>>, action: impl FnOnce(CallId) -> Action) -> Self {
        let id = lock(desk).call(action);
        Self { desk: desk.clone(), id }
    }
}

impl Future for Answer {
    type Output = Event;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Event> {
        let answer = lock(&self.desk).take_answer(self.id, context.waker());
        answer.map_or(Poll::Pending, Poll::Ready)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        lock(&self.desk).forget(self.id);
    }
}
