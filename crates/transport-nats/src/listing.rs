//! The keys of a store, a page at a time.

use std::collections::HashSet;
use std::sync::Arc;

use async_nats::jetstream::response::Response;
use async_nats::{Message, StatusCode};
use futures::stream::{self, Stream, StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::{Value, json};
use transport_traits::Error;

use crate::connection::Connection;
use crate::fault::{Does, Fault, Silence, refused};
use crate::store::NatsStore;
use crate::{bucket, keys, state};

/// Keys that the server sends for one request.
const PAGE: usize = 500;

/// How long the server keeps a listing that nobody goes on with, in nanoseconds.
const KEPT: u64 = 60_000_000_000;

#[derive(Deserialize)]
struct Consumer {
    name: String,
}

/// Where a listing stands.
enum Place {
    Begin,
    /// The consumer that holds the place.
    At(String),
    End,
}

/// The keys of the store that begin with the prefix, each once.
pub(crate) fn keys(
    nats: &NatsStore,
    store: Arc<str>,
    prefix: Arc<str>,
) -> impl Stream<Item = Result<Arc<str>, Error>> + Send {
    let first = nats.check_store_name(&store).map(|()| Place::Begin);
    let in_store = store.clone();
    let pages = stream::once(std::future::ready(first)).map_ok(move |place| {
        let store = in_store.clone();
        stream::try_unfold(place, move |place| {
            let store = store.clone();
            async move { page(nats, &store, place).await }
        })
    });
    let names = pages.try_flatten().map_ok(|page| stream::iter(page).map(Ok)).try_flatten();
    // A record that changes meanwhile comes again.
    let mut seen = HashSet::new();
    names.try_filter_map(move |subject: String| {
        let key = keys::key_of(nats.bucket(), &store, &subject);
        let key = key.filter(|key| key.starts_with(&*prefix) && seen.insert(key.clone()));
        std::future::ready(Ok(key))
    })
}

/// The subjects of the records of the next page, and where it ends.
async fn page(nats: &NatsStore, store: &str, place: Place) -> Result<Option<(Vec<String>, Place)>, Error> {
    if matches!(place, Place::End) {
        return Ok(None);
    }
    let held = nats.hold().await?;
    let result = fetch(&held, nats.bucket(), store, place).await;
    nats.release(held, result).map(Some)
}

async fn fetch(
    connection: &Connection,
    bucket: &str,
    store: &str,
    place: Place,
) -> Result<(Vec<String>, Place), Fault> {
    let stream = keys::stream(bucket);
    let consumer = match place {
        Place::At(consumer) => consumer,
        _ => begin(connection, &stream, &keys::records(bucket, store)).await?,
    };
    let silent = |silence: Silence| silence.fault("listing", Does::Read);
    let inbox = connection.inbox();
    let mut answers = connection.subscribe(&inbox).await.map_err(silent)?;
    let next = format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}");
    let wanted = json!({ "batch": PAGE, "no_wait": true }).to_string();
    connection.post(next, inbox, wanted.into()).await.map_err(silent)?;
    let mut page = Vec::with_capacity(PAGE);
    for _ in 0..PAGE {
        let answer = connection.wait(answers.next()).await.map_err(silent)?;
        match answer.status {
            None => page.push(answer),
            Some(StatusCode::NOT_FOUND) => {
                // If this fails the server does it a little later.
                let what = format!("CONSUMER.DELETE.{stream}.{consumer}");
                let _deleted_later = bucket::api::<Value>(connection, &what, &json!({})).await;
                return Ok((subjects(&page), Place::End));
            }
            // Older servers end a page that is not full with this. What comes next, if anything, the next one shows.
            Some(StatusCode::TIMEOUT) if !page.is_empty() => break,
            // Some are missing: the consumer is gone, or its server.
            Some(_) => return Err(Silence::Nobody.fault("listing", Does::Read)),
        }
    }
    Ok((subjects(&page), Place::At(consumer)))
}

/// Of the records that are not deleted.
fn subjects(page: &[Message]) -> Vec<String> {
    let present = |message: &&Message| !message.headers.as_ref().is_some_and(state::is_deletion);
    page.iter().filter(present).map(|message| message.subject.to_string()).collect()
}

/// Makes a consumer of the last state of each record, without the values.
async fn begin(connection: &Connection, stream: &str, subjects: &str) -> Result<String, Fault> {
    let wanted = json!({
        "stream_name": stream,
        "config": {
            "deliver_policy": "last_per_subject",
            "ack_policy": "none",
            "replay_policy": "instant",
            "filter_subject": subjects,
            "headers_only": true,
            "inactive_threshold": KEPT,
        },
    });
    match bucket::api(connection, &format!("CONSUMER.CREATE.{stream}"), &wanted).await? {
        Response::Ok(Consumer { name }) => Ok(name),
        Response::Err { error } => Err(refused("listing", error)),
    }
}
