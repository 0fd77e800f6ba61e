//! The bus of a scenario: what becomes of a publish and of each delivery.

use std::collections::BTreeMap;

use transport_traits::ErrorKind;
use transport_traits::limits::SizeLimit;

use super::recording::{Fault, Setup};

pub(crate) struct Bus<'a> {
    setup: &'a Setup,
    /// Publishes of each server so far.
    publishes: BTreeMap<String, u64>,
    /// No more faults.
    pub(crate) healed: bool,
}

/// What becomes of a publish.
pub(crate) struct Fate {
    pub(crate) result: Result<(), ErrorKind>,
    /// Whether it reaches anybody.
    pub(crate) delivers: bool,
}

impl<'a> Bus<'a> {
    pub(crate) fn new(setup: &'a Setup) -> Self {
        Self { setup, publishes: BTreeMap::new(), healed: false }
    }

    /// A publish that fails reaches nobody, unless its outcome is ambiguous.
    pub(crate) fn publish(&mut self, server: &str, body: &[u8]) -> Fate {
        let number = self.publishes.entry(server.to_owned()).or_default();
        *number += 1;
        let number = *number;
        if let Err(error) = self.setup.max_encoded_bytes.map_or(Ok(()), |max| too_large(max, body)) {
            return Fate { result: Err(error), delivers: false };
        }
        let hits = |fault: &&Fault| {
            fault.on == "publish"
                && fault.server.as_deref().is_none_or(|of| of == server)
                && fault.nth.is_none_or(|nth| nth == number)
        };
        match self.setup.faults.iter().find(hits).filter(|_| !self.healed).map(|fault| fault.fault.as_str()) {
            None => Fate { result: Ok(()), delivers: true },
            Some("ambiguous") => Fate { result: Err(ErrorKind::Unknown), delivers: true },
            Some("throttled") => {
                Fate { result: Err(ErrorKind::Throttled { retry_after: None }), delivers: false }
            }
            Some(_) => Fate { result: Err(ErrorKind::Unavailable), delivers: false },
        }
    }

    /// After how many steps the publish of this number, counted from 1, is received; `None` if it is lost.
    pub(crate) fn delay(&self, publish: u64, from: &str, to: &str) -> Option<u64> {
        let hits = |fault: &&Fault| {
            !self.healed
                && fault.on == "deliver"
                && fault.publish.is_none_or(|number| number == publish)
                && fault.to.as_deref().is_none_or(|server| server == to)
                && fault.from.as_deref().is_none_or(|server| server == from)
        };
        let faults: Vec<&Fault> = self.setup.faults.iter().filter(hits).collect();
        let lost = faults.iter().any(|fault| fault.fault == "drop");
        let later: u64 = faults.iter().filter_map(|fault| fault.seconds).map(|seconds| seconds.step()).sum();
        (!lost).then_some(self.setup.delivery_delay.step() + later)
    }
}

fn too_large(max: usize, body: &[u8]) -> Result<(), ErrorKind> {
    SizeLimit::json_encoded(max).check("a publish", body).map_err(|error| error.kind())
}
