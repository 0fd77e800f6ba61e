//! The bus ports: usable as trait objects, with their short forms.

use std::sync::{Arc, Mutex};

use futures::executor::block_on;
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use transport_traits::{
    BusLimits, Delivery, Error, Outgoing, Priority, Publisher, PublisherExt, Subscriber, Subscription, Topic,
};

/// A bus that keeps what is published and delivers one gap.
#[derive(Default)]
struct Keeper {
    limits: BusLimits,
    published: Mutex<Vec<Outgoing>>,
}

impl Publisher for Keeper {
    fn limits(&self) -> &BusLimits {
        &self.limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            self.published.lock().expect("no test panics while it holds the lock").push(message);
            Ok(())
        })
    }
}

impl Subscriber for Keeper {
    fn subscribe(&self, _: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async { Ok(stream::iter([Delivery::Gap]).boxed()) })
    }

    fn hears_own_echo(&self) -> bool {
        false
    }
}

#[test]
fn a_publisher_works_as_a_trait_object_with_its_short_form() {
    let keeper = Arc::new(Keeper::default());
    let bus: Arc<dyn Publisher> = keeper.clone();
    block_on(bus.send("news", "hello")).unwrap();
    assert_eq!(*keeper.published.lock().unwrap(), [Outgoing::new("news", "hello")]);
    assert_eq!(*bus.limits(), BusLimits::default());
}

#[test]
fn a_subscriber_works_as_a_trait_object() {
    let bus: Box<dyn Subscriber> = Box::new(Keeper::default());
    let deliveries: Vec<Delivery> =
        block_on(async { bus.subscribe("news".into()).await.unwrap().collect().await });
    assert_eq!(deliveries, [Delivery::Gap]);
    assert!(!bus.hears_own_echo());
}

#[test]
fn a_message_is_of_normal_priority_and_replaces_nothing_unless_it_says_so() {
    let plain = Outgoing::new("news", "hello");
    assert_eq!((plain.priority, plain.conflation_key.clone()), (Priority::Normal, None));
    let marked = plain.with_priority(Priority::Urgent).with_conflation_key("player 7");
    assert_eq!((marked.priority, marked.conflation_key.as_deref()), (Priority::Urgent, Some("player 7")));
}

#[test]
fn urgent_sorts_before_normal_and_normal_before_background() {
    assert!(Priority::Urgent < Priority::Normal && Priority::Normal < Priority::Background);
}
