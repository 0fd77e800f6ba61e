//! Why a run could not be made: one line for the user.

use std::error::Error;
use std::fmt;

/// One line that says what could not be done and why.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(what: impl fmt::Display) -> Self {
        Self(what.to_string())
    }

    /// `what` failed because of `why` and everything behind it.
    pub(crate) fn because(what: impl fmt::Display, why: &(dyn Error + 'static)) -> Self {
        Self(format!("{what}: {}", with_causes(why)))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An error and everything behind it, on one line.
pub(crate) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut line = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let text = error.to_string();
        if !line.ends_with(&text) {
            line.push_str(": ");
            line.push_str(&text);
        }
        source = error.source();
    }
    line.replace('\n', " ")
}
