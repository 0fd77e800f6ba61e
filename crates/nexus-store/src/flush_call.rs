//! Flushes that somebody waits for.

use futures::channel::oneshot;

use crate::FlushError;
use crate::machine::{Input, Outcome, RecordId, Ticket};
use crate::shared::Shared;

/// A flush that was asked for. Dropped before its answer it is forgotten, so that callers with a time limit leave nothing
/// behind while the store is away.
pub(crate) struct Flush<'a> {
    shared: &'a Shared,
    id: RecordId,
    /// `None` once it is answered.
    ticket: Option<Ticket>,
    answer: oneshot::Receiver<Outcome>,
}

impl<'a> Flush<'a> {
    pub(crate) const fn new(
        shared: &'a Shared,
        id: RecordId,
        ticket: Ticket,
        answer: oneshot::Receiver<Outcome>,
    ) -> Self {
        Self { shared, id, ticket: Some(ticket), answer }
    }

    pub(crate) async fn over(mut self) -> Result<(), FlushError> {
        let answer = (&mut self.answer).await;
        self.ticket = None;
        match answer {
            Ok(Outcome::Flushed(result)) => result,
            _ => Err(FlushError::Closed),
        }
    }
}

impl Drop for Flush<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.shared.forget(ticket, Input::CancelFlush(self.id, ticket));
        }
    }
}
