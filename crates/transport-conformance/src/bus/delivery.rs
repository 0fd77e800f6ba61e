//! Who receives what, and in which order.

use futures::future::join;
use transport_traits::{ErrorKind, PublisherExt};

use super::{Bus, Buses, listen, read, read_until, send};
use crate::support::{carries, give_way, ok, refused};

/// Enough to fill more than one packet.
const MANY: usize = 500;

pub(super) async fn a_message_reaches_every_subscriber_of_its_topic_once(buses: &Buses) {
    let mut subscribers =
        [buses.listen("news").await, buses.listen("news").await, buses.listen("news").await];
    let mut elsewhere = buses.listen("weather").await;
    for message in ["hello", "end"] {
        buses.send("news", message).await;
    }
    buses.send("weather", "end").await;
    for subscriber in &mut subscribers {
        assert_eq!(read_until(subscriber, "end").await, ["hello"]);
    }
    assert!(read_until(&mut elsewhere, "end").await.is_empty());
}

pub(super) async fn a_sender_hears_itself_if_the_bus_says_so(buses: &Buses) {
    let mut own = listen(&*buses.here, "news").await;
    let mut other = buses.listen("news").await;
    buses.send("news", "mine").await;
    assert_eq!(read(&mut other).await, "mine");
    send(&*buses.there, "news", "end").await;
    let heard = read_until(&mut own, "end").await;
    assert_eq!(heard, if buses.here.hears_own_echo() { vec!["mine"] } else { vec![] });
}

pub(super) async fn messages_of_one_sender_arrive_in_order(buses: &Buses) {
    let mut listener = buses.listen("news").await;
    for n in 0..MANY {
        buses.send("news", n.to_string()).await;
    }
    buses.send("news", "end").await;
    let numbers: Vec<_> = (0..MANY).map(|n| n.to_string()).collect();
    assert_eq!(read_until(&mut listener, "end").await, numbers);
}

pub(super) async fn senders_at_once_keep_their_own_order(buses: &Buses) {
    let mut listener = buses.listen("news").await;
    let speak = async |bus: &dyn Bus, name: &str| {
        for n in 0..MANY {
            send(bus, "news", format!("{name} {n}")).await;
            give_way().await;
        }
    };
    join(speak(&*buses.here, "a"), speak(&*buses.there, "b")).await;
    // Both have been told that the bus has their messages, so the end comes after them.
    buses.send("news", "end").await;
    let received = read_until(&mut listener, "end").await;
    // The second server is the listener's own.
    let heard = if buses.there.hears_own_echo() { &["a ", "b "][..] } else { &["a "] };
    for name in heard {
        let of_sender = received.iter().filter_map(|text| text.strip_prefix(*name));
        assert!(of_sender.eq((0..MANY).map(|n| n.to_string())), "the messages of {name}: {received:?}");
    }
}

pub(super) async fn nothing_happens_before_the_first_poll(buses: &Buses) {
    let mut listener = buses.listen("news").await;
    drop(buses.here.send("news", "never"));
    buses.send("news", "end").await;
    assert!(read_until(&mut listener, "end").await.is_empty());
}

pub(super) async fn bodies_arrive_as_they_were_sent(buses: &Buses) {
    let every_byte: Vec<u8> = (0..=255).collect();
    let bodies: [&[u8]; 9] = [
        b"",
        b" ",
        b"\r\n",
        b"\0",
        b"'\"\\%{}",
        "\u{e9}\u{1f600}\u{10ffff}".as_bytes(),
        b"\xff",
        b"\xc3",
        &every_byte,
    ];
    let content = buses.here.limits().content;
    let mut listener = buses.listen("news").await;
    for body in bodies {
        let sent = buses.here.send("news", body.to_vec()).await;
        if carries(content, body) {
            ok(sent, format_args!("publishing {body:?}"));
            assert_eq!(read(&mut listener).await, body);
        } else {
            refused(sent, ErrorKind::Invalid, format_args!("bytes on a text bus: {body:?}"));
        }
    }
}
