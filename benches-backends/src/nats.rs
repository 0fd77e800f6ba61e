//! Ways over NATS: ours, and that of the plain client.

use std::sync::Arc;

use async_nats::{Client, ConnectOptions};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use transport_nats::NatsBus;

use crate::ours;
use crate::way::{Heard, Sender, Sides, Way};

const SUBJECT: &str = "news";

/// Messages that wait in a subscription: as many as a round has, for the client drops what is more.
const WAITING: usize = 1 << 20;

/// Bulk messaging over `transport-nats`.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn ours(sides: &Arc<Sides>, url: &str) -> Way {
    ours::way(sides, url, |url| async move { NatsBus::connect(&url).await })
}

/// The plain client, which puts publishes together as it sees fit.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn plain(sides: &Arc<Sides>, url: &str) -> Way {
    let sender = Plain(sides.here(connect(url.to_owned())));
    Way::new(sides, sender, sides.there(hear(url.to_owned())))
}

struct Plain(Client);

impl Sender for Plain {
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()> {
        async move {
            for body in bodies {
                self.0.publish(SUBJECT, body).await.expect("the connection lives");
            }
        }
        .boxed()
    }
}

async fn connect(url: String) -> Client {
    let options = ConnectOptions::new().subscription_capacity(WAITING);
    options.connect(url).await.expect("the server answers")
}

async fn hear(url: String) -> Heard {
    let client = connect(url).await;
    let news = client.subscribe(SUBJECT).await.expect("the connection lives");
    // A round trip on the same connection, so that the subscription is in place.
    client.flush().await.expect("the server answers");
    let body = move |message: async_nats::Message| {
        let _alive = &client;
        message.payload
    };
    news.map(body).boxed()
}
