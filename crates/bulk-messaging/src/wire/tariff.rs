//! What topics and bodies cost in the frames of a format.

use transport_traits::limits::{Content, Counting};

use super::compact::Sizes;
use super::{Costs, opening};

/// The price list of a format. In `Nexus` prices are exact and add up; in `Compact` they are the most that something
/// can cost, and a frame is full when the next message does not fit.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tariff {
    Nexus(Costs),
    Compact(Sizes),
}

impl Tariff {
    /// What a body costs.
    pub(crate) fn body(self, body: &[u8]) -> usize {
        match self {
            Self::Nexus(costs) => costs.text(body),
            Self::Compact(sizes) => sizes.body(body),
        }
    }

    /// What a topic costs whose JSON form has so many bytes, with all that is around its messages.
    pub(crate) fn topic(self, topic: &str, json: usize) -> usize {
        match self {
            // Beside its JSON form: a comma, a colon and the brackets.
            Self::Nexus(costs) if costs.counting() == Counting::Bytes => json + 4,
            Self::Nexus(costs) => costs.text(&opening(topic)) + costs.text(b"]"),
            Self::Compact(sizes) => sizes.body(topic.as_bytes()),
        }
    }

    /// What a topic can cost whose JSON form has so many bytes.
    pub(crate) fn topic_at_most(self, json: usize) -> usize {
        match self {
            Self::Nexus(costs) => {
                let around = costs.text(&opening("")) - costs.text(b"\"\"") + costs.text(b"]");
                around + costs.topic_at_most(json)
            }
            Self::Compact(_) => json,
        }
    }

    /// What a limit of bodies, as the bus counts, has beside the cost of the body.
    pub(crate) fn empty_body(self) -> usize {
        match self {
            Self::Nexus(costs) => costs.frame(),
            Self::Compact(sizes) => sizes.body_limit(0).max,
        }
    }

    /// What bodies may be.
    pub(crate) const fn content(self) -> Content {
        match self {
            Self::Nexus(_) => Content::Text,
            Self::Compact(_) => Content::Binary,
        }
    }
}
