//! Names that repeat from record to record, shared between them.

use std::array;
use std::fmt;
use std::sync::Arc;

use crate::json::Fnv;

/// How many names are kept; a power of two.
const KEPT: usize = 256;

/// Longer names are not kept.
const LONGEST: usize = 64;

/// Some of the names that were used last: each has one place, where the next name of that place follows it. So
/// a million records with the same fields hold their names once, and nothing has to be forgotten in time.
pub(crate) struct Names([Option<Arc<str>>; KEPT]);

impl Names {
    pub(crate) fn new() -> Self {
        Self(array::from_fn(|_| None))
    }

    /// The name, shared with whoever used it last, if that is known.
    pub(crate) fn share(&mut self, name: &str) -> Arc<str> {
        if name.len() > LONGEST {
            return name.into();
        }
        let mut hash = Fnv::new();
        hash.write(name.as_bytes());
        let place = &mut self.0[hash.finish() as usize % KEPT];
        match place {
            Some(held) if **held == *name => Arc::clone(held),
            _ => Arc::clone(place.insert(name.into())),
        }
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.iter().flatten()).finish()
    }
}
