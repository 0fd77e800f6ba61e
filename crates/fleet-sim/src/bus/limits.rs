//! The limits of a bus, kept in every sliding window.

use std::collections::BTreeMap;

use transport_traits::limits::{Content, FleetRate, Load, ReceiveCounting};
use transport_traits::{BusLimits, ErrorKind, Instant, Outgoing, Topic};

use crate::{HostId, SlidingWindow};

/// What was taken of each rate.
#[derive(Debug, Default)]
pub(super) struct Usage {
    sent: BTreeMap<HostId, SlidingWindow>,
    received: BTreeMap<Topic, SlidingWindow>,
    total: Option<SlidingWindow>,
}

/// Whether a message can be published at all.
pub(super) fn check_form(limits: &BusLimits, message: &Outgoing) -> Result<(), ErrorKind> {
    let too_large = |error: transport_traits::Error| error.kind();
    limits.body.map_or(Ok(()), |limit| limit.check("body", &message.body)).map_err(too_large)?;
    limits.topic.map_or(Ok(()), |limit| limit.check("topic", message.topic.as_bytes())).map_err(too_large)?;
    let is_text = limits.content == Content::Binary || std::str::from_utf8(&message.body).is_ok();
    if is_text { Ok(()) } else { Err(ErrorKind::Invalid) }
}

impl Usage {
    /// Takes a publish from the rate of its sender, and with `PerPublish` from those of all who receive. False, and
    /// nothing is taken, if that is over a limit.
    pub(super) fn take_publish(
        &mut self,
        limits: &BusLimits,
        load: Load,
        now: Instant,
        from: HostId,
        topic: &Topic,
    ) -> bool {
        let is_over =
            |window: &mut SlidingWindow, rate: FleetRate| window.count(now) >= rate.allowed(load) as usize;
        if limits.send.is_some_and(|rate| is_over(self.sent(from, rate), rate)) {
            return false;
        }
        if limits.receive_counting == ReceiveCounting::PerPublish
            && !self.take_receive(limits, load, now, topic)
        {
            return false;
        }
        if let Some(rate) = limits.send {
            self.sent(from, rate).record(now);
        }
        true
    }

    /// Takes from the two rates of receiving. False, and nothing is taken, if that is over a limit.
    pub(super) fn take_receive(
        &mut self,
        limits: &BusLimits,
        load: Load,
        now: Instant,
        topic: &Topic,
    ) -> bool {
        let mut windows = Vec::new();
        if let Some(rate) = limits.receive_topic {
            let window =
                self.received.entry(topic.clone()).or_insert_with(|| SlidingWindow::new(rate.window));
            windows.push((window, rate));
        }
        if let Some(rate) = limits.receive_total {
            windows.push((self.total.get_or_insert_with(|| SlidingWindow::new(rate.window)), rate));
        }
        let fits = windows.iter_mut().all(|(window, rate)| window.count(now) < rate.allowed(load) as usize);
        if fits {
            windows.iter_mut().for_each(|(window, _)| {
                window.record(now);
            });
        }
        fits
    }

    fn sent(&mut self, from: HostId, rate: FleetRate) -> &mut SlidingWindow {
        self.sent.entry(from).or_insert_with(|| SlidingWindow::new(rate.window))
    }
}
