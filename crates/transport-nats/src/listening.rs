//! The task that receives: it owns the connection that is subscribed, and makes a new one when it breaks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures::StreamExt;
use futures::future::AbortHandle;
use futures::stream::{Abortable, SelectAll, abortable};
use tokio::sync::{mpsc, oneshot};
use tokio::time::sleep;
use transport_adapter::Queue;
use transport_traits::Error;

use crate::access::Access;
use crate::connection::Connection;
use crate::fault::{Does, Silence};

/// The first and the last pause between attempts to connect.
const PAUSES: [Duration; 2] = [Duration::from_millis(20), Duration::from_secs(2)];

/// What a handle asks for.
pub(crate) enum Request {
    Subscribe { subject: Arc<str>, queue: Arc<Queue>, done: oneshot::Sender<Result<(), Error>> },
    Unsubscribe { subject: Arc<str>, queue: Arc<Queue> },
}

/// A connection and what comes in on it.
struct Ear {
    connection: Connection,
    inbound: SelectAll<Abortable<Subscriber>>,
    /// Ends the subscription to a subject.
    ends: BTreeMap<Arc<str>, AbortHandle>,
}

pub(crate) struct Listening {
    access: Arc<Access>,
    subjects: BTreeMap<Arc<str>, Vec<Arc<Queue>>>,
    ear: Option<Ear>,
    pause: Duration,
}

impl Listening {
    pub(crate) fn new(access: Arc<Access>) -> Self {
        Self { access, subjects: BTreeMap::new(), ear: None, pause: PAUSES[0] }
    }

    /// Serves requests and messages until all handles and subscriptions are gone.
    pub(crate) async fn run(mut self, mut requests: mpsc::UnboundedReceiver<Request>) {
        loop {
            let event = match &mut self.ear {
                Some(Ear { connection, inbound, .. }) => tokio::select! {
                    message = inbound.next(), if !inbound.is_empty() => {
                        message.map_or(Event::Broke, Event::Message)
                    }
                    request = requests.recv() => request.map_or(Event::Over, Event::Asked),
                    () = connection.broken() => Event::Broke,
                    () = sleep(self.access.options.timeout) => Event::Quiet,
                },
                None if self.subjects.is_empty() => requests.recv().await.map_or(Event::Over, Event::Asked),
                None => tokio::select! {
                    request = requests.recv() => request.map_or(Event::Over, Event::Asked),
                    () = sleep(self.pause) => Event::Again,
                },
            };
            match event {
                Event::Over => return,
                Event::Message(message) => self.deliver(message),
                Event::Asked(request) => self.answer(request).await,
                Event::Broke => self.ear = None,
                Event::Quiet => self.ping().await,
                Event::Again => self.come_back().await,
            }
        }
    }

    fn deliver(&self, message: Message) {
        let queues = self.subjects.get(&*message.subject);
        queues.into_iter().flatten().for_each(|queue| queue.push(message.payload.clone()));
    }

    async fn answer(&mut self, request: Request) {
        match request {
            Request::Subscribe { subject, queue, done } => {
                let result = self.subscribe(&subject).await;
                if result.is_ok() {
                    self.subjects.entry(subject).or_default().push(queue);
                }
                // A caller that is gone dropped its subscription, whose end is the next request.
                let _caller_is_gone = done.send(result);
            }
            Request::Unsubscribe { subject, queue } => self.unsubscribe(&subject, &queue),
        }
    }

    async fn subscribe(&mut self, subject: &Arc<str>) -> Result<(), Error> {
        if self.ear.is_none() {
            self.reconnect().await?;
        }
        let Some(ear) = &mut self.ear else { unreachable!("it was just made") };
        if ear.ends.contains_key(subject) {
            return Ok(());
        }
        ear.subscribe(subject).await.map_err(|silence| {
            if matches!(silence, Silence::Lost) {
                self.ear = None;
            }
            subscribing(silence)
        })
    }

    fn unsubscribe(&mut self, subject: &Arc<str>, queue: &Arc<Queue>) {
        let Some(queues) = self.subjects.get_mut(subject) else { return };
        queues.retain(|other| !Arc::ptr_eq(other, queue));
        if !queues.is_empty() {
            return;
        }
        self.subjects.remove(subject);
        if let Some(end) = self.ear.as_mut().and_then(|ear| ear.ends.remove(subject)) {
            end.abort();
        }
    }

    /// A connection can be dead without ever saying so: a quiet one is asked.
    async fn ping(&mut self) {
        if let Some(ear) = &self.ear
            && ear.connection.settle().await.is_err()
        {
            self.ear = None;
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
        let connection = Connection::open(&self.access).await?;
        let mut ear = Ear { connection, inbound: SelectAll::new(), ends: BTreeMap::new() };
        for subject in self.subjects.keys() {
            ear.subscribe(subject).await.map_err(subscribing)?;
        }
        self.ear = Some(ear);
        self.subjects.values().flatten().for_each(|queue| queue.lose());
        Ok(())
    }
}

impl Ear {
    async fn subscribe(&mut self, subject: &Arc<str>) -> Result<(), Silence> {
        let (subscriber, end) = abortable(self.connection.subscribe(subject).await?);
        self.inbound.push(subscriber);
        self.ends.insert(subject.clone(), end);
        Ok(())
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.subjects.values().flatten().for_each(|queue| queue.end());
    }
}

enum Event {
    Over,
    Message(Message),
    Asked(Request),
    Broke,
    Quiet,
    Again,
}

fn subscribing(silence: Silence) -> Error {
    silence.fault("subscribing", Does::Read).error
}
