//! Calls that somebody waits for.

use futures::channel::oneshot;

use crate::FlushError;
use crate::machine::{Input, Outcome, Ticket};
use crate::shared::Shared;

/// A call that was made. Dropped before its answer it is taken back, so that callers with a time limit leave nothing behind
/// while the store is away.
pub(crate) struct Waiting<'a> {
    shared: &'a Shared,
    ticket: Ticket,
    /// What takes it back; `None` once it is answered.
    cancel: Option<Input>,
    answer: oneshot::Receiver<Outcome>,
}

impl<'a> Waiting<'a> {
    pub(crate) const fn new(
        shared: &'a Shared,
        ticket: Ticket,
        cancel: Input,
        answer: oneshot::Receiver<Outcome>,
    ) -> Self {
        Self { shared, ticket, cancel: Some(cancel), answer }
    }

    /// The answer; `None` if there will be none.
    pub(crate) async fn over(mut self) -> Option<Outcome> {
        let answer = (&mut self.answer).await;
        self.cancel = None;
        answer.ok()
    }

    /// The answer to a flush.
    pub(crate) async fn flushed(self) -> Result<(), FlushError> {
        match self.over().await {
            Some(Outcome::Flushed(result)) => result,
            _ => Err(FlushError::Closed),
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(cancel) = self.cancel.take() {
            self.shared.forget(self.ticket, cancel);
        }
    }
}
