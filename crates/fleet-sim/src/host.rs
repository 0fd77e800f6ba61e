//! A place where server processes run, one at a time.

use std::fmt;

use transport_traits::Instant;

use crate::Event;

/// A host of a simulation, by the order in which they were added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

impl fmt::Display for HostId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "h{}", self.0)
    }
}

/// One process on one host: what is sent to it does not reach the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) host: HostId,
    pub(crate) number: u32,
}

#[derive(Debug)]
pub(crate) struct Host<N> {
    pub(crate) node: Option<N>,
    /// Counts the processes that ran here.
    pub(crate) lives: u32,
    /// How far its wall clock is ahead, µs.
    pub(crate) ahead: i64,
    pub(crate) paused_until: Option<Instant>,
    /// What came while it stood still.
    pub(crate) held: Vec<Event>,
    /// Messages up to this number do not reach it any more: its connection to the bus broke after they were published.
    pub(crate) missed: u64,
    /// When it wants to be woken.
    pub(crate) wanted: Option<Instant>,
    /// The earliest time at which it is on the agenda for that.
    pub(crate) entered: Option<Instant>,
}

impl<N> Host<N> {
    pub(crate) const fn new() -> Self {
        Self {
            node: None,
            lives: 0,
            ahead: 0,
            paused_until: None,
            held: Vec::new(),
            missed: 0,
            wanted: None,
            entered: None,
        }
    }

    /// Ends its process.
    pub(crate) fn end(&mut self) -> Option<N> {
        self.paused_until = None;
        self.held.clear();
        self.wanted = None;
        self.node.take()
    }
}
