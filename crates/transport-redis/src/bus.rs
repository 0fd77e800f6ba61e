//! The bus: publishing on one connection, receiving on another.

use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use transport_adapter::{Queue, check, subscription};
use transport_traits::{BusLimits, Error, Outgoing, Publisher, Subscriber, Subscription, Topic};

use crate::Options;
use crate::client::client;
use crate::fault::Does;
use crate::link::Link;
use crate::listening::{Listening, Request, unavailable};

/// One server on the bus of a Redis server. Clones are the same server. See the [crate](crate) for what is promised.
#[derive(Clone)]
pub struct RedisBus {
    shared: Arc<Shared>,
}

struct Shared {
    link: Link,
    options: Options,
    requests: mpsc::UnboundedSender<Request>,
}

impl RedisBus {
    /// Connects to `redis://[user:password@]host[:port]`, to the same with `rediss:` (encrypted) or to
    /// `redis+unix:///path`, with [`Options::default`]. Spawns a task on the tokio runtime that it is called on, which
    /// ends with the last handle and subscription. Dropping the future connects nothing, and spawns none.
    ///
    /// # Errors
    /// `Invalid` for the URL, `Denied` for the credentials, `Unavailable` if nobody answers.
    pub async fn connect(url: &str) -> Result<Self, Error> {
        Options::default().bus(url).await
    }

    pub(crate) async fn start(url: &str, options: Options) -> Result<Self, Error> {
        let client = client(url, &options)?;
        let link = Link::new(client.clone(), &options);
        let ping = |mut connection| async move { redis::cmd("PING").query_async(&mut connection).await };
        let _pong: String = link.call("PING", Does::Read, ping).await?;
        let (requests, asked) = mpsc::unbounded_channel();
        tokio::spawn(Listening::new(client, options.timeout).run(asked));
        Ok(Self { shared: Arc::new(Shared { link, options, requests }) })
    }

    fn channel(&self, topic: &str) -> Result<Arc<str>, Error> {
        let options = &self.shared.options;
        check::name("topic", options.bus_limits.topic, topic)?;
        Ok(format!("{}{topic}", options.prefix).into())
    }
}

impl Publisher for RedisBus {
    fn limits(&self) -> &BusLimits {
        &self.shared.options.bus_limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let channel = self.channel(&message.topic)?;
            check::body(self.limits(), &message.body)?;
            let mut command = redis::cmd("PUBLISH");
            command.arg(&*channel).arg(&*message.body);
            let run = |mut connection| async move { command.query_async(&mut connection).await };
            let _receivers: u64 = self.shared.link.call("publishing", Does::Change, run).await?;
            Ok(())
        })
    }
}

impl Subscriber for RedisBus {
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

impl fmt::Debug for RedisBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBus").field("options", &self.shared.options).finish_non_exhaustive()
    }
}
