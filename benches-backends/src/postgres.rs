//! Ways over PostgreSQL: ours, and that of the plain client.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, poll_fn};
use futures::{FutureExt, StreamExt, stream};
use tokio_postgres::{AsyncMessage, Client, NoTls, Statement};
use transport_postgres::PostgresBus;

use crate::ours;
use crate::way::{Heard, Sender, Sides, Way};

/// Bulk messaging over `transport-postgres`.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn ours(sides: &Arc<Sides>, url: &str) -> Way {
    ours::way(sides, url, |url| async move { PostgresBus::connect(&url).await })
}

/// The plain client: one connection with so many notifications under way, each awaited. With one under way it sends them
/// one by one, with more the client pipelines them.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn plain(sides: &Arc<Sides>, url: &str, under_way: usize) -> Way {
    // Several of these share a server.
    let channel = format!("news_{under_way}");
    let sender = sides.here(connect(url.to_owned(), channel.clone(), under_way));
    Way::new(sides, sender, sides.there(hear(url.to_owned(), channel)))
}

struct Plain {
    client: Client,
    notify: Statement,
    channel: String,
    under_way: usize,
}

impl Sender for Plain {
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()> {
        let publish = move |body: Bytes| async move {
            let text = std::str::from_utf8(&body).expect("bodies are text");
            let notified = self.client.execute(&self.notify, &[&self.channel, &text]).await;
            notified.expect("the server answers");
        };
        stream::iter(bodies).for_each_concurrent(self.under_way, publish).boxed()
    }
}

async fn connect(url: String, channel: String, under_way: usize) -> Plain {
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.expect("the server answers");
    tokio::spawn(connection);
    let notify = client.prepare("SELECT pg_notify($1, $2)").await.expect("the server answers");
    Plain { client, notify, channel, under_way }
}

async fn hear(url: String, channel: String) -> Heard {
    let (client, mut connection) = tokio_postgres::connect(&url, NoTls).await.expect("the server answers");
    let mut messages = stream::poll_fn(move |cx| connection.poll_message(cx));
    let listen = format!("LISTEN {channel}");
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
