//! The inner topics of one lane and class by the age of their heads.

use std::collections::{BTreeMap, VecDeque};

use super::topics::TopicId;

#[cfg(test)]
mod tests;

/// Removing one so near the front moves no more than that.
const NEAR: usize = 64;

/// The first message of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Head {
    pub(super) order: u64,
    pub(super) topic: TopicId,
    /// What it adds to a frame that has nothing of its topic.
    pub(super) cost: usize,
}

/// Topics by the order of their heads. Most come with a message that is the youngest of all, and leave when it is
/// among the oldest, so most of the time this is a queue.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Heads that were younger than all before them when they came. One that left from the middle leaves a hole. The first
    /// is none.
    recent: VecDeque<(Head, bool)>,
    holes: usize,
    /// All other heads: behind one that was sent, and of topics that have changed their class.
    late: BTreeMap<u64, Head>,
}

impl Line {
    pub(super) fn len(&self) -> usize {
        self.recent.len() - self.holes + self.late.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.recent.is_empty() && self.late.is_empty()
    }

    pub(super) fn insert(&mut self, head: Head) {
        if self.recent.back().is_none_or(|(last, _)| last.order < head.order) {
            self.recent.push_back((head, true));
        } else {
            self.late.insert(head.order, head);
        }
    }

    pub(super) fn remove(&mut self, order: u64) {
        if self.recent.front().is_some_and(|(first, _)| first.order == order) {
            self.recent.pop_front();
        } else if self.late.is_empty() || self.late.remove(&order).is_none() {
            self.remove_recent(order);
        }
        while let Some((_, false)) = self.recent.front() {
            self.recent.pop_front();
            self.holes -= 1;
        }
        // Half of the places are holes at most, so closing them costs each removal no more than a constant.
        if 2 * self.holes > self.recent.len() {
            self.recent.retain(|&(_, there)| there);
            self.holes = 0;
        }
    }

    fn remove_recent(&mut self, order: u64) {
        let near = self.recent.iter().take(NEAR).position(|(head, _)| head.order == order);
        if let Some(at) = near {
            self.recent.remove(at);
            return;
        }
        let at = self.recent.partition_point(|(head, _)| head.order < order);
        assert!(self.recent[at].0.order == order, "a head that is removed is there");
        self.recent[at].1 = false;
        self.holes += 1;
    }

    /// The oldest.
    pub(super) fn first(&self) -> Option<Head> {
        let recent = self.recent.front().map(|&(head, _)| head);
        let late = self.late.first_key_value().map(|(_, &head)| head);
        recent.into_iter().chain(late).min()
    }

    /// Shows the first ones, oldest first, and says whether there are more.
    #[inline]
    pub(super) fn look(&self, count: usize, mut show: impl FnMut(Head)) -> bool {
        if self.late.is_empty() && self.holes == 0 {
            self.recent.iter().take(count).for_each(|&(head, _)| show(head));
        } else {
            self.merge(count, show);
        }
        self.len() > count
    }

    fn merge(&self, count: usize, mut show: impl FnMut(Head)) {
        let mut late = self.late.values().copied().peekable();
        let recent = self.recent.iter().filter(|(_, there)| *there).map(|&(head, _)| head);
        let mut left = count;
        for head in recent {
            while left > 0
                && let Some(older) = late.next_if(|older| older.order < head.order)
            {
                show(older);
                left -= 1;
            }
            if left == 0 {
                break;
            }
            show(head);
            left -= 1;
        }
        late.take(left).for_each(show);
    }
}
