//! Round trips: a message of a connection to itself, behind which the server has handled all that went before.

use std::sync::atomic::{AtomicU64, Ordering};

use async_nats::{Client, Subscriber};
use futures::StreamExt;
use tokio::sync::watch;

/// The connection has ended.
pub(crate) struct Ended;

/// A subject that only one connection knows. Flushing the client would not do: it says nothing of the server, and can
/// return while bytes are still in a buffer of the client's.
pub(crate) struct Echo {
    subject: String,
    sent: AtomicU64,
    heard: watch::Receiver<u64>,
}

impl Echo {
    /// Spawns a task, which ends with this value or with the connection.
    pub(crate) async fn start(client: &Client) -> Result<Self, Ended> {
        let subject = client.new_inbox();
        let subscriber = client.subscribe(subject.clone()).await.map_err(|_| Ended)?;
        let (hear, heard) = watch::channel(0);
        tokio::spawn(listen(subscriber, hear));
        Ok(Self { subject, sent: AtomicU64::new(0), heard })
    }

    pub(crate) fn subject(&self) -> &str {
        &self.subject
    }

    /// Waits until the server has handled all that was given to the client before the call.
    pub(crate) async fn round_trip(&self, client: &Client) -> Result<(), Ended> {
        // Numbers may overtake each other on their way to the client, but what this caller gave it went before its own
        // number was taken, and so before any greater one is sent.
        let number = self.sent.fetch_add(1, Ordering::SeqCst) + 1;
        let body = number.to_string();
        client.publish(self.subject.clone(), body.into()).await.map_err(|_| Ended)?;
        self.heard.clone().wait_for(|heard| *heard >= number).await.map(drop).map_err(|_| Ended)
    }

    /// Waits for the end of the connection.
    pub(crate) async fn ended(&self) {
        let mut heard = self.heard.clone();
        let _closed = heard.wait_for(|_| false).await;
    }
}

async fn listen(mut subscriber: Subscriber, hear: watch::Sender<u64>) {
    loop {
        let message = tokio::select! {
            message = subscriber.next() => message,
            () = hear.closed() => None,
        };
        let Some(message) = message else { return };
        let number = std::str::from_utf8(&message.payload).ok().and_then(|text| text.parse().ok());
        if let Some(number) = number {
            hear.send_if_modified(|heard| {
                *heard < number && {
                    *heard = number;
                    true
                }
            });
        }
    }
}
