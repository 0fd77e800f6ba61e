//! The way into the queue, and the line before it when the queue is full or others are to have a turn.

use std::task::{Context, Poll};

use futures::channel::oneshot;
use transport_traits::{Error, ErrorKind, Outgoing};

use crate::error::closed;
use crate::machine::Known;
use crate::shared::{Shared, State, remember, wake};
use crate::{OnFull, Refusal};

/// Bytes accepted after which the next publisher gives way once: the driver may share its thread, and with a queue that
/// has room a publisher would not wait for anything until it is full.
const TURN: usize = 64 << 10;

/// A message on its way into the queue, and its place in the line for room. Dropping it gives up that place.
pub(crate) struct Entrance<'a> {
    shared: &'a Shared,
    message: Outgoing,
    known: Known,
    confirm: Option<oneshot::Sender<Result<(), ErrorKind>>>,
    place: Option<u64>,
}

impl<'a> Entrance<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        message: Outgoing,
        known: Known,
        confirm: Option<oneshot::Sender<Result<(), ErrorKind>>>,
    ) -> Self {
        Self { shared, message, known, confirm, place: None }
    }

    /// Ready when the queue has accepted or refused the message.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<Result<(), Error>> {
        let mut state = self.shared.lock();
        if state.closed {
            return Poll::Ready(Err(closed()));
        }
        let first = state.room.first_key_value().map(|(&place, _)| place);
        if first != self.place {
            return self.line_up(&mut state, cx);
        }
        if state.accepted >= TURN {
            state.accepted = 0;
            cx.waker().wake_by_ref();
            return self.line_up(&mut state, cx);
        }
        match self.push(&mut state) {
            Err(Refusal::Full) if self.shared.on_full == OnFull::Wait => self.line_up(&mut state, cx),
            pushed => {
                wake(state);
                self.leave();
                Poll::Ready(pushed.map_err(Refusal::into_error))
            }
        }
    }

    /// Keeps its place, or takes the last one: whoever comes later stays behind, also where nobody waits for room.
    fn line_up<T>(&mut self, state: &mut State, cx: &Context<'_>) -> Poll<T> {
        let place = *self.place.get_or_insert_with(|| state.next_id());
        state.room.insert(place, cx.waker().clone());
        Poll::Pending
    }

    fn push(&mut self, state: &mut State) -> Result<(), Refusal> {
        let id = self.confirm.is_some().then(|| state.next_id());
        state.machine.push_known(self.shared.timer.now(), &self.message, self.known, id)?;
        state.accepted += self.message.body.len();
        if let Some((id, confirm)) = id.zip(self.confirm.take()) {
            remember(&mut state.confirms, id, confirm);
        }
        Ok(())
    }

    /// Leaves the line, and lets the next one try.
    fn leave(&mut self) {
        let Some(place) = self.place.take() else { return };
        let next = {
            let mut state = self.shared.lock();
            state.room.remove(&place);
            state.first_in_line()
        };
        if let Some(next) = next {
            next.wake();
        }
    }
}

impl Drop for Entrance<'_> {
    fn drop(&mut self) {
        self.leave();
    }
}
