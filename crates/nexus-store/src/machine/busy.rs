//! What a record that is in use has under way, and who waits for it.

use std::collections::VecDeque;
use std::sync::Arc;

use transport_traits::{Error, Instant};

use super::flush::{Attempt, FlushWaiter};
use super::io::Ticket;
use super::rare::Vacant;
use super::update::UpdateJob;

/// The store request of a record that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A read, begun when the base had this generation and others had spoken of this commit.
    Read { generation: u64, heard_of: u64 },
    /// A write, or the function of an update that precedes one.
    Write,
}

/// The part of a record that is vacant while nothing happens to it.
#[derive(Debug, Default)]
pub(crate) struct Busy {
    pub(crate) call: Option<Call>,
    /// Boxed, since it is handed on as a whole.
    pub(crate) attempt: Option<Box<Attempt>>,
    pub(crate) updates: VecDeque<UpdateJob>,
    pub(crate) flushes: Vec<FlushWaiter>,
    /// Operations without a known fate that no flush has reported yet: the next one does.
    pub(crate) undetermined: u64,
    pub(crate) opens: Vec<Ticket>,
    /// Since when the table of the base of this generation is known to have no room.
    pub(crate) full_since: Option<(u64, Instant)>,
    /// A read is wanted at this time, whatever happens; zero is at once, before any write.
    pub(crate) read_at: Option<Instant>,
    /// A read is wanted at this time, unless the record has caught up by then.
    pub(crate) catch_up_at: Option<Instant>,
    pub(crate) refusal: Option<Arc<Error>>,
}

impl Busy {
    const fn new() -> Self {
        Self {
            call: None,
            attempt: None,
            updates: VecDeque::new(),
            flushes: Vec::new(),
            undetermined: 0,
            opens: Vec::new(),
            full_since: None,
            read_at: None,
            catch_up_at: None,
            refusal: None,
        }
    }
}

impl Vacant for Busy {
    const VACANT: &'static Self = &Self::new();

    fn is_vacant(&self) -> bool {
        let waited_for = !(self.updates.is_empty() && self.flushes.is_empty() && self.opens.is_empty());
        let under_way = self.call.is_some() || self.attempt.is_some();
        let wanted = self.read_at.is_some() || self.catch_up_at.is_some();
        let noted = self.undetermined > 0 || self.full_since.is_some() || self.refusal.is_some();
        !(waited_for || under_way || wanted || noted)
    }
}
