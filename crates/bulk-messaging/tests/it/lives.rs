//! Senders whose names outlive their processes.

use std::time::Duration;

use futures::FutureExt;
use transport_traits::PublisherExt;

use crate::fleet::Fleet;
use crate::support::header;

#[test]
fn a_named_sender_is_heard_after_each_of_its_restarts() {
    let mut fleet = Fleet::new();
    let receiver = fleet.join(|_| ());
    let mut heard = fleet.subscribe(&receiver, "t").expect("subscribed");
    for life in 0..3 {
        let server = fleet.join(|config| config.sender = Some("server-7".into()));
        server.send("t", life.to_string()).now_or_never().expect("room").expect("accepted");
        assert_eq!(fleet.read(&mut heard), [life.to_string()]);
        drop(server);
        fleet.advance(Duration::from_millis(50));
    }
    assert_eq!(receiver.stats().duplicates, 0);
}

#[test]
fn an_incarnation_that_is_given_stands_and_a_sender_without_a_name_has_none() {
    let mut fleet = Fleet::new();
    for name in [Some("server-7"), None] {
        let server = fleet.join(|config| {
            config.sender = name.map(Into::into);
            config.incarnation = name.map(|_| 35);
        });
        server.send("t", "1").now_or_never().expect("room").expect("accepted");
        fleet.settle();
    }
    let published = fleet.bus.published.lock();
    let headers: Vec<String> = published.iter().map(|frame| header(&frame.body)).collect();
    assert_eq!(headers[0], "1server-7.z..1");
    assert!(headers[1].ends_with("...1"), "{headers:?}");
}
