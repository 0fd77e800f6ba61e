//! Bulk messaging over an adapter, with the defaults of both.

use std::fmt::Debug;
use std::sync::Arc;

use bulk_messaging::{BulkMessaging, Config};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use transport_traits::{Delivery, Outgoing, Publisher, Subscriber, TokioTimer, Topic};

use crate::way::{Heard, Sender, Sides, Way};

/// The real topic, and the inner one.
const TOPICS: [&str; 2] = ["fleet", "news"];

const ANSWERS: &str = "the server answers";

struct Bulk {
    bulk: BulkMessaging,
    topic: Topic,
}

impl Sender for Bulk {
    fn send(&self, bodies: Box<dyn Iterator<Item = Bytes> + Send>) -> BoxFuture<'_, ()> {
        async move {
            for body in bodies {
                let accepted = self.bulk.publish(Outgoing::new(self.topic.clone(), body)).await;
                accepted.expect("bulk messaging takes JSON while its driver lives");
            }
        }
        .boxed()
    }
}

/// A way from one server on a bus to another, each of which connects to the bus's service at `url`. Where messages may be
/// missing it yields an empty body, which no ledger takes for one of its own.
///
/// # Panics
/// If the service does not answer.
pub(crate) fn way<B, E, F>(sides: &Arc<Sides>, url: &str, connect: impl Fn(String) -> F) -> Way
where
    B: Publisher + Subscriber + 'static,
    E: Debug + Send + 'static,
    F: Future<Output = Result<B, E>> + Send + 'static,
{
    let [here, there] = [(); 2].map(|()| connect(url.to_owned()));
    let bulk = sides.here(async move { start(here.await.expect(ANSWERS)) });
    let heard = sides.there(async move {
        let bulk = start(there.await.expect(ANSWERS));
        let news = bulk.subscribe(TOPICS[1].into()).await.expect("the bus lets it subscribe");
        // The driver ends with the last handle, and with it the subscription.
        let body = move |delivery| {
            let _alive = &bulk;
            if let Delivery::Message(body) = delivery { body } else { Bytes::new() }
        };
        news.map(body).boxed() as Heard
    });
    Way::new(sides, Bulk { bulk, topic: TOPICS[1].into() }, heard)
}

fn start<B: Publisher + Subscriber + 'static>(bus: B) -> BulkMessaging {
    let (bus, timer) = (Arc::new(bus), Arc::new(TokioTimer::new()));
    let bulk = BulkMessaging::new(bus.clone(), bus, timer, Config::new(TOPICS[0]));
    let (bulk, driver) = bulk.expect("the defaults go with every adapter");
    tokio::spawn(driver);
    bulk
}
