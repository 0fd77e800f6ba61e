//! What a connection is told outside of the answers to its calls.

use std::collections::BTreeMap;

use async_nats::{Event, ServerError};
use tokio::sync::{Notify, watch};

/// Of how many subjects refusals are counted. Calls on others end by their timeout.
const COUNTED: usize = 1_024;

/// What a server did not let a client do.
#[derive(Clone, Copy)]
pub(crate) enum Refused {
    Publish,
    Subscription,
}

/// How often the server refused what, as it says it: `Publish to "nexus.news"`.
pub(crate) type Refusals = BTreeMap<String, u64>;

#[derive(Default)]
pub(crate) struct Trouble {
    refusals: watch::Sender<Refusals>,
    lost: Notify,
}

impl Trouble {
    pub(crate) fn note(&self, event: Event) {
        match event {
            Event::SlowConsumer(_) => self.lost.notify_one(),
            Event::ServerError(ServerError::Other(text)) => self.note_refusal(&text),
            _ => {}
        }
    }

    /// The text is `Permissions Violation for Publish to "nexus.news"`, for subscriptions sometimes with more behind it.
    /// Source: `pubPermissionViolation` and `subPermissionViolation` in `client.go` of the server.
    fn note_refusal(&self, text: &str) {
        let Some(what) = text.strip_prefix("Permissions Violation for ") else { return };
        let Some(end) = what.match_indices('"').nth(1).map(|(at, _)| at + 1) else { return };
        self.refusals.send_if_modified(|refusals| {
            let known = refusals.len() < COUNTED || refusals.contains_key(&what[..end]);
            if known {
                *refusals.entry(what[..end].to_owned()).or_default() += 1;
            }
            known
        });
    }

    /// Waits until the client library has dropped messages because they were not read in time.
    pub(crate) async fn lost(&self) {
        self.lost.notified().await;
    }

    /// How often the server has refused this so far.
    pub(crate) fn refusals(&self, refused: Refused, subject: &str) -> u64 {
        self.refusals.borrow().get(&said(refused, subject)).copied().unwrap_or_default()
    }

    /// Tells of every refusal.
    pub(crate) fn all_refusals(&self) -> watch::Receiver<Refusals> {
        self.refusals.subscribe()
    }

    /// Waits until the server has refused this more often.
    pub(crate) async fn refused(&self, refused: Refused, subject: &str, before: u64) {
        let said = said(refused, subject);
        let more = |refusals: &Refusals| refusals.get(&said).is_some_and(|count| *count > before);
        let found = self.refusals.subscribe().wait_for(more).await.is_ok();
        assert!(found, "the sender is this one's own, so it is there");
    }
}

fn said(refused: Refused, subject: &str) -> String {
    let what = match refused {
        Refused::Publish => "Publish",
        Refused::Subscription => "Subscription",
    };
    format!("{what} to \"{subject}\"")
}

#[cfg(test)]
mod tests;
