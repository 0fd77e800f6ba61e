//! The task that receives: it owns the connection that listens, and makes a new one when it breaks.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::task::coop::unconstrained;
use tokio::time::{sleep, timeout};
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{AsyncMessage, Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;
use transport_adapter::Queue;
use transport_traits::{Error, ErrorKind};

use crate::fault::{Does, Fault, failed, silent, unconnected};
use crate::names::{quote, unescape};
use crate::target::Target;

/// The first and the last pause between attempts to connect.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(2)];

/// What a handle asks for.
pub(crate) enum Request {
    Subscribe { channel: Arc<str>, queue: Arc<Queue>, done: oneshot::Sender<Result<(), Error>> },
    Unsubscribe { channel: Arc<str>, queue: Arc<Queue> },
}

type Channels = BTreeMap<Arc<str>, Vec<Arc<Queue>>>;

type Wire = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A connection, which moves only while it is polled.
struct Ear {
    client: Client,
    connection: Wire,
}

pub(crate) struct Listening {
    target: Target,
    patience: Duration,
    channels: Channels,
    ear: Option<Ear>,
    pause: Duration,
}

impl Ear {
    async fn open(target: &Target, patience: Duration) -> Result<Self, Error> {
        let connecting = target.config.connect(target.tls.clone());
        let connected =
            timeout(patience, connecting).await.map_err(|_| unavailable("no answer from PostgreSQL"))?;
        let (client, connection) = connected.map_err(unconnected)?;
        Ok(Self { client, connection })
    }

    /// Runs statements, and hands over what comes in meanwhile.
    async fn ask(&mut self, statements: &str, patience: Duration, channels: &Channels) -> Result<(), Fault> {
        let answer = timeout(patience, self.client.batch_execute(statements));
        let what = "subscribing";
        tokio::select! {
            // In this order, so that a message that is there is not taken for one of a later subscription.
            biased;
            () = hear(&mut self.connection, channels) => Err(silent(what, Does::Read)),
            answer = answer => match answer {
                Ok(answer) => answer.map_err(|error| failed(what, Does::Read, error)),
                Err(_) => Err(silent(what, Does::Read)),
            },
        }
    }
}

/// Hands messages over until the connection ends.
async fn hear(connection: &mut Wire, channels: &Channels) {
    while let Some(Ok(message)) = poll_fn(|cx| connection.poll_message(cx)).await {
        if let AsyncMessage::Notification(message) = message {
            let body = Bytes::copy_from_slice(unescape(message.payload()).as_bytes());
            let queues = channels.get(message.channel());
            queues.into_iter().flatten().for_each(|queue| queue.push(body.clone()));
        }
    }
}

impl Listening {
    pub(crate) fn new(target: Target, patience: Duration) -> Self {
        Self { target, patience, channels: Channels::new(), ear: None, pause: PAUSES[0] }
    }

    /// Serves requests and messages until all handles and subscriptions are gone.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        loop {
            let event = match &mut self.ear {
                Some(ear) => tokio::select! {
                    // In the order of `ask`, for the same reason.
                    biased;
                    () = hear(&mut ear.connection, &self.channels) => Event::Broke,
                    // When the runtime has the connection pause in a flood, it would have this pause too.
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
                Event::Broke => self.ear = None,
                // A connection can be dead without ever saying so: it is asked.
                Event::Quiet => drop(self.ask("").await),
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
        if self.ear.is_none() {
            self.reconnect().await?;
        }
        if self.channels.contains_key(channel) {
            return Ok(());
        }
        self.ask(&listen(channel)).await
    }

    async fn unsubscribe(&mut self, channel: &Arc<str>, queue: &Arc<Queue>) {
        let Some(queues) = self.channels.get_mut(channel) else { return };
        queues.retain(|other| !Arc::ptr_eq(other, queue));
        if queues.is_empty() {
            self.channels.remove(channel);
            let unlistened = self.ask(&format!("UNLISTEN {}", quote(channel))).await;
            // Where it failed, messages of the channel find no queue.
            drop(unlistened);
        }
    }

    /// Asks the server on the connection that there is, which is dropped if it is of no use any more.
    async fn ask(&mut self, statements: &str) -> Result<(), Error> {
        let Some(ear) = &mut self.ear else { return Err(unavailable("the connection broke")) };
        let asked = ear.ask(statements, self.patience, &self.channels).await;
        asked.map_err(|fault| {
            if fault.breaks {
                self.ear = None;
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

    /// Connects, subscribes to everything, and then says that messages may be missing.
    async fn reconnect(&mut self) -> Result<(), Error> {
        let mut ear = Ear::open(&self.target, self.patience).await?;
        let statements: String = self.channels.keys().map(|channel| listen(channel)).collect();
        ear.ask(&statements, self.patience, &self.channels).await.map_err(|fault| fault.error)?;
        self.ear = Some(ear);
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
    Asked(Request),
    Broke,
    Quiet,
    Again,
}

fn listen(channel: &str) -> String {
    format!("LISTEN {};", quote(channel))
}

pub(crate) fn unavailable(what: &str) -> Error {
    Error::new(ErrorKind::Unavailable, what)
}
