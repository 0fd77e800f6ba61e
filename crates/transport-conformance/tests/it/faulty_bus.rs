//! A small bus of the tests' own, sound but for the one fault that it is given.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures::future::{BoxFuture, ready};
use futures::{Stream, StreamExt};
use parking_lot::Mutex;
use transport_conformance::Buses;
use transport_conformance::support::give_way;
use transport_traits::limits::{Content, SizeLimit};
use transport_traits::{
    BusLimits, Delivery, Error, ErrorKind, Outgoing, Publisher, Subscriber, Subscription, Topic,
};

/// What is wrong with a bus.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    None,
    WithoutEcho,
    OfBytes,
    DeliversTwice,
    DropsAll,
    PromisesEcho,
    DeniesEcho,
    Reorders,
    ReordersTheSecond,
    SendsWhenAsked,
    DamagesBodies,
    SubscribesLater,
    UnsubscribesAll,
    UnsubscribesTheNext,
    ReconnectsSilently,
    NeverComesBack,
    FoldsTopics,
    TruncatesTopics,
    TakesEmptyTopics,
    AllowsLongTopics,
    AllowsLessBody,
    AllowsMoreBody,
    TakesBytes,
    RepeatsTheDropped,
    GapsTooLate,
}

struct Listening {
    number: u64,
    server: usize,
    topic: String,
    to: UnboundedSender<Delivery>,
}

#[derive(Default)]
struct Medium {
    listening: Vec<Listening>,
    last_number: u64,
    /// The topics of subscriptions that will end as soon as they begin.
    doomed: Vec<String>,
    /// Messages that the second server has yet to get since its connection broke, until all is well.
    recovering: u32,
}

#[derive(Clone)]
struct FaultyBus {
    medium: Arc<Mutex<Medium>>,
    server: usize,
    limits: BusLimits,
    fault: Fault,
    held: Arc<Mutex<Option<Outgoing>>>,
}

/// Two servers on one bus with this fault.
pub(crate) fn buses(fault: Fault) -> Buses {
    let mut limits = BusLimits::default();
    limits.body = Some(SizeLimit::bytes(300));
    limits.topic = Some(SizeLimit::chars(100));
    if fault != Fault::OfBytes {
        limits.content = Content::Text;
    }
    let medium = Arc::<Mutex<Medium>>::default();
    let server = |server| {
        let (medium, limits) = (Arc::clone(&medium), limits.clone());
        Arc::new(FaultyBus { medium, server, limits, fault, held: Arc::default() })
    };
    let buses = Buses::new(server(0), server(1));
    buses.cut_by(move || {
        cut(&medium, fault);
        Box::pin(ready(()))
    })
}

/// Breaks the connection of the second server.
fn cut(medium: &Mutex<Medium>, fault: Fault) {
    let mut medium = medium.lock();
    if fault == Fault::NeverComesBack {
        medium.listening.retain(|listening| listening.server != 1);
    }
    if fault == Fault::GapsTooLate {
        medium.recovering = 6;
    }
    for listening in medium.listening.iter().filter(|listening| listening.server == 1) {
        if !matches!(fault, Fault::ReconnectsSilently | Fault::GapsTooLate) {
            listening.to.unbounded_send(Delivery::Gap).unwrap();
        }
    }
}

impl FaultyBus {
    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn check_topic(&self, topic: &str) -> Result<(), Error> {
        if topic.is_empty() && !self.is(Fault::TakesEmptyTopics) {
            return Err(Error::new(ErrorKind::Invalid, "topic"));
        }
        if self.is(Fault::AllowsLongTopics) {
            return Ok(());
        }
        self.limits.topic.unwrap().check("topic", topic.as_bytes())
    }

    fn check_body(&self, body: &[u8]) -> Result<(), Error> {
        let mut limit = self.limits.body.unwrap();
        match self.fault {
            Fault::AllowsLessBody => limit.max -= 1,
            Fault::AllowsMoreBody => limit.max += 1,
            _ => {}
        }
        limit.check("body", body)?;
        let text = self.limits.content == Content::Text && !self.is(Fault::TakesBytes);
        if text && std::str::from_utf8(body).is_err() {
            return Err(Error::new(ErrorKind::Invalid, "body"));
        }
        Ok(())
    }

    /// The name that the medium knows a topic by.
    fn place(&self, topic: &str) -> String {
        match self.fault {
            Fault::FoldsTopics => topic.to_lowercase(),
            Fault::TruncatesTopics => topic.chars().take(63).collect(),
            _ => topic.to_owned(),
        }
    }

    fn send(&self, message: Outgoing) -> Result<(), Error> {
        self.check_topic(&message.topic)?;
        self.check_body(&message.body)?;
        let holds_back = match self.fault {
            Fault::Reorders => true,
            Fault::ReordersTheSecond => self.server == 1,
            _ => false,
        };
        let mut held = self.held.lock();
        match held.take() {
            None if holds_back && message.body != "end" => *held = Some(message),
            before => {
                [Some(message), before].into_iter().flatten().for_each(|message| self.deliver(&message))
            }
        }
        Ok(())
    }

    fn deliver(&self, message: &Outgoing) {
        let topic = self.place(&message.topic);
        let body = match self.fault {
            Fault::DamagesBodies => Bytes::from(String::from_utf8_lossy(&message.body).trim().to_owned()),
            _ => message.body.clone(),
        };
        let silent = matches!(self.fault, Fault::WithoutEcho | Fault::PromisesEcho);
        let times = match self.fault {
            Fault::DropsAll => 0,
            Fault::DeliversTwice => 2,
            _ => 1,
        };
        let mut medium = self.medium.lock();
        let recovering = medium.recovering;
        medium.recovering = recovering.saturating_sub(1);
        for listening in medium.listening.iter().filter(|listening| listening.topic == topic) {
            // The first half is lost, and the gap comes after the second.
            if !(silent && listening.server == self.server) && recovering < 4 {
                (0..times).for_each(|_| drop(listening.to.unbounded_send(Delivery::Message(body.clone()))));
            }
            if recovering == 1 {
                listening.to.unbounded_send(Delivery::Gap).unwrap();
            }
        }
    }

    fn listen(&self, topic: &str) -> Result<Subscription, Error> {
        self.check_topic(topic)?;
        let (to, from) = unbounded();
        let mut medium = self.medium.lock();
        medium.last_number += 1;
        let (number, topic) = (medium.last_number, self.place(topic));
        let listening = Listening { number, server: self.server, topic: topic.clone(), to };
        let doomed = medium.doomed.iter().position(|doomed| *doomed == topic);
        let mut stream = Listener { bus: self.clone(), number, topic, from, waiting: None };
        if let Some(at) = doomed {
            medium.doomed.remove(at);
        } else if self.is(Fault::SubscribesLater) {
            stream.waiting = Some(listening);
        } else {
            medium.listening.push(listening);
        }
        Ok(Box::pin(stream))
    }
}

/// A subscription.
struct Listener {
    bus: FaultyBus,
    number: u64,
    topic: String,
    from: UnboundedReceiver<Delivery>,
    /// What has yet to begin.
    waiting: Option<Listening>,
}

impl Stream for Listener {
    type Item = Delivery;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delivery>> {
        if let Some(listening) = self.waiting.take() {
            self.bus.medium.lock().listening.push(listening);
        }
        self.from.poll_next_unpin(cx)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut medium = self.bus.medium.lock();
        let all = self.bus.is(Fault::UnsubscribesAll);
        let is_mine = |one: &Listening| one.number == self.number || (all && one.topic == self.topic);
        let (gone, kept) = std::mem::take(&mut medium.listening).into_iter().partition(is_mine);
        medium.listening = kept;
        if self.bus.is(Fault::UnsubscribesTheNext) {
            medium.doomed.push(self.topic.clone());
        }
        drop(medium);
        drop::<Vec<Listening>>(gone);
    }
}

impl Publisher for FaultyBus {
    fn limits(&self) -> &BusLimits {
        &self.limits
    }

    fn publish(&self, message: Outgoing) -> BoxFuture<'_, Result<(), Error>> {
        if self.is(Fault::SendsWhenAsked) {
            return Box::pin(ready(self.send(message)));
        }
        Box::pin(async move {
            let end = self.send(message.clone());
            if self.is(Fault::RepeatsTheDropped) {
                let mut under_way = UnderWay { bus: self, message: Some(message) };
                give_way().await;
                under_way.message = None;
            }
            end
        })
    }
}

/// A message whose call has not ended.
struct UnderWay<'a> {
    bus: &'a FaultyBus,
    message: Option<Outgoing>,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.message.take().map_or(Ok(()), |message| self.bus.send(message)).unwrap();
    }
}

impl Subscriber for FaultyBus {
    fn subscribe(&self, topic: Topic) -> BoxFuture<'_, Result<Subscription, Error>> {
        Box::pin(async move { self.listen(&topic) })
    }

    fn hears_own_echo(&self) -> bool {
        !matches!(self.fault, Fault::WithoutEcho | Fault::DeniesEcho)
    }
}
