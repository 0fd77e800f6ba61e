//! What a record that is in use has under way, and who waits for it.

use std::collections::VecDeque;
use std::sync::Arc;

use transport_traits::{Error, Instant};

use super::announce::BusState;
use super::flush::{Attempt, FlushWaiter};
use super::io::Ticket;
use super::rare::Vacant;
use super::record::Listening;
use super::update::UpdateJob;

/// The store request of a record that is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    /// A read, begun when the base had this generation and others had spoken of this commit.
    Read { generation: u64, heard_of: u64 },
    /// A write, or the function of an update that precedes one.
    Write,
}

/// The part of a record that is vacant while it listens, nothing happens to it and nothing goes wrong.
#[derive(Debug)]
pub(crate) struct Busy {
    /// The subscription, which at rest is active.
    pub(crate) listening: Listening,
    pub(crate) listen_failures: u32,
    /// Until when the first load waits for the subscription.
    pub(crate) patience: Instant,
    /// What there is to tell the other servers.
    pub(crate) bus: BusState,

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
    /// The highest commit of the base's epoch that anybody spoke of, if the base is behind it, else 0.
    pub(crate) heard_of: u64,

    /// Store requests that failed in a row.
    pub(crate) failures: u32,
    /// Writes that lost against others' in a row, since anything of ours was written by whomever.
    pub(crate) conflicts: u32,
    /// No store request before this. It has passed once neither failures nor conflicts are counted.
    pub(crate) not_before: Instant,
}

impl Busy {
    const fn new() -> Self {
        Self {
            listening: Listening::Active,
            listen_failures: 0,
            patience: Instant::ZERO,
            bus: BusState::new(),
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
            heard_of: 0,
            failures: 0,
            conflicts: 0,
            not_before: Instant::ZERO,
        }
    }
}

impl Default for Busy {
    fn default() -> Self {
        Self::new()
    }
}

impl Vacant for Busy {
    const VACANT: &'static Self = &Self::new();

    fn is_vacant(&self) -> bool {
        let waited_for = !(self.updates.is_empty() && self.flushes.is_empty() && self.opens.is_empty());
        let under_way = self.call.is_some() || self.attempt.is_some() || !self.bus.is_vacant();
        let wanted = self.read_at.is_some() || self.catch_up_at.is_some() || self.heard_of > 0;
        let noted = self.undetermined > 0 || self.full_since.is_some() || self.refusal.is_some();
        let failing = self.failures > 0 || self.conflicts > 0;
        let listens = self.listening == Listening::Active;
        listens && !(waited_for || under_way || wanted || noted || failing)
    }
}
