//! The task that receives: it owns the connection that is subscribed, and makes a new one when it breaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, Msg, RedisError};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};
use transport_adapter::Queue;
use transport_traits::{Error, ErrorKind};

use crate::fault::unconnected;

/// The first and the last pause between attempts to connect.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(2)];

/// What a handle asks for.
pub(crate) enum Request {
    Subscribe { channel: Arc<str>, queue: Arc<Queue>, done: oneshot::Sender<Result<(), Error>> },
    Unsubscribe { channel: Arc<str>, queue: Arc<Queue> },
}

type Connection = (PubSubSink, PubSubStream);

pub(crate) struct Listening {
    client: Client,
    patience: Duration,
    channels: BTreeMap<Arc<str>, Vec<Arc<Queue>>>,
    connection: Option<Connection>,
    pause: Duration,
}

impl Listening {
    pub(crate) fn new(client: Client, patience: Duration) -> Self {
        Self { client, patience, channels: BTreeMap::new(), connection: None, pause: PAUSES[0] }
    }

    /// Serves requests and messages until all handles and subscriptions are gone.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        loop {
            let event = match &mut self.connection {
                Some((_, stream)) => tokio::select! {
                    // In this order, so that a message that is there is not taken for one of a later subscription.
                    biased;
                    message = stream.next() => message.map_or(Event::Broke, Event::Message),
                    request = requests.recv() => request.map_or(Event::Over, Event::Asked),
                    () = sleep(self.patience) => Event::Quiet,
                },
                None if self.channels.is_empty() => requests.recv().await.map_or(Event::Over, Event::Asked),
                None => tokio::select! {
                    request = requests.recv() => request.map_or(Event::Over, Event::Asked),
                    () = sleep(self.pause) => Event::Again,
                },
            };
            match event {
                Event::Over => return,
                Event::Message(message) => self.deliver(&message),
                Event::Asked(request) => self.answer(request).await,
                Event::Broke => self.connection = None,
                Event::Quiet => self.ping().await,
                Event::Again => self.come_back().await,
            }
        }
    }

    fn deliver(&self, message: &Msg) {
        let body = Bytes::copy_from_slice(message.get_payload_bytes());
        let queues = self.channels.get(message.get_channel_name());
        queues.into_iter().flatten().for_each(|queue| queue.push(body.clone()));
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::Subscribe { channel, queue, done } => {
                let result = self.subscribe(&channel).await;
                if result.is_ok() {
                    self.channels.entry(channel).or_default().push(queue);
                }
                // A caller that is gone dropped its subscription, whose end is the next request.
                let _caller_is_gone = done.send(result);
            }
            Request::Unsubscribe { channel, queue } => self.unsubscribe(&channel, &queue).await,
        }
    }

    async fn subscribe(&mut self, channel: &Arc<str>) -> Result<(), Error> {
        if self.connection.is_none() {
            self.reconnect().await?;
        }
        if self.channels.contains_key(channel) {
            return Ok(());
        }
        let Some((sink, _)) = &mut self.connection else { return Err(unavailable("the connection broke")) };
        let subscribed = within(self.patience, sink.subscribe(&**channel)).await;
        if subscribed.is_err() {
            self.connection = None;
        }
        subscribed
    }

    async fn unsubscribe(&mut self, channel: &Arc<str>, queue: &Arc<Queue>) {
        let Some(queues) = self.channels.get_mut(channel) else { return };
        queues.retain(|other| !Arc::ptr_eq(other, queue));
        if !queues.is_empty() {
            return;
        }
        self.channels.remove(channel);
        if let Some((sink, _)) = &mut self.connection
            && within(self.patience, sink.unsubscribe(&**channel)).await.is_err()
        {
            self.connection = None;
        }
    }

    /// A connection can be dead without ever saying so: a quiet one is asked.
    async fn ping(&mut self) {
        if let Some((sink, _)) = &mut self.connection
            && within(self.patience, sink.ping::<redis::Value>()).await.is_err()
        {
            self.connection = None;
        }
    }

    async fn come_back(&mut self) {
        self.pause = match self.reconnect().await {
            Ok(()) => PAUSES[0],
            Err(error) => {
                tracing::warn!(%error, "the bus has no connection to receive on");
                (self.pause * 2).min(PAUSES[1])
            }
        };
    }

    /// Connects, subscribes to everything, and then says that messages may be missing.
    async fn reconnect(&mut self) -> Result<(), Error> {
        let (mut sink, stream) = within(self.patience, self.client.get_async_pubsub()).await?.split();
        for channel in self.channels.keys() {
            within(self.patience, sink.subscribe(&**channel)).await?;
        }
        self.connection = Some((sink, stream));
        self.channels.values().flatten().for_each(|queue| queue.lose());
        Ok(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.channels.values().flatten().for_each(|queue| queue.end());
    }
}

enum Event {
    Over,
    Message(Msg),
    Asked(Request),
    Broke,
    Quiet,
    Again,
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Error> {
    let result = timeout(patience, work).await.map_err(|_| unavailable("no answer from Redis"))?;
    result.map_err(unconnected)
}

pub(crate) fn unavailable(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, what)
}
