//! What options hold and nobody shall read in a log.

use std::fmt;

/// A value that is not shown, since it is secret or long: [`Debug`] says `(hidden)`.
#[derive(Clone)]
pub struct Hidden<T>(pub T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}
