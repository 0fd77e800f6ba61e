//! The bus: publishing on one connection, receiving on another.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use transport_adapter::{Queue, check, subscription};
use transport_traits::limits::SizeLimit;
use transport_traits::{BusLimits, Error, ErrorKind, Outgoing, Publisher, Subscriber, Subscription, Topic};

use crate::Options;
use crate::listening::{Listening, Request, unavailable};
use crate::names::{self, escape};
use crate::speaking::Speaking;
use crate::target::Target;

/// What a notification carries at most. Source: PostgreSQL documentation, `NOTIFY`.
const PAYLOAD: SizeLimit = SizeLimit::bytes(7_999);

/// One server on the bus of a PostgreSQL database. Clones are the same server. See the [crate](crate) for what is
/// promised.
#[derive(Clone)]
pub struct PostgresBus {
    shared: Arc<Shared>,
}

struct Shared {
    speaking: Speaking,
    options: Options,
    requests: mpsc::UnboundedSender<Request>,
}

impl PostgresBus {
    /// Connects to `postgres://[user[:password]@]host[:port][/database][?parameters]`, as
    /// [`PostgresStore::connect`](crate::PostgresStore::connect) does, with [`Options::default`]. Needs no tables.
    /// Spawns a task on the tokio runtime that it is called on, which ends with the last handle and subscription.
    /// Dropping the future connects nothing, and spawns none.
    ///
    /// # Errors
    /// `Invalid` for the URL and for a database that does not encode text as UTF-8, `Denied` for the credentials,
    /// `Unavailable` if nobody answers.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Options::default().bus(url).await
    }

    pub(crate) async fn start(url: &str, options: Options) -> Result<Self, Error> {
        let target = Target::new(url, &options)?;
        let speaking = Speaking::start(target.clone(), &options).await?;
        let (requests, asked) = mpsc::unbounded_channel();
        tokio::spawn(Listening::new(target, options.timeout).run(asked));
        Ok(Self { shared: Arc::new(Shared { speaking, options, requests }) })
    }

    fn channel(&self, topic: &str) -> Result<Arc<str>, Error> {
        let options = &self.shared.options;
        check::name("topic", options.bus_limits.topic, topic)?;
        Ok(names::channel(&options.prefix, topic))
    }
}

impl Publisher for PostgresBus {
    fn limits(&self) -> &BusLimits {
        &self.shared.options.bus_limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let channel = self.channel(&message.topic)?;
            check::size("body", self.limits().body, &message.body)?;
            let text = std::str::from_utf8(&message.body).map_err(|error| {
                Error::new(ErrorKind::Invalid, "a body that is not text").with_source(error)
            })?;
            let payload = escape(text);
            PAYLOAD.check("body", payload.as_bytes())?;
            self.shared.speaking.notify(&channel, &payload).await
        })
    }
}

impl Subscriber for PostgresBus {
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move {
            let channel = self.channel(&topic)?;
            let queue = Arc::new(Queue::new(self.shared.options.queue_capacity));
            let requests = self.shared.requests.clone();
            let left = Request::Unsubscribe { channel: channel.clone(), queue: queue.clone() };
            let news = subscription(queue.clone(), move || drop(requests.send(left)));
            let (done, in_place) = oneshot::channel();
            let _task_is_gone = self.shared.requests.send(Request::Subscribe { channel, queue, done });
            in_place.await.map_err(|_| unavailable("the runtime of the bus is gone"))??;
            Ok(news)
        })
    }

    fn hears_own_echo(&self) -> bool {
        true
    }
}

impl fmt::Debug for PostgresBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresBus").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
