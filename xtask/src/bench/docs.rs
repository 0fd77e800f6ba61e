//! The tables in `docs/benchmarks.md`, between two lines that mark them.

use std::fs;
use std::path::Path;

use crate::cargo;
use crate::metadata::Metadata;

const BEGIN: &str = "<!-- Tables: written by `cargo xtask bench --docs`. -->\n";
const END: &str = "<!-- End of the tables. -->";

/// Puts what is in `target/bench/report.md` into the document.
///
/// # Errors
/// A text for people, if a file cannot be read or written, or the document has no such lines.
pub(super) fn update(metadata: &Metadata) -> Result<(), String> {
    let report = metadata.target_directory.join("bench/report.md");
    let document = cargo::root().join("docs/benchmarks.md");
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let text = with_tables(&read(&document)?, &read(&report)?)
        .ok_or_else(|| format!("{}: the lines that mark the tables are missing", document.display()))?;
    fs::write(&document, text).map_err(|error| format!("{}: {error}", document.display()))
}

/// The document with these tables. Its heading and the pictures are left out: they are in the target folder.
fn with_tables(document: &str, report: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    let kept = report.lines().filter(|line| !line.starts_with("# ") && !line.starts_with("!["));
    let tables: Vec<&str> = kept.collect();
    let tables = tables.join("\n").replace("\n\n\n", "\n\n");
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, with_tables};

    #[test]
    fn what_stands_between_the_marks_is_replaced_and_nothing_else() {
        let report = "# Benchmarks\n\n## packer\n\n| a |\n\n![chart](packer.svg)\n\n## store\n";
        let document = format!("# How\n\n{BEGIN}old\n{END}\n\nafter\n");
        let expected = format!("# How\n\n{BEGIN}\n## packer\n\n| a |\n\n## store\n\n{END}\n\nafter\n");
        assert_eq!(with_tables(&document, report).unwrap(), expected);
        assert_eq!(with_tables(&expected, report).unwrap(), expected);
    }

    #[test]
    fn a_document_without_marks_is_left_alone() {
        assert_eq!(with_tables("# How\n", "## packer\n"), None);
        assert_eq!(with_tables(BEGIN, "## packer\n"), None);
    }
}
