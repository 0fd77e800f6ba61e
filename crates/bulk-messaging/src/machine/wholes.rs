//! Messages on their way in fragments: what they were, and what becomes of them.

use std::collections::BTreeMap;

use transport_traits::{ErrorKind, Outgoing};

use super::{ConfirmId, Output};

/// Names a message that was split.
pub(crate) type WholeId = u64;

#[derive(Debug, Default)]
pub(crate) struct Wholes {
    wholes: BTreeMap<WholeId, Whole>,
}

/// A message that was split.
#[derive(Debug)]
pub(crate) struct Whole {
    message: Outgoing,
    confirm: Option<ConfirmId>,
    /// The first error of a fragment.
    result: Result<(), ErrorKind>,
    /// Fragments whose publish is not over.
    left: usize,
    /// A fragment may have been sent.
    touched: bool,
}

impl Whole {
    /// All fragments are over: tells who waits, and yields the message and how it went.
    pub(crate) fn over(self, outputs: &mut impl Extend<Output>) -> (Outgoing, Result<(), ErrorKind>) {
        outputs.extend(Output::confirmed(self.confirm.into_iter().collect(), self.result));
        (self.message, self.result)
    }

    /// Nothing more will be sent: tells who waits, and yields the message.
    pub(crate) fn cut_short(mut self, outputs: &mut impl Extend<Output>) -> Outgoing {
        let unsent = if self.touched { ErrorKind::Unknown } else { ErrorKind::Closed };
        self.result = self.result.and(Err(unsent));
        self.over(outputs).0
    }
}

impl Wholes {
    /// The id is the order of the first fragment.
    pub(crate) fn add(&mut self, id: WholeId, message: Outgoing, left: usize, confirm: Option<ConfirmId>) {
        self.wholes.insert(id, Whole { message, confirm, result: Ok(()), left, touched: false });
    }

    /// The publish of a fragment is over; yields the message if that was the last one.
    pub(crate) fn part_over(&mut self, id: WholeId, result: Result<(), ErrorKind>) -> Option<Whole> {
        let whole = self.wholes.get_mut(&id)?;
        whole.touched = true;
        whole.result = whole.result.and(result);
        whole.left -= 1;
        if whole.left == 0 { self.wholes.remove(&id) } else { None }
    }

    /// A fragment is under way.
    pub(crate) fn touch(&mut self, id: WholeId) {
        if let Some(whole) = self.wholes.get_mut(&id) {
            whole.touched = true;
        }
    }

    /// Takes all out, with their ids.
    pub(crate) fn take_all(&mut self) -> BTreeMap<WholeId, Whole> {
        std::mem::take(&mut self.wholes)
    }
}
