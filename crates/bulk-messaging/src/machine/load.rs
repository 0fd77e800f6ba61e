//! What was in a sealed frame, as far as it matters when the publish is over.

use bytes::Bytes;
use transport_traits::{Outgoing, Priority, Topic};

use super::ConfirmId;
use super::entries::Extra;
use super::wholes::WholeId;
use crate::wire::Frame;

/// A message in a sealed frame; its topic and body are in the frame itself.
#[derive(Debug)]
pub(crate) struct Sent {
    pub(crate) order: u64,
    pub(crate) priority: Priority,
    pub(crate) extra: Option<Box<Extra>>,
}

/// The messages of a frame: by inner topic, those in the order in which they come in the frame.
#[derive(Debug)]
pub(crate) struct Load(Vec<Sent>);

impl Load {
    pub(super) fn with_capacity(messages: usize) -> Self {
        Self(Vec::with_capacity(messages))
    }

    pub(super) fn push(&mut self, message: Sent) {
        self.0.push(message);
    }

    /// The number of messages.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The smallest order.
    pub(crate) fn oldest(&self) -> Option<u64> {
        self.0.iter().map(|message| message.order).min()
    }

    /// Everybody who waits for one of the messages.
    pub(crate) fn confirms(&self) -> Vec<ConfirmId> {
        self.extras().flat_map(|extra| &extra.confirms).copied().collect()
    }

    /// The messages of which there are fragments in the frame, each as often as there are.
    pub(crate) fn wholes(&self) -> impl Iterator<Item = WholeId> {
        self.extras().filter_map(|extra| extra.whole)
    }

    /// What few messages have.
    fn extras(&self) -> impl Iterator<Item = &Extra> {
        self.0.iter().filter_map(|message| message.extra.as_deref())
    }

    /// The messages of this frame as they were published, with their orders. Fragments are left out.
    pub(crate) fn recover(self, frame: &Bytes) -> Vec<(u64, Outgoing)> {
        let frame = Frame::decode(frame.clone()).expect("frames of ours can be read");
        let mut groups: Vec<(Topic, Vec<Bytes>)> = Vec::new();
        for entry in frame.entries() {
            let topic = frame.topic(entry);
            let known = groups.iter().position(|(other, _)| **other == *topic);
            let group = known.unwrap_or_else(|| {
                groups.push((topic.into(), Vec::new()));
                groups.len() - 1
            });
            groups[group].1.extend(frame.spans(entry).iter().map(|&span| frame.message(span)));
        }
        let messages = groups
            .into_iter()
            .flat_map(|(topic, bodies)| bodies.into_iter().map(move |body| (topic.clone(), body)));
        self.outgoing(messages)
    }

    /// The same with the messages' topics and bodies given.
    pub(super) fn outgoing(self, messages: impl IntoIterator<Item = (Topic, Bytes)>) -> Vec<(u64, Outgoing)> {
        let both = self.0.into_iter().zip(messages);
        let outgoing = |(sent, (topic, body)): (Sent, (Topic, Bytes))| {
            let extra = sent.extra.map_or_else(Extra::default, |extra| *extra);
            let mut message = Outgoing::new(topic, body).with_priority(sent.priority);
            message.conflation_key = extra.key;
            extra.whole.is_none().then_some((sent.order, message))
        };
        both.filter_map(outgoing).collect()
    }
}
