//! The heads among which the next message of a frame is chosen: the first ones of each class, gathered once a frame.

use smallvec::SmallVec;

use super::line::Head;
use super::packer::{Blocked, is_by_age};
use super::picks::Picks;
use super::queue::Queue;
use super::topics::TopicId;

/// How many heads of each class are looked at.
const LOOK: usize = 32;

/// A head that may go into the frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    /// Its class; 0 in a frame that goes by age alone.
    rank: usize,
    order: u64,
    /// What it would add to the frame.
    pub(super) cost: usize,
    pub(super) id: TopicId,
}

impl Candidate {
    const fn place(&self) -> (usize, u64) {
        (self.rank, self.order)
    }
}

/// Candidates by rank and age.
#[derive(Debug)]
pub(super) struct Window {
    lane: usize,
    by_age: bool,
    candidates: SmallVec<[Candidate; LOOK]>,
    /// How many of them are over, from the front.
    gone: usize,
    /// Of each class: the last head that was looked at, if there are more.
    horizons: [Option<u64>; 3],
}

impl Window {
    /// For the frame of this number.
    pub(super) fn new(lane: usize, number: u64) -> Self {
        let (candidates, horizons) = (SmallVec::new(), [None; 3]);
        Self { lane, by_age: is_by_age(number), candidates, gone: 0, horizons }
    }

    pub(super) fn candidates(&self) -> &[Candidate] {
        &self.candidates[self.gone..]
    }

    /// Looks at the queue anew, apart from the topics in `without`.
    pub(super) fn gather(&mut self, queue: &Queue, picks: &Picks, blocked: &Blocked, without: &[TopicId]) {
        let Self { lane, by_age, candidates, horizons, .. } = self;
        candidates.clear();
        self.gone = 0;
        for (class, horizon) in horizons.iter_mut().enumerate() {
            let mut last = 0;
            let more = queue.heads(*lane, class).look(LOOK + without.len(), |head| {
                let Head { order, topic: id, cost } = head;
                last = order;
                let open = blocked.is_empty() || !blocked.contains_key(&queue.topic(id).topic);
                if open && (without.is_empty() || !without.contains(&id)) {
                    let cost = if picks.len() == 0 { cost } else { picks.cost(queue, id) };
                    candidates.push(Candidate { rank: if *by_age { 0 } else { class }, order, cost, id });
                }
            });
            *horizon = more.then_some(last);
        }
        if *by_age {
            candidates.sort_unstable_by_key(Candidate::place);
        }
    }

    /// The dearest candidate that costs at most `left`, of the most urgent class that has one; of equal ones the oldest.
    pub(super) fn best(&self, left: usize) -> Option<usize> {
        let candidates = self.candidates();
        let mut best: Option<usize> = None;
        for (at, candidate) in candidates.iter().enumerate().filter(|(_, other)| other.cost <= left) {
            match best.map(|best| &candidates[best]) {
                Some(best) if best.rank < candidate.rank => break,
                Some(best) if best.cost >= candidate.cost => {}
                _ => best = Some(at),
            }
        }
        best
    }

    /// Passes over a candidate.
    pub(super) fn skip(&mut self, at: usize) {
        if at == 0 {
            self.gone += 1;
        } else {
            self.candidates.remove(self.gone + at);
        }
    }

    /// A candidate has gone into the frame: the message behind it takes its place. Says whether the window shows too
    /// little now and should be [gathered](Self::gather) anew.
    pub(super) fn taken(&mut self, queue: &Queue, picks: &Picks, at: usize) -> bool {
        let id = self.candidates()[at].id;
        self.skip(at);
        if let Some(head) = queue.head(id) {
            let (class, order) = (queue.topic(id).class(), head.order);
            if self.horizons[class].is_none_or(|horizon| order <= horizon) {
                let rank = if self.by_age { 0 } else { class };
                self.insert(Candidate { rank, order, cost: picks.cost(queue, id), id });
            }
        }
        self.candidates().len() < LOOK / 2 && self.horizons.iter().any(Option::is_some)
    }

    fn insert(&mut self, candidate: Candidate) {
        let before = |other: &&Candidate| other.place() < candidate.place();
        let at = self.candidates().iter().take_while(before).count();
        if at == 0 && self.gone > 0 {
            self.gone -= 1;
            self.candidates[self.gone] = candidate;
        } else {
            self.candidates.insert(self.gone + at, candidate);
        }
    }
}
