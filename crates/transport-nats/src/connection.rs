//! One connection to a server, which never comes back by itself: who needs one makes another.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_nats::connection::State;
use async_nats::{
    Client, ConnectOptions, HeaderMap, Message, PublishErrorKind, ReconnectToServer, Request,
    RequestErrorKind, ServerAddr, Subscriber,
};
use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;
use tokio::time::timeout;
use transport_traits::{Error, ErrorKind};

use crate::access::Access;
use crate::echo::Echo;
use crate::fault::{Does, Silence, unconnected};
use crate::trouble::{Refusals, Refused, Trouble};

/// How many subjects it remembers to have published on. On others a publish takes a round trip more.
const REMEMBERED: usize = 1_024;

/// Nobody is ever there.
const NOWHERE: &str = "nats://127.0.0.1:0";

/// So many refusals at once surely were all noticed: the client library holds 128 events, and drops what comes beyond.
/// Source: `connect_with_options` in `lib.rs` of async-nats 0.51.
pub(crate) const FEW: usize = 64;

/// A subscription in place.
pub(crate) struct Heard {
    pub(crate) subscriber: Subscriber,
    /// How often the server had refused it before.
    pub(crate) refusals: u64,
}

pub(crate) struct Connection {
    client: Client,
    echo: Echo,
    trouble: Arc<Trouble>,
    patience: Duration,
    /// Where it was seen that it may publish.
    allowed: Mutex<HashSet<String>>,
}

impl Connection {
    pub(crate) async fn open(access: &Access) -> Result<Self, Error> {
        let trouble = Arc::<Trouble>::default();
        let nowhere: ServerAddr = NOWHERE.parse().expect("it is an address");
        // First, so that what is said about a failure is about the others.
        let mut addresses = vec![nowhere.clone()];
        addresses.extend(access.servers.addresses.iter().cloned());
        let settings = settings(access, &trouble, addresses.len())?;
        let settings = access.servers.log_in(never_again(settings, nowhere));
        let client = async_nats::connect_with_options(addresses, settings).await.map_err(unconnected)?;
        let echo = Echo::start(&client)
            .await
            .map_err(|_| Error::new(ErrorKind::Unavailable, "the connection to NATS ended"))?;
        let connection =
            Self { client, echo, trouble, patience: access.options.timeout, allowed: Mutex::default() };
        connection.greet().await?;
        Ok(connection)
    }

    /// The first round trip: a server that refuses inboxes shows here, and one that refuses a login late.
    async fn greet(&self) -> Result<(), Error> {
        let inbox = self.echo.subject();
        let received = self.unless_refused(Refused::Publish, inbox, self.settle());
        let end = self.unless_refused(Refused::Subscription, inbox, received).await;
        end.map_err(|silence| silence.fault("a round trip through an inbox", Does::Read).error)
    }

    /// The largest message that the server takes, headers included, in bytes.
    pub(crate) fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Whether it is known to have ended.
    pub(crate) fn is_over(&self) -> bool {
        self.client.connection_state() != State::Connected
    }

    /// Waits until the server has handled everything before.
    pub(crate) async fn settle(&self) -> Result<(), Silence> {
        let trip = timeout(self.patience, self.echo.round_trip(&self.client)).await;
        trip.map_or(Err(Silence::Lost), |end| end.map_err(|_| Silence::Lost))
    }

    /// Waits until the server has handled everything before, and what it refused of that was noticed. Refusals come
    /// before the end of the first round trip, but on their own way through the client library: the second is to give
    /// them the time that they need.
    async fn settle_surely(&self) -> Result<(), Silence> {
        self.settle().await?;
        self.settle().await
    }

    /// Publishes, and waits until the server has handled it.
    pub(crate) async fn publish(&self, subject: &str, body: Bytes) -> Result<(), Silence> {
        let size = body.len();
        let work = async {
            let sent = timeout(self.patience, self.client.publish(subject.to_owned(), body)).await;
            sent.map_err(|_| Silence::Lost)?.map_err(|error| match error.kind() {
                PublishErrorKind::MaxPayloadExceeded => self.too_large(size),
                _ => Silence::Lost,
            })?;
            // The message is on its way before the round trip begins, or receivers would wait for both.
            tokio::task::yield_now().await;
            if self.allowed.lock().contains(subject) {
                self.settle().await
            } else {
                self.settle_surely().await
            }
        };
        self.unless_refused(Refused::Publish, subject, work).await?;
        self.allow(subject);
        Ok(())
    }

    fn allow(&self, subject: &str) {
        let mut allowed = self.allowed.lock();
        if !allowed.contains(subject) {
            if allowed.len() == REMEMBERED {
                allowed.clear();
            }
            allowed.insert(subject.to_owned());
        }
    }

    /// Publishes without waiting for anything, with a subject to answer to.
    pub(crate) async fn post(&self, subject: String, answer: String, body: Bytes) -> Result<(), Silence> {
        let sent = timeout(self.patience, self.client.publish_with_reply(subject, answer, body)).await;
        sent.map_or(Err(Silence::Lost), |end| end.map_err(|_| Silence::Lost))
    }

    /// Sends a request and waits for the answer.
    pub(crate) async fn ask(
        &self,
        subject: &str,
        headers: Option<HeaderMap>,
        body: Bytes,
    ) -> Result<Message, Silence> {
        let size = body.len();
        let mut request = Request::new().payload(body);
        if let Some(headers) = headers {
            request = request.headers(headers);
        }
        let work = async {
            let answer = timeout(self.patience, self.client.send_request(subject.to_owned(), request)).await;
            answer.map_err(|_| Silence::Lost)?.map_err(|error| match error.kind() {
                RequestErrorKind::NoResponders => Silence::Nobody,
                RequestErrorKind::MaxPayloadExceeded => self.too_large(size),
                _ => Silence::Lost,
            })
        };
        self.unless_refused(Refused::Publish, subject, work).await
    }

    /// Subscribes to this, and waits until it is in place.
    pub(crate) async fn subscribe(&self, subject: &str) -> Result<Subscriber, Silence> {
        let heard = self.subscribe_all(&[subject.into()]).await?.pop().flatten();
        heard.map(|heard| heard.subscriber).ok_or(Silence::Denied)
    }

    /// Subscribes to all of these, and then waits until everything is in place. Gives none for what the server refuses.
    ///
    /// Of many refusals at once the client library can lose some: see [`FEW`].
    pub(crate) async fn subscribe_all(&self, subjects: &[Arc<str>]) -> Result<Vec<Option<Heard>>, Silence> {
        let mut all = Vec::with_capacity(subjects.len());
        for subject in subjects {
            let refusals = self.subscription_refusals(subject);
            let subscriber = timeout(self.patience, self.client.subscribe(subject.to_string())).await;
            let subscriber = subscriber.map_err(|_| Silence::Lost)?.map_err(|_| Silence::Lost)?;
            all.push(Heard { subscriber, refusals });
        }
        self.settle_surely().await?;
        let is_in_place = |subject, heard: &Heard| self.subscription_refusals(subject) == heard.refusals;
        Ok(subjects
            .iter()
            .zip(all)
            .map(|(subject, heard)| Some(heard).filter(|heard| is_in_place(subject, heard)))
            .collect())
    }

    /// How often the server has refused a subscription to this so far.
    pub(crate) fn subscription_refusals(&self, subject: &str) -> u64 {
        self.trouble.refusals(Refused::Subscription, subject)
    }

    /// Tells of every refusal.
    pub(crate) fn all_refusals(&self) -> watch::Receiver<Refusals> {
        self.trouble.all_refusals()
    }

    /// The next message of a subscription on this connection.
    pub(crate) async fn wait(&self, next: impl Future<Output = Option<Message>>) -> Result<Message, Silence> {
        timeout(self.patience, next).await.ok().flatten().ok_or(Silence::Lost)
    }

    /// A subject to be answered on.
    pub(crate) fn inbox(&self) -> String {
        self.client.new_inbox()
    }

    /// Waits for the end of the connection, or until the client library has dropped messages.
    pub(crate) async fn broken(&self) {
        tokio::select! {
            () = self.echo.ended() => {}
            () = self.trouble.lost() => {}
        }
    }

    /// What the work comes to, unless the server refuses it meanwhile.
    async fn unless_refused<T>(
        &self,
        refused: Refused,
        subject: &str,
        work: impl Future<Output = Result<T, Silence>>,
    ) -> Result<T, Silence> {
        let before = self.trouble.refusals(refused, subject);
        let end = tokio::select! {
            end = work => end,
            () = self.trouble.refused(refused, subject, before) => Err(Silence::Denied),
        };
        if self.trouble.refusals(refused, subject) > before { Err(Silence::Denied) } else { end }
    }

    fn too_large(&self, size: usize) -> Silence {
        Silence::TooLarge { size, limit: self.client.max_payload() }
    }
}

fn settings(access: &Access, trouble: &Arc<Trouble>, addresses: usize) -> Result<ConnectOptions, Error> {
    let options = &access.options;
    let trouble = trouble.clone();
    let note = move |event| {
        trouble.note(event);
        std::future::ready(())
    };
    let settings = ConnectOptions::new()
        .name("nexus")
        .tls_client_config(access.tls.clone())
        .connection_timeout(options.timeout)
        .request_timeout(None)
        .ping_interval(options.timeout)
        .event_callback(note)
        .ignore_discovered_servers()
        .retain_servers_order()
        .max_reconnects(addresses);
    match &options.credentials {
        Some(credentials) => settings
            .credentials(&credentials.0)
            .map_err(|_| Error::new(ErrorKind::Invalid, "the text of a credentials file")),
        None => Ok(settings),
    }
}

/// The client library has no way to be told not to reconnect. So it is sent where nobody is, until it gives up. Left to
/// itself it would hide that messages were lost, and would send what had been reported as lost after all, much later.
fn never_again(settings: ConnectOptions, nowhere: ServerAddr) -> ConnectOptions {
    let connected = AtomicBool::new(false);
    settings.reconnect_to_server_callback(move |_servers, _info| {
        let again = connected.swap(true, Ordering::Relaxed);
        let nowhere = ReconnectToServer { addr: nowhere.clone(), delay: Some(Duration::ZERO) };
        std::future::ready(again.then_some(nowhere))
    })
}
