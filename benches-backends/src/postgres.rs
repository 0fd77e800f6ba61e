//! Ways over PostgreSQL: ours, and that of the plain client.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, poll_fn};
use futures::{FutureExt, StreamExt, stream};
use tokio_postgres::{AsyncMessage, Client, NoTls, Statement};
use transport_postgres::PostgresBus;

use crate::ours;
use crate::way::{Heard, Sender, Sides, Way};

const CHANNEL: &str = "news";

/// Bulk messaging over `transport-postgres`.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn ours(sides: &Arc<Sides>, url: &str) -> Way {
    let bus = |url: String| async move { PostgresBus::connect(&url).await.expect("the server answers") };
    let (here, there) = (sides.here(bus(url.to_owned())), sides.there(bus(url.to_owned())));
    ours::way(sides, here, there)
}

/// The plain client: one notification after the other, each awaited.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn awaited(sides: &Arc<Sides>, url: &str) -> Way {
    let sender = sides.here(connect(url.to_owned()));
    Way::new(sides, sender, sides.there(hear(url.to_owned())))
}

struct Awaited {
    client: Client,
    notify: Statement,
}

impl Sender for Awaited {
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()> {
        async move {
            for body in bodies {
                let text = std::str::from_utf8(&body).expect("bodies are text");
                let notified = self.client.execute(&self.notify, &[&CHANNEL, &text]).await;
                notified.expect("the server answers");
            }
        }
        .boxed()
    }
}

async fn connect(url: String) -> Awaited {
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    let notify = client.prepare("SELECT pg_notify($1, $2)").await.expect("the server answers");
    Awaited { client, notify }
}

async fn hear(url: String) -> Heard {
    let (client, mut connection) = tokio_postgres::connect(&url, NoTls).await.expect("the server answers");
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let listen = format!("LISTEN {CHANNEL}");
    let mut listening = client.batch_execute(&listen).boxed();
    // The connection moves while it is read.
    let listened = poll_fn(|cx| {
        let _notices = messages.poll_next_unpin(cx);
        listening.poll_unpin(cx)
    });
    listened.await.expect("the server answers");
    drop(listening);
    let body = move |message| {
        let _alive = &client;
        std::future::ready(match message {
            Ok(AsyncMessage::Notification(news)) => Some(Bytes::copy_from_slice(news.payload().as_bytes())),
            _ => None,
        })
    };
    messages.filter_map(body).boxed()
}
