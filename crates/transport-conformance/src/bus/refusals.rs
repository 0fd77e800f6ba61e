//! Topics and sizes: what is kept apart, what is carried, and what is refused.

use bytes::Bytes;
use transport_traits::limits::{Content, SizeLimit};
use transport_traits::{ErrorKind, PublisherExt};

use super::{Buses, read, read_until};
use crate::support::{LARGEST_TRIED, ok, one_too_large, refused, text_of, tried};

/// Publishes on each topic its place in the list, and asserts that each hears its own place alone.
async fn check_apart(buses: &Buses, topics: &[&str]) {
    let mut listeners = Vec::new();
    for topic in topics {
        listeners.push(buses.listen(topic).await);
    }
    for (n, topic) in topics.iter().enumerate() {
        buses.send(topic, n.to_string()).await;
        buses.send(topic, "end").await;
    }
    for (n, (topic, listener)) in topics.iter().zip(&mut listeners).enumerate() {
        assert_eq!(read_until(listener, "end").await, [n.to_string()], "{topic:?}");
    }
}

#[rustfmt::skip]
const TOPICS: &[&str] = &[
    "a", "A", "a.b", "a.*", "a.>", "*", ">", "a*", "?", "a b", " a", "a ", "\0", "a\0", "\r\n", "\n", "\"", "'", "\\",
    "%", "%25", "$1", "PlayerList$1", "{a}", "[a]", "a:b", "a/b", "a/#", "+", "#", ".", "..", "\u{e9}", "e\u{301}",
    "\u{1f600}", "\u{10ffff}", "select", "a;b", "a=b", "a-b", "a_b", "_",
];

pub(super) async fn topics_do_not_mix_whatever_their_characters(buses: &Buses) {
    check_apart(buses, TOPICS).await;
}

pub(super) async fn long_topics_that_differ_at_their_end_do_not_mix(buses: &Buses) {
    let length = buses.here.limits().topic.map_or(300, |limit| limit.max.min(300));
    let stem = "t".repeat(length.saturating_sub(1));
    check_apart(buses, &[&format!("{stem}1"), &format!("{stem}2"), &stem]).await;
}

/// Asserts that nothing can be published on a topic or read from it.
async fn check_refused(buses: &Buses, topic: &str, expect: ErrorKind) {
    refused(buses.here.send(topic, "x").await, expect, "publishing");
    refused(buses.here.subscribe(topic.into()).await, expect, "subscribing");
}

pub(super) async fn a_topic_without_a_name_is_refused(buses: &Buses) {
    check_refused(buses, "", ErrorKind::Invalid).await;
}

pub(super) async fn a_topic_over_the_limit_is_refused_with_both_sizes(buses: &Buses) {
    let Some(limit) = tried(buses.here.limits().topic) else { return };
    if let Some(longest) = text_of(limit, 0, "", "") {
        check_apart(buses, &[&longest]).await;
    }
    let too_long = text_of(limit, 1, "", "").expect("a text of one more than a limit exists");
    check_refused(buses, &too_long, one_too_large(limit)).await;
}

/// A body that is `over` above the limit.
fn body_of(limit: SizeLimit, over: usize) -> Option<Bytes> {
    text_of(limit, over, "", "").map(Bytes::from)
}

pub(super) async fn a_body_as_large_as_the_limit_is_carried(buses: &Buses) {
    let limit = buses.here.limits().body;
    let limit = tried(limit).unwrap_or(SizeLimit::bytes(LARGEST_TRIED / 16));
    let Some(body) = body_of(limit, 0) else { return };
    let mut listener = buses.listen("news").await;
    buses.send("news", body.clone()).await;
    assert!(read(&mut listener).await == body, "the body came back, {limit:?}");
}

pub(super) async fn a_body_over_the_limit_is_refused_with_both_sizes(buses: &Buses) {
    let Some(limit) = tried(buses.here.limits().body) else { return };
    let Some(body) = body_of(limit, 1) else { return };
    let mut listener = buses.listen("news").await;
    refused(buses.here.send("news", body).await, one_too_large(limit), format_args!("{limit:?}"));
    buses.send("news", "end").await;
    assert!(read_until(&mut listener, "end").await.is_empty(), "what is refused is not sent");
}

pub(super) async fn a_text_bus_refuses_bytes_that_are_no_text(buses: &Buses) {
    if buses.here.limits().content != Content::Text {
        return;
    }
    let mut listener = buses.listen("news").await;
    for body in [&b"\xff"[..], b"\xc3", b"a\xc3(", b"\xed\xa0\x80"] {
        let sent = buses.here.send("news", body.to_vec()).await;
        refused(sent, ErrorKind::Invalid, format_args!("{body:?}"));
    }
    ok(buses.here.send("news", "end").await, "text");
    assert!(read_until(&mut listener, "end").await.is_empty(), "what is refused is not sent");
}
