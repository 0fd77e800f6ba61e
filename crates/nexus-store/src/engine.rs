//! The machine of the profile that a store is configured for.

use std::sync::Arc;

use transport_traits::{BusLimits, Instant, RecordKey, StoreLimits, WallTime};

use crate::change::Change;
use crate::machine::{Input, Machine, Output, RecordId, Scope, Ticket, original};
use crate::view::View;
use crate::{Config, OpenError, Profile, Stats, WriteError};

/// What handles and driver work on: either machine, with one set of inputs and outputs.
pub(crate) enum Engine {
    Default(Box<Machine>),
    Original(Box<original::Machine>),
}

/// Calls the method of that name on whichever machine it is.
macro_rules! either {
    ($engine:expr, $machine:ident => $call:expr) => {
        match $engine {
            Engine::Default($machine) => $call,
            Engine::Original($machine) => $call,
        }
    };
}

impl Engine {
    pub(crate) fn new(
        config: Config,
        store: StoreLimits,
        bus: BusLimits,
        now: Instant,
        wall: WallTime,
    ) -> Self {
        match config.profile {
            Profile::Default => Self::Default(Box::new(Machine::new(config, store, bus, now, wall))),
            Profile::Nexus | Profile::StrictNexus => {
                Self::Original(Box::new(original::Machine::new(config, store, bus, now, wall)))
            }
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        either!(self, machine => machine.stats())
    }

    pub(crate) fn open(
        &mut self,
        now: Instant,
        key: RecordKey,
    ) -> Result<(RecordId, Arc<View>, Ticket), OpenError> {
        either!(self, machine => machine.open(now, key))
    }

    pub(crate) fn write(
        &mut self,
        now: Instant,
        id: RecordId,
        field: &str,
        change: Change,
    ) -> Result<(), WriteError> {
        either!(self, machine => machine.write(now, id, field, change))
    }

    pub(crate) fn flush(&mut self, now: Instant, id: RecordId) -> Ticket {
        match self {
            Self::Default(machine) => machine.flush(now, id),
            Self::Original(machine) => machine.flush(id),
        }
    }

    pub(crate) fn flush_all(&mut self, now: Instant) -> Vec<(RecordId, RecordKey, Ticket)> {
        match self {
            Self::Default(machine) => machine.flush_all(now),
            Self::Original(machine) => machine.flush_all(),
        }
    }

    pub(crate) fn write_all(
        &mut self,
        now: Instant,
        id: RecordId,
        changes: Vec<(Arc<str>, Change)>,
    ) -> Result<(), WriteError> {
        either!(self, machine => machine.write_all(now, id, changes))
    }

    pub(crate) fn update(&mut self, id: RecordId, scope: Scope<'_>) -> Ticket {
        either!(self, machine => machine.update(id, scope))
    }

    pub(crate) fn update_once(
        &mut self,
        now: Instant,
        key: RecordKey,
        scope: Scope<'_>,
    ) -> Result<Ticket, OpenError> {
        either!(self, machine => machine.update_once(now, key, scope))
    }

    pub(crate) fn users(&self, id: RecordId) -> Arc<[Arc<str>]> {
        either!(self, machine => machine.users(id))
    }

    pub(crate) fn allow_overwrite(&mut self, now: Instant, id: RecordId) {
        match self {
            Self::Default(machine) => machine.allow_overwrite(now, id),
            Self::Original(machine) => machine.allow_overwrite(id, true),
        }
    }

    pub(crate) fn handle(&mut self, now: Instant, input: Input) {
        either!(self, machine => machine.handle(now, input));
    }

    pub(crate) fn poll(&mut self, now: Instant) -> Option<Output> {
        either!(self, machine => machine.poll(now))
    }

    /// Whether a call has made more to do since the last poll that gave `None`.
    pub(crate) fn needs_poll(&self) -> bool {
        match self {
            Self::Default(machine) => machine.needs_poll(),
            Self::Original(_) => true,
        }
    }

    /// Whether anybody listens to a record's changes. The originals' machine tells them anyway.
    pub(crate) fn tell_changes(&mut self, id: RecordId, told: bool) {
        if let Self::Default(machine) = self {
            machine.tell_changes(id, told);
        }
    }

    pub(crate) fn next_wakeup(&mut self, now: Instant) -> Option<Instant> {
        either!(self, machine => machine.next_wakeup(now))
    }

    pub(crate) fn shut_down(&mut self, now: Instant) -> Ticket {
        either!(self, machine => machine.shut_down(now))
    }

    pub(crate) fn abort(&mut self, now: Instant) {
        either!(self, machine => machine.abort(now));
    }

    pub(crate) fn is_closed(&self) -> bool {
        either!(self, machine => machine.is_closed())
    }
}
