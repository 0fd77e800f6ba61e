//! Mocked ports answer with any future: ready, pending, or completed by the test.

use std::task::Poll;

use futures::channel::oneshot;
use futures::executor::block_on;
use futures::future::{self, BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use transport_mocks::{MockDataStore, MockPublisher, MockSubscriber};
use transport_traits::{
    DataStore, Delivery, Error, ErrorKind, Outgoing, Precondition, Publisher, Record, RecordKey, Subscriber,
    Version,
};

fn ann() -> RecordKey {
    RecordKey::new("players", "ann")
}

#[test]
fn a_mocked_read_can_stay_pending() {
    let mut store = MockDataStore::new();
    store.expect_get().times(1).returning(|_| Box::pin(future::pending()));
    assert!(store.get(ann()).now_or_never().is_none());
}

#[test]
fn a_mocked_write_can_be_completed_by_the_test_while_another_call_runs() {
    let (complete, completed) = oneshot::channel();
    let mut store = MockDataStore::new();
    store.expect_put().return_once(|_, _, _| completed.map(|version| Ok(version.unwrap())).boxed());
    store.expect_get().returning(|_| Box::pin(future::ready(Ok(None))));
    let store: &dyn DataStore = &store;

    block_on(async {
        let mut put = store.put(ann(), Record::new("{}"), Precondition::Absent);
        assert!((&mut put).now_or_never().is_none());
        assert_eq!(store.get(ann()).await.unwrap(), None);
        complete.send(Version::new("1")).unwrap();
        assert_eq!(put.await.unwrap(), Version::new("1"));
    });
}

#[test]
fn a_mocked_publish_can_fail_after_it_was_pending() {
    let mut bus = MockPublisher::new();
    bus.expect_publish().returning(|message| {
        let error = Error::new(ErrorKind::Unknown, message.topic.to_string());
        fails_at_the_second_poll(error)
    });
    block_on(async {
        let mut publish = bus.publish(Outgoing::new("news", "hello"));
        assert!((&mut publish).now_or_never().is_none());
        assert_eq!(publish.await.unwrap_err().kind(), ErrorKind::Unknown);
    });
}

fn fails_at_the_second_poll(error: Error) -> BoxFuture<'static, Result<(), Error>> {
    let mut error = Some(error);
    let mut polled = false;
    Box::pin(future::poll_fn(move |cx| {
        if !std::mem::replace(&mut polled, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Err(error.take().expect("not polled after its end")))
    }))
}

#[test]
fn a_mocked_subscription_yields_what_the_test_says() {
    let mut bus = MockSubscriber::new();
    bus.expect_subscribe()
        .withf(|topic| &**topic == "news")
        .returning(|_| Box::pin(future::ready(Ok(stream::iter([Delivery::Gap]).boxed()))));
    let deliveries: Vec<_> = block_on(async { bus.subscribe("news".into()).await.unwrap().collect().await });
    assert_eq!(deliveries, [Delivery::Gap]);
}
