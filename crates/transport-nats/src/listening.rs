//! The task that receives: it owns the connection that is subscribed, and makes a new one when it breaks.

use std::collections::BTreeMap;
use std::slice;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Message, Subscriber};
use futures::StreamExt;
use futures::future::AbortHandle;
use futures::stream::{Abortable, SelectAll, abortable};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;
use transport_adapter::Queue;
use transport_traits::Error;

use crate::access::Access;
use crate::connection::{Connection, FEW, Heard};
use crate::fault::{Does, Silence};
use crate::trouble::Refusals;

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
    /// What ends the subscription to a subject, and how often the server had refused it before.
    ends: BTreeMap<Arc<str>, (AbortHandle, u64)>,
    refusals: watch::Receiver<Refusals>,
    /// How many subscriptions that were in place the server has taken away.
    taken_away: usize,
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
                Some(Ear { connection, inbound, refusals, .. }) => tokio::select! {
                    message = inbound.next(), if !inbound.is_empty() => {
                        message.map_or(Event::Broke, Event::Message)
                    }
                    request = requests.recv() => request.map_or(Event::Over, Event::Asked),
                    () = connection.broken() => Event::Broke,
                    Ok(()) = refusals.changed() => Event::Refused,
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
                Event::Refused => self.end_what_was_taken_away(),
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
        match ear.subscribe(slice::from_ref(subject)).await {
            Ok(refused) if refused.is_empty() => Ok(()),
            Ok(_) => Err(subscribing(Silence::Denied)),
            Err(silence) => {
                self.ear = None;
                Err(subscribing(silence))
            }
        }
    }

    fn unsubscribe(&mut self, subject: &Arc<str>, queue: &Arc<Queue>) {
        let Some(queues) = self.subjects.get_mut(subject) else { return };
        queues.retain(|other| !Arc::ptr_eq(other, queue));
        if !queues.is_empty() {
            return;
        }
        self.subjects.remove(subject);
        if let Some(ear) = &mut self.ear {
            ear.unsubscribe(subject);
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

    /// Connects, subscribes to everything at once, and then says that messages may be missing. What the server refuses ends.
    async fn reconnect(&mut self) -> Result<(), Error> {
        loop {
            let mut ear = Ear::new(Connection::open(&self.access).await?);
            let subjects: Vec<_> = self.subjects.keys().cloned().collect();
            let refused = ear.subscribe(&subjects).await.map_err(subscribing)?;
            refused.iter().for_each(|subject| self.end(subject));
            // Of more of them some may not have been noticed: once again without these.
            if refused.len() <= FEW {
                self.ear = Some(ear);
                break;
            }
        }
        self.subjects.values().flatten().for_each(|queue| queue.lose());
        Ok(())
    }

    /// A server whose permissions were changed ends subscriptions, while the connection goes on.
    fn end_what_was_taken_away(&mut self) {
        let Some(ear) = &mut self.ear else { return };
        let refused = ear.take_refused();
        if ear.taken_away > FEW {
            // Some may not have been noticed: they will be when everything is subscribed to again.
            self.ear = None;
        }
        refused.iter().for_each(|subject| self.end(subject));
    }

    fn end(&mut self, subject: &Arc<str>) {
        tracing::warn!(%subject, "the server refuses a topic that was subscribed to, whose subscriptions end");
        self.subjects.remove(subject).into_iter().flatten().for_each(|queue| queue.end());
    }
}

impl Ear {
    fn new(connection: Connection) -> Self {
        let refusals = connection.all_refusals();
        Self { connection, inbound: SelectAll::new(), ends: BTreeMap::new(), refusals, taken_away: 0 }
    }

    /// Subscribes to all of these. Gives those that the server refuses.
    async fn subscribe(&mut self, subjects: &[Arc<str>]) -> Result<Vec<Arc<str>>, Silence> {
        let mut refused = Vec::new();
        for (subject, heard) in subjects.iter().zip(self.connection.subscribe_all(subjects).await?) {
            let Some(Heard { subscriber, refusals }) = heard else {
                refused.push(subject.clone());
                continue;
            };
            let (subscriber, end) = abortable(subscriber);
            self.inbound.push(subscriber);
            self.ends.insert(subject.clone(), (end, refusals));
        }
        Ok(refused)
    }

    fn unsubscribe(&mut self, subject: &Arc<str>) {
        if let Some((end, _)) = self.ends.remove(subject) {
            end.abort();
        }
    }

    /// Ends the subscriptions that the server has taken away, and gives their subjects.
    fn take_refused(&mut self) -> Vec<Arc<str>> {
        let connection = &self.connection;
        let is_refused = |subject: &str, before| connection.subscription_refusals(subject) > before;
        let refused = self.ends.iter().filter(|(subject, (_, before))| is_refused(subject, *before));
        let refused: Vec<_> = refused.map(|(subject, _)| subject.clone()).collect();
        refused.iter().for_each(|subject| self.unsubscribe(subject));
        self.taken_away += refused.len();
        refused
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
    Refused,
    Quiet,
    Again,
}

fn subscribing(silence: Silence) -> Error {
    silence.fault("subscribing", Does::Read).error
}
