//! Ways over Redis: ours, and those of the plain client.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use redis::aio::MultiplexedConnection;
use redis::{Client, Cmd};
use transport_redis::RedisBus;

use crate::ours;
use crate::way::{Heard, Sender, Sides, Way};

/// The channels of the two ways of the plain client, so that neither hears the other.
const CHANNELS: [&str; 2] = ["multiplexed", "pipelined"];

/// Bulk messaging over `transport-redis`.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn ours(sides: &Arc<Sides>, url: &str) -> Way {
    ours::way(sides, url, |url| async move { RedisBus::connect(&url).await })
}

/// The plain client: a multiplexed connection with so many publishes under way.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn multiplexed(sides: &Arc<Sides>, url: &str, under_way: usize) -> Way {
    let connection = sides.here(connect(url.to_owned()));
    Way::new(sides, Multiplexed { connection, under_way }, sides.there(hear(url.to_owned(), CHANNELS[0])))
}

/// The plain client: pipelines of so many publishes, one after the other.
///
/// # Panics
/// If the server does not answer.
#[must_use]
pub fn pipelines(sides: &Arc<Sides>, url: &str, publishes: usize) -> Way {
    let connection = sides.here(connect(url.to_owned()));
    Way::new(sides, Pipelines { connection, publishes }, sides.there(hear(url.to_owned(), CHANNELS[1])))
}

struct Multiplexed {
    connection: MultiplexedConnection,
    under_way: usize,
}

impl Sender for Multiplexed {
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()> {
        let publish = |body: Bytes| {
            let mut connection = self.connection.clone();
            async move {
                publish(CHANNELS[0], &body).exec_async(&mut connection).await.expect("the server answers")
            }
        };
        stream::iter(bodies).for_each_concurrent(self.under_way, publish).boxed()
    }
}

struct Pipelines {
    connection: MultiplexedConnection,
    publishes: usize,
}

impl Sender for Pipelines {
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()> {
        let pipeline = |bodies: Vec<Bytes>| {
            let mut connection = self.connection.clone();
            async move {
                let mut pipeline = redis::pipe();
                for body in &bodies {
                    pipeline.add_command(publish(CHANNELS[1], body)).ignore();
                }
                pipeline.exec_async(&mut connection).await.expect("the server answers");
            }
        };
        stream::iter(bodies).chunks(self.publishes).for_each(pipeline).boxed()
    }
}

fn publish(channel: &str, body: &[u8]) -> Cmd {
    let mut publish = redis::cmd("PUBLISH");
    publish.arg(channel).arg(body);
    publish
}

async fn connect(url: String) -> MultiplexedConnection {
    let client = Client::open(url).expect("the URL is a server's own");
    client.get_multiplexed_async_connection().await.expect("the server answers")
}

async fn hear(url: String, channel: &'static str) -> Heard {
    let client = Client::open(url).expect("the URL is a server's own");
    let mut connection = client.get_async_pubsub().await.expect("the server answers");
    connection.subscribe(channel).await.expect("the server answers");
    let body = |message: redis::Msg| Bytes::copy_from_slice(message.get_payload_bytes());
    connection.into_on_message().map(body).boxed()
}
