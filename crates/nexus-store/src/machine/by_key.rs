//! Finding an open record by its key, without a second copy of the key.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::sync::Arc;

use transport_traits::RecordKey;

use crate::view::View;

/// The view of a record, ordered and found by the record's key alone, which never changes.
#[derive(Debug)]
pub(crate) struct ByKey(pub(crate) Arc<View>);

impl Borrow<RecordKey> for ByKey {
    fn borrow(&self) -> &RecordKey {
        self.0.key()
    }
}

impl Ord for ByKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.key().cmp(other.0.key())
    }
}

impl PartialOrd for ByKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for ByKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl Eq for ByKey {}
