//! What is made of events, without a server.

use async_nats::{Event, ServerError};
use futures::FutureExt;

use super::{Refused, Trouble};

fn said(text: &str) -> Event {
    Event::ServerError(ServerError::Other(text.to_owned()))
}

#[test]
fn messages_that_the_client_library_dropped_are_noticed_also_later() {
    let trouble = Trouble::default();
    assert!(trouble.lost().now_or_never().is_none());
    trouble.note(Event::SlowConsumer(7));
    assert!(trouble.lost().now_or_never().is_some());
    assert!(trouble.lost().now_or_never().is_none(), "once");
}

#[test]
fn refusals_are_told_apart_by_what_and_where() {
    let trouble = Trouble::default();
    let count =
        || [Refused::Publish, Refused::Subscription].map(|refused| trouble.refusals(refused, "nexus.a"));
    trouble.note(said(r#"Permissions Violation for Publish to "nexus.ab""#));
    trouble.note(said(r#"Permissions Violation for Publish to nexus.a"#));
    trouble.note(said("Unknown Protocol Operation"));
    assert_eq!(count(), [0, 0]);
    trouble.note(said(r#"Permissions Violation for Publish to "nexus.a""#));
    trouble.note(said(r#"Permissions Violation for Subscription to "nexus.a" using queue "x""#));
    trouble.note(said(r#"Permissions Violation for Subscription to "nexus.a""#));
    assert_eq!(count(), [1, 2]);
    assert!(trouble.refused(Refused::Publish, "nexus.a", 0).now_or_never().is_some());
    assert!(trouble.refused(Refused::Publish, "nexus.a", 1).now_or_never().is_none(), "that was before");
}

#[test]
fn refusals_on_any_number_of_subjects_take_bounded_memory() {
    let trouble = Trouble::default();
    for n in 0..3_000 {
        trouble.note(said(&format!(r#"Permissions Violation for Publish to "nexus.{n}""#)));
    }
    let counted =
        (0..3_000).filter(|n| trouble.refusals(Refused::Publish, &format!("nexus.{n}")) > 0).count();
    assert_eq!(counted, super::COUNTED);
}
