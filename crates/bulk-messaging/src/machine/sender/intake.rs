//! The way of a message into the queue: it is checked and measured once, and split where it is too long.

use bytes::Bytes;
use transport_traits::limits::Content;
use transport_traits::{Instant, Outgoing, Priority};

use super::super::ConfirmId;
use super::super::arena::Place;
use super::super::fragment::{is_marked, split, wrap};
use super::super::parcel::{Body, Known, Parcel};
use super::super::queue::{Measured, Pushed};
use super::super::topics::Found;
use super::{Phase, Sender};
use crate::wire::{Tariff, escape, value};
use crate::{Refusal, Stats};

/// Fragments, each with its cost.
type Parts = Vec<(Bytes, usize)>;

impl Sender {
    /// Accepts a message into the queue.
    pub(in super::super) fn push(
        &mut self,
        now: Instant,
        mut parcel: Parcel<'_>,
        confirm: Option<ConfirmId>,
        stats: &mut Stats,
    ) -> Result<(), Refusal> {
        if self.phase != Phase::Open {
            return Err(Refusal::Closed);
        }
        if self.settings.is_strict() {
            (parcel.priority, parcel.key) = (Priority::Normal, None);
        }
        let (found, topic_cost) = self.look_up(&parcel.topic)?;
        let (tariff, limit) = self.settings.body_limit(self.room, &parcel.topic, topic_cost);
        let body = self.stage(parcel.body, tariff, limit)?;
        let staged = self.queue.staged(body);
        let size = tariff.body(staged);
        if !self.settings.is_strict() && (size > limit || is_marked(staged)) {
            let message = self.outgoing(parcel, body);
            let parts = self.parts(&message, size, limit)?;
            self.push_parts(now, message, parts, confirm)?;
            stats.accepted += 1;
            stats.split += 1;
            return Ok(());
        }
        if size > limit {
            return Err(self.too_large(size, limit));
        }
        self.queue.check_length(body.len())?;
        let cost = if self.settings.is_strict() { self.settings.tariff.body(staged) } else { size };
        let Parcel { topic, priority, key, .. } = parcel;
        let measured = Measured { topic, found, topic_cost, body, cost, priority, key, confirm, whole: None };
        let pushed = self.push_measured(now, measured)?;
        stats.accepted += 1;
        stats.conflated += u64::from(pushed == Pushed::Conflated);
        Ok(())
    }

    fn push_measured(&mut self, now: Instant, measured: Measured) -> Result<Pushed, Refusal> {
        let Some(cuts) = &mut self.cuts else { return self.queue.push(now, measured) };
        let order = self.queue.next_order();
        let (topic, cost, topic_cost) = (measured.topic.clone(), measured.cost, measured.topic_cost);
        let pushed = self.queue.push(now, measured)?;
        cuts.push(now, order, &topic, cost, topic_cost);
        Ok(pushed)
    }

    /// Puts a body where the queue takes it from, after a check where nothing is known of it.
    fn stage(&mut self, body: Body<'_>, tariff: Tariff, limit: usize) -> Result<Place, Refusal> {
        let is_text = self.settings.tariff.content() == Content::Text;
        let body = match body {
            Body::Text(text) => {
                self.check_length(text.len(), limit, || tariff.body(&escape(text)))?;
                return Ok(self.queue.stage_text(text));
            }
            Body::Bytes(body, Known::Nothing) if is_text => value(body).ok_or(Refusal::NotJson)?,
            Body::Bytes(body, _) => body,
        };
        self.check_length(body.len(), limit, || tariff.body(body))?;
        Ok(self.queue.stage(body))
    }

    /// Refuses what is surely too long before it is copied: the queue's memory would keep that length.
    fn check_length(&self, len: usize, limit: usize, size: impl FnOnce() -> usize) -> Result<(), Refusal> {
        let whole = self.longest_whole();
        // What counts as one has four bytes at most.
        if len > whole.max(limit.saturating_mul(4)) {
            let of_whole = Refusal::Body { size: len, limit: whole };
            return Err(if whole > 0 { of_whole } else { self.too_large(size(), limit) });
        }
        self.queue.check_length(len)
    }

    /// The longest message that is split; 0 where none is.
    fn longest_whole(&self) -> usize {
        self.settings.config.fragmentation.map_or(0, |bounds| bounds.max_message_bytes)
    }

    /// The message whose body was staged, by itself.
    fn outgoing(&self, parcel: Parcel<'_>, body: Place) -> Outgoing {
        let body = Bytes::copy_from_slice(self.queue.staged(body));
        let mut message = Outgoing::new(parcel.topic, body).with_priority(parcel.priority);
        message.conflation_key = parcel.key;
        message
    }

    /// Splits a message that is too long for a frame, or wraps one that looks like a fragment.
    fn parts(&self, message: &Outgoing, size: usize, limit: usize) -> Result<Parts, Refusal> {
        let (tariff, most) = (self.settings.tariff, self.longest_whole());
        let may_split = message.body.len() <= most;
        if size > limit && !may_split {
            let of_frame = self.too_large(size, limit);
            let of_whole = Refusal::Body { size: message.body.len(), limit: most };
            return Err(if most > 0 { of_whole } else { of_frame });
        }
        let is_text = tariff.content() == Content::Text;
        let parts =
            split(&message.body, is_text, tariff, limit).filter(|parts| may_split || parts.len() == 1);
        // What is not too long as it is, is too long once it is wrapped.
        let wrapped = || tariff.body(&wrap(&message.body, is_text)).max(size);
        let parts = parts.ok_or_else(|| self.too_large(wrapped(), limit))?;
        let measured = |part: Bytes| {
            let cost = tariff.body(&part);
            (part, cost)
        };
        self.queue.check_room(parts.len(), parts.iter().map(Bytes::len).sum())?;
        Ok(parts.into_iter().map(measured).collect())
    }

    fn too_large(&self, size: usize, limit: usize) -> Refusal {
        let empty = self.settings.tariff.empty_body();
        Refusal::Body { size: size + empty, limit: limit + empty }
    }

    /// Queues the fragments of a message one behind the other. The conflation key has done its work when none can replace
    /// the unsent message that had it, since that one would come after.
    fn push_parts(
        &mut self,
        now: Instant,
        message: Outgoing,
        parts: Parts,
        confirm: Option<ConfirmId>,
    ) -> Result<(), Refusal> {
        let (id, count) = (self.queue.next_order(), parts.len());
        if let Some(key) = &message.conflation_key {
            self.queue.forget_key(&message.topic, key);
        }
        for (part, cost) in parts {
            let (topic, priority) = (message.topic.clone(), message.priority);
            let (found, topic_cost) = self.look_up(&topic)?;
            let (body, whole) = (self.queue.stage(&part), Some(id));
            let measured =
                Measured { topic, found, topic_cost, body, cost, priority, key: None, confirm: None, whole };
            self.queue.push(now, measured)?;
        }
        self.wholes.add(id, message, count, confirm);
        Ok(())
    }

    /// Where messages of an inner topic wait, if there are any, and what it adds to a frame beside its messages. The name of
    /// one that has none is checked.
    fn look_up(&self, topic: &str) -> Result<(Found, usize), Refusal> {
        let found = self.queue.find(topic);
        let cost = match found.id {
            Some(id) => self.queue.topic(id).cost,
            None => self.settings.tariff.topic(topic, self.settings.check_topic(topic)?),
        };
        Ok((found, cost))
    }
}
