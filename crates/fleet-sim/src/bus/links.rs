//! Which servers reach which: cuts, each with two sides and a direction.

use std::collections::BTreeSet;

use crate::HostId;

/// A cut between servers, as [`Bus::cut`](crate::Bus::cut) made it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CutId(u64);

/// What a cut does to messages that would cross it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CutKind {
    /// They are lost: a partition.
    Drop,
    /// They wait until the cut is mended: a clogged link.
    Hold,
}

#[derive(Debug)]
struct Cut {
    id: CutId,
    from: BTreeSet<HostId>,
    to: BTreeSet<HostId>,
    kind: CutKind,
}

#[derive(Debug, Default)]
pub(super) struct Links {
    cuts: Vec<Cut>,
    made: u64,
}

impl Links {
    pub(super) fn cut(&mut self, from: BTreeSet<HostId>, to: BTreeSet<HostId>, kind: CutKind) -> CutId {
        let id = CutId(self.made);
        self.made += 1;
        self.cuts.push(Cut { id, from, to, kind });
        id
    }

    pub(super) fn mend(&mut self, id: CutId) {
        self.cuts.retain(|cut| cut.id != id);
    }

    pub(super) fn mend_all(&mut self) {
        self.cuts.clear();
    }

    /// What happens on the way between two servers; `None` if nothing does. To lose is more than to wait.
    pub(super) fn crossing(&self, from: HostId, to: HostId) -> Option<CutKind> {
        let crossed = self.cuts.iter().filter(|cut| cut.from.contains(&from) && cut.to.contains(&to));
        crossed.map(|cut| cut.kind).reduce(|a, b| if a == CutKind::Drop { a } else { b })
    }
}
