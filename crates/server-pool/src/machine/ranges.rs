//! Sets of versions as disjoint ranges (from, to].

#[cfg(test)]
mod tests;

use smallvec::SmallVec;

/// A set of versions greater than 0: sorted ranges (from, to] that neither overlap nor touch. Nearly always there is one,
/// which is kept where the set is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(SmallVec<[(u64, u64); 1]>);

impl Ranges {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many ranges there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The greatest w such that the set holds all of (0, w].
    pub(crate) fn prefix(&self) -> u64 {
        self.0.first().filter(|range| range.0 == 0).map_or(0, |range| range.1)
    }

    /// Whether all of (from, to] is in the set.
    pub(crate) fn contains(&self, from: u64, to: u64) -> bool {
        self.0.get(self.first_touching(from)).is_some_and(|range| range.0 <= from && to <= range.1)
    }

    /// Adds (from, to].
    pub(crate) fn insert(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let start = self.first_touching(from);
        let end = start + self.0[start..].iter().take_while(|range| range.0 <= to).count();
        let merged =
            self.0[start..end].iter().fold((from, to), |all, range| (all.0.min(range.0), all.1.max(range.1)));
        if start < end {
            self.0[start] = merged;
            self.0.drain(start + 1..end);
        } else {
            self.0.insert(start, merged);
        }
    }

    /// Takes (from, to] out.
    pub(crate) fn remove(&mut self, from: u64, to: u64) {
        if from >= to {
            return;
        }
        let rest = self.0.iter().flat_map(|&(a, b)| [(a, b.min(from)), (a.max(to), b)]);
        self.0 = rest.filter(|(a, b)| a < b).collect();
    }

    /// What is in the set next behind `cursor`, from the beginning again if there is nothing.
    pub(crate) fn next_from(&self, cursor: u64) -> Option<(u64, u64)> {
        let behind = self.0.iter().find(|range| range.1 > cursor);
        behind.map(|&(from, to)| (from.max(cursor), to)).or_else(|| self.0.first().copied())
    }

    /// The ranges of (0, head] that are not in the set, ascending.
    pub(crate) fn gaps(&self, head: u64) -> impl Iterator<Item = (u64, u64)> {
        let starts = std::iter::once(0).chain(self.0.iter().map(|range| range.1));
        let ends = self.0.iter().map(|range| range.0).chain(std::iter::once(u64::MAX));
        starts.zip(ends).map(move |(from, to)| (from, to.min(head))).filter(|(from, to)| from < to)
    }

    /// The index of the first range that ends at `from` or behind it.
    fn first_touching(&self, from: u64) -> usize {
        self.0.partition_point(|range| range.1 < from)
    }
}
