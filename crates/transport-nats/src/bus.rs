//! The bus: publishing on one connection, receiving on another.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use transport_adapter::{Queue, check, subscription};
use transport_traits::{BusLimits, Error, ErrorKind, Outgoing, Publisher, Subscriber, Subscription, Topic};

use crate::access::Access;
use crate::connection::Connection;
use crate::fault::Does;
use crate::link::Link;
use crate::listening::{Listening, Request};
use crate::{Options, keys, limits};

/// One server on the bus of a NATS server or cluster. Clones are the same server. See the [crate](crate) for what is
/// promised.
#[derive(Clone)]
pub struct NatsBus {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    access: Arc<Access>,
    limits: BusLimits,
    requests: mpsc::UnboundedSender<Request>,
}

impl NatsBus {
    /// Connects to `nats://[user:password@|token@]host[:port]`, or `tls://`, or to the first that answers of several
    /// between commas, with [`Options::default`]. Spawns a task on the tokio runtime that it is called on, which ends
    /// with the last handle and subscription. Dropping the future connects nothing, and spawns none.
    ///
    /// # Errors
    /// `Invalid` for the URL, `Denied` for the credentials, `Unavailable` if nobody answers.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Options::default().bus(url).await
    }

    pub(crate) async fn start(url: &str, options: Options) -> Result<Self, Error> {
        let access = Arc::new(Access::new(url, options)?);
        let connection = Connection::open(&access).await?;
        let limits =
            access.options.bus_limits.clone().unwrap_or_else(|| limits::bus(connection.max_payload()));
        let (requests, asked) = mpsc::unbounded_channel();
        tokio::spawn(Listening::new(access.clone()).run(asked));
        let link = Link::new(connection);
        Ok(Self { shared: Arc::new(Shared { link, access, limits, requests }) })
    }

    fn subject(&self, topic: &str) -> Result<String, Error> {
        check::name("topic", self.shared.limits.topic, topic)?;
        Ok(keys::topic(&self.shared.access.options.prefix, topic))
    }
}

impl Publisher for NatsBus {
    fn limits(&self) -> &BusLimits {
        &self.shared.limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let subject = self.subject(&message.topic)?;
            check::body(self.limits(), &message.body)?;
            let Shared { link, access, .. } = &*self.shared;
            let held = link.hold(Connection::open(access)).await?;
            let result = held.publish(&subject, message.body).await;
            let result = result.map_err(|silence| silence.fault("publishing", Does::Change));
            link.release(held, result)
        })
    }
}

impl Subscriber for NatsBus {
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move {
            let subject: Arc<str> = self.subject(&topic)?.into();
            let queue = Arc::new(Queue::new(self.shared.access.options.queue_capacity));
            let requests = self.shared.requests.clone();
            let left = Request::Unsubscribe { subject: subject.clone(), queue: queue.clone() };
            let news = subscription(queue.clone(), move || drop(requests.send(left)));
            let (done, in_place) = oneshot::channel();
            let _task_is_gone = self.shared.requests.send(Request::Subscribe { subject, queue, done });
            let gone = |_| Error::new(ErrorKind::Unavailable, "the runtime of the bus is gone");
            in_place.await.map_err(gone)??;
            Ok(news)
        })
    }

    fn hears_own_echo(&self) -> bool {
        true
    }
}

impl fmt::Debug for NatsBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsBus").field("access", &self.shared.access).finish_non_exhaustive()
    }
}
