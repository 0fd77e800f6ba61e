//! The ledger's copy on disk, for checking a data file after the whole program was killed.
//!
//! A text file beside the data file, one line an event, written without a buffer of our own so that a
//! killed process loses none. `run STORE .` begins a run, `+ PLAYER INDEX COINS .` is an operation about to be
//! asked for, `= PLAYER INDEX .` one that was reported durable. A line without the full stop was cut short.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::operation::OperationId;
use crate::failure::Failure;

/// The side ledger of a data file.
pub(super) struct SideLedger {
    path: PathBuf,
    file: File,
}

/// One line of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    Run(String),
    Issued(OperationId, i64),
    Durable(OperationId),
}

/// Where the side ledger of a data file is.
pub(super) fn path_beside(data: &Path) -> PathBuf {
    let mut name = data.as_os_str().to_owned();
    name.push(".ledger");
    name.into()
}

impl SideLedger {
    /// Opens or creates the side ledger of `data` and begins a run whose records are in `store`.
    pub(super) fn begin(data: &Path, store: &str) -> Result<Self, Failure> {
        let path = path_beside(data);
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let file =
            opened.map_err(|error| Failure::because(format!("cannot write {}", path.display()), &error))?;
        let ledger = Self { path, file };
        // The last run may have left a line without an end.
        ledger.write(&format!("\nrun {store} .\n"))?;
        Ok(ledger)
    }

    pub(super) fn issued(&self, id: OperationId, coins: i64) -> Result<(), Failure> {
        self.write(&format!("+ {} {} {coins} .\n", id.player, id.index))
    }

    pub(super) fn durable(&self, id: OperationId) -> Result<(), Failure> {
        self.write(&format!("= {} {} .\n", id.player, id.index))
    }

    /// One call of `write` a line: the system appends it whole, whichever thread is first.
    fn write(&self, line: &str) -> Result<(), Failure> {
        (&self.file)
            .write_all(line.as_bytes())
            .map_err(|error| Failure::because(format!("cannot write {}", self.path.display()), &error))
    }
}

/// Reads a line; `None` if it is none of ours. The last line of a killed run may be cut short.
pub(super) fn parse(line: &str) -> Option<Line> {
    let line = line.strip_suffix(" .")?;
    let mut words = line.split(' ');
    let kind = words.next()?;
    if kind == "run" {
        return line.strip_prefix("run ").map(|store| Line::Run(store.to_owned()));
    }
    let id = OperationId { player: words.next()?.parse().ok()?, index: words.next()?.parse().ok()? };
    let parsed = match kind {
        "+" => Line::Issued(id, words.next()?.parse().ok()?),
        "=" => Line::Durable(id),
        _ => return None,
    };
    words.next().is_none().then_some(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: OperationId = OperationId { player: 3, index: 14 };

    #[test]
    fn lines_read_back_as_they_were_written() {
        assert_eq!(parse("run coins-1 ."), Some(Line::Run("coins-1".into())));
        assert_eq!(parse("+ 3 14 -20 ."), Some(Line::Issued(ID, -20)));
        assert_eq!(parse("= 3 14 ."), Some(Line::Durable(ID)));
    }

    #[test]
    fn a_line_cut_short_is_no_line() {
        for whole in ["run coins-1 .", "+ 3 14 -20 .", "= 3 14 ."] {
            for end in 0..whole.len() {
                assert_eq!(parse(&whole[..end]), None, "{:?}", &whole[..end]);
            }
        }
    }

    #[test]
    fn a_line_of_another_kind_is_no_line() {
        for other in ["", ".", "+ 3 14 .", "= 3 x .", "= 3 14 5 .", "- 3 14 ."] {
            assert_eq!(parse(other), None, "{other:?}");
        }
    }
}
