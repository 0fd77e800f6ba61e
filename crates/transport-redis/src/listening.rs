//! The task that receives: it owns the connection that is subscribed, and makes a new one when it breaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::future::join_all;
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, RedisError, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::task::coop::unconstrained;
use tokio::time::{sleep, timeout};
use transport_adapter::Queue;
use transport_traits::{Error, ErrorKind};

use crate::fault::{Fault, unheard};

/// The first and the last pause between attempts to connect.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(2)];

/// What a handle asks for.
pub(crate) enum Request {
    Subscribe { channel: Arc<str>, queue: Arc<Queue>, done: oneshot::Sender<Result<(), Error>> },
    Unsubscribe { channel: Arc<str>, queue: Arc<Queue> },
}

type Channels = BTreeMap<Arc<str>, Vec<Arc<Queue>>>;

type Connection = (PubSubSink, PubSubStream);

pub(crate) struct Listening {
    client: Client,
    patience: Duration,
    channels: Channels,
    connection: Option<Connection>,
    pause: Duration,
}

/// How many topics are asked for at once after a reconnect: each such group has the whole patience.
const GROUP: usize = 1_000;

/// Hands messages over until the connection ends, and notes that there were any.
async fn hear(stream: &mut PubSubStream, channels: &Channels, heard: &AtomicBool) {
    while let Some(message) = stream.next().await {
        heard.store(true, Ordering::Relaxed);
        let body = Bytes::copy_from_slice(message.get_payload_bytes());
        let queues = channels.get(message.get_channel_name());
        queues.into_iter().flatten().for_each(|queue| queue.push(body.clone()));
    }
}

impl Listening {
    pub(crate) fn new(client: Client, patience: Duration) -> Self {
        Self { client, patience, channels: Channels::new(), connection: None, pause: PAUSES[0] }
    }

    /// Serves requests and messages until all handles and subscriptions are gone.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        let heard = AtomicBool::new(false);
        loop {
            let event = match &mut self.connection {
                Some((_, stream)) => tokio::select! {
                    // In this order, so that a message that is there is not taken for one of a later subscription, but
                    // in a flood.
                    biased;
                    () = hear(stream, &self.channels, &heard) => Event::Broke,
                    // When the runtime has the stream pause in a flood, it would have this pause too.
                    request = unconstrained(requests.recv()) => request.map_or(Event::Over, Event::Asked),
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
                Event::Asked(request) => self.answer(request).await,
                Event::Broke => self.connection = None,
                // Messages are a sign of life. The answer to a question would come behind all of them.
                Event::Quiet if heard.swap(false, Ordering::Relaxed) => {}
                // A connection can be dead without ever saying so: it is asked.
                Event::Quiet => {
                    drop(self.ask(|mut sink| async move { sink.ping::<Value>().await.map(drop) }).await)
                }
                Event::Again => self.come_back().await,
            }
        }
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
        let name = channel.clone();
        self.ask(|mut sink| async move { sink.subscribe(&*name).await }).await
    }

    async fn unsubscribe(&mut self, channel: &Arc<str>, queue: &Arc<Queue>) {
        let Some(queues) = self.channels.get_mut(channel) else { return };
        queues.retain(|other| !Arc::ptr_eq(other, queue));
        if queues.is_empty() {
            self.channels.remove(channel);
            let name = channel.clone();
            let unsubscribed = self.ask(|mut sink| async move { sink.unsubscribe(&*name).await }).await;
            // Where it failed, messages of the channel find no queue.
            drop(unsubscribed);
        }
    }

    /// Asks the server on the connection that there is, which is dropped where it broke. One that the server answered with
    /// a refusal is as good as before.
    async fn ask<F>(&mut self, question: impl FnOnce(PubSubSink) -> F) -> Result<(), Error>
    where
        F: Future<Output = Result<(), RedisError>>,
    {
        let Some((sink, _)) = &self.connection else { return Err(unavailable("the connection broke")) };
        within(self.patience, question(sink.clone())).await.map_err(|fault| {
            if fault.breaks {
                self.connection = None;
            }
            fault.error
        })
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

    /// Connects, subscribes to everything at once, and then says that messages may be missing. Where the server refuses a
    /// topic, that one ends.
    async fn reconnect(&mut self) -> Result<(), Error> {
        let connecting = within(self.patience, self.client.get_async_pubsub()).await;
        let (sink, stream) = connecting.map_err(|fault| fault.error)?.split();
        let names: Vec<_> = self.channels.keys().cloned().collect();
        let mut refused = Vec::new();
        for group in names.chunks(GROUP) {
            // Each in a command of its own, so that each has an answer, but no one waits for the answer to another.
            let (patience, connected) = (self.patience, &sink);
            let asked = group
                .iter()
                .map(|name| async move { within(patience, connected.clone().subscribe(&**name)).await });
            for (name, answer) in group.iter().zip(join_all(asked).await) {
                match answer {
                    Err(fault) if fault.error.kind() == ErrorKind::Denied => {
                        refused.push((name, fault.error))
                    }
                    answer => answer.map_err(|fault| fault.error)?,
                }
            }
        }
        self.connection = Some((sink, stream));
        refused.iter().for_each(|(channel, error)| self.end(channel, error));
        self.channels.values().flatten().for_each(|queue| queue.lose());
        Ok(())
    }

    fn end(&mut self, channel: &Arc<str>, error: &Error) {
        tracing::warn!(%channel, %error, "the server refuses a topic that was subscribed to, whose subscriptions end");
        self.channels.remove(channel).into_iter().flatten().for_each(|queue| queue.end());
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.channels.values().flatten().for_each(|queue| queue.end());
    }
}

enum Event {
    Over,
    Asked(Request),
    Broke,
    Quiet,
    Again,
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, RedisError>>,
) -> Result<T, Fault> {
    let silent = || Fault { error: unavailable("no answer from Redis"), breaks: true };
    timeout(patience, work).await.map_err(|_| silent())?.map_err(unheard)
}

pub(crate) fn unavailable(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, what)
}
