//! A message on its way to many processes, as one thing on the agenda.

use std::sync::Arc;

use transport_traits::Instant;

use crate::bus::Message;
use crate::host::Life;

/// The deliveries of one publish that are still to come, in the order in which they come.
///
/// On the agenda of a thousand servers they would be a thousand things, and nearly all that is there. So only the next one
/// is, and when it has happened the one behind it. As each keeps the turn that it would have had, nothing happens in another
/// order for it.
#[derive(Debug)]
pub(crate) struct Fan {
    pub(crate) message: Arc<Message>,
    /// The latest first, each with its turn.
    arrivals: Vec<(Instant, u64, Life)>,
}

/// A list of arrivals that can be used again: lists as long as a fleet is large, made and dropped for every publish, would
/// have the allocator tidy up what it holds for the rest all the time.
#[derive(Debug, Default)]
pub(crate) struct Spare(Vec<Vec<(Instant, u64, Life)>>);

/// Lists that are kept. More are needed only while far more is under way than most of the time.
const KEPT: usize = 64;

impl Spare {
    /// Takes the list of one that has nothing to come.
    pub(crate) fn keep(&mut self, fan: Fan) {
        if self.0.len() < KEPT {
            self.0.push(fan.arrivals);
        }
    }
}

impl Fan {
    /// `first`: the turn of the first arrival; the others have those behind it.
    pub(crate) fn new(
        message: Arc<Message>,
        first: u64,
        arrivals: impl Iterator<Item = (Instant, Life)>,
        spare: &mut Spare,
    ) -> Self {
        let mut list = spare.0.pop().unwrap_or_default();
        list.extend((first..).zip(arrivals).map(|(turn, (at, to))| (at, turn, to)));
        list.reverse();
        list.sort_by_key(|(at, turn, _)| std::cmp::Reverse((*at, *turn)));
        Self { message, arrivals: list }
    }

    /// When the next one comes, and its turn.
    pub(crate) fn next(&self) -> Option<(Instant, u64)> {
        self.arrivals.last().map(|(at, turn, _)| (*at, *turn))
    }

    /// Where the next one goes, if it comes by then.
    pub(crate) fn take_due(&mut self, by: Instant) -> Option<Life> {
        self.arrivals.pop_if(|(at, ..)| *at <= by).map(|(.., to)| to)
    }
}
