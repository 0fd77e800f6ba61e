//! The bucket on the server: what is asked of JetStream, and what it answers.

use async_nats::HeaderMap;
use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::message::StreamMessage;
use async_nats::jetstream::publish::PublishAck;
use async_nats::jetstream::response::Response;
use async_nats::jetstream::stream::RawMessage;
use bytes::Bytes;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use transport_traits::{Error, ErrorKind};

use crate::connection::Connection;
use crate::fault::{Does, Fault, malformed, refused};
use crate::{Options, keys};

/// How long the server looks for doubles of a message that carries an id; ours carry none. What other makers of buckets
/// set.
const DOUBLES: u64 = 120_000_000_000;

#[derive(Deserialize)]
struct Info {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    max_msgs_per_subject: i64,
}

#[derive(Deserialize)]
struct Got {
    message: RawMessage,
}

/// Makes the bucket if it is not there. Gives how many states of a record it keeps.
pub(crate) async fn ensure(connection: &Connection, options: &Options) -> Result<i64, Error> {
    let stream = keys::stream(&options.bucket);
    let info = format!("STREAM.INFO.{stream}");
    let mut found: Response<Info> = api(connection, &info, &json!({})).await.map_err(|fault| fault.error)?;
    if is(&found, ErrorCode::STREAM_NOT_FOUND) {
        let create = format!("STREAM.CREATE.{stream}");
        found = api(connection, &create, &wanted(options)).await.map_err(|fault| fault.error)?;
    }
    if is(&found, ErrorCode::STREAM_NAME_EXIST) {
        // Somebody else just made it, with other settings.
        found = api(connection, &info, &json!({})).await.map_err(|fault| fault.error)?;
    }
    match found {
        Response::Ok(info) => Ok(info.config.max_msgs_per_subject),
        Response::Err { error } => Err(refused("looking for the bucket", error).error),
    }
}

/// The settings of a bucket, as NATS ADR-8 has them, so that every client takes it for one.
fn wanted(options: &Options) -> Value {
    json!({
        "name": keys::stream(&options.bucket),
        "subjects": [keys::everything(&options.bucket)],
        "max_msgs_per_subject": options.history_versions + 1,
        "storage": if options.in_memory { "memory" } else { "file" },
        "num_replicas": options.replicas,
        "retention": "limits",
        // When it is full it refuses what is new, rather than forget records.
        "discard": "new",
        "allow_rollup_hdrs": true,
        "deny_delete": true,
        "allow_direct": true,
        "max_age": 0,
        "max_bytes": -1,
        "max_consumers": -1,
        "max_msg_size": -1,
        "max_msgs": -1,
        "duplicate_window": DOUBLES,
    })
}

fn is<T>(response: &Response<T>, code: ErrorCode) -> bool {
    matches!(response, Response::Err { error } if error.error_code() == code)
}

/// The message that `which` asks the leader of the stream for, never a replica: `seq`, `last_by_subj`, or `seq` and
/// `next_by_subj`.
pub(crate) async fn message(
    connection: &Connection,
    bucket: &str,
    which: &Value,
) -> Result<Option<StreamMessage>, Fault> {
    let subject = format!("STREAM.MSG.GET.{}", keys::stream(bucket));
    let found: Response<Got> = api(connection, &subject, which).await?;
    match found {
        Response::Ok(got) => {
            let message = got.message.try_into();
            Ok(Some(message.map_err(|error| malformed("a message of the bucket").with_source(error))?))
        }
        Response::Err { error } if error.error_code() == ErrorCode::NO_MESSAGE_FOUND => Ok(None),
        Response::Err { error } => Err(refused("reading", error)),
    }
}

/// Adds a message to the bucket, and waits until it is stored as the bucket says. Gives its sequence.
pub(crate) async fn append(
    connection: &Connection,
    subject: &str,
    headers: HeaderMap,
    body: Bytes,
) -> Result<u64, Fault> {
    let answer = connection.ask(subject, Some(headers), body).await;
    let answer = answer.map_err(|silence| silence.fault("writing", Does::Change))?;
    match serde_json::from_slice::<Response<PublishAck>>(&answer.payload) {
        Ok(Response::Ok(ack)) => Ok(ack.sequence),
        Ok(Response::Err { error }) => Err(refused("writing", error)),
        Err(error) => Err(Error::new(ErrorKind::Unknown, "the answer to a write").with_source(error).into()),
    }
}

/// A request that changes no record.
pub(crate) async fn api<T: DeserializeOwned>(
    connection: &Connection,
    what: &str,
    request: &Value,
) -> Result<T, Fault> {
    let answer = connection.ask(&format!("$JS.API.{what}"), None, request.to_string().into()).await;
    let answer = answer.map_err(|silence| silence.fault(what, Does::Read))?;
    serde_json::from_slice(&answer.payload)
        .map_err(|error| malformed("an answer of JetStream").with_source(error).into())
}
