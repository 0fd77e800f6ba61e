//! The tables in `docs/benchmarks.md`, between two lines that mark them: of one full run of every topic, of one commit.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::topic::Topic;
use crate::cargo;
use crate::metadata::Metadata;

const BEGIN: &str = "<!-- Tables: written by `cargo xtask bench --docs`. -->\n";
const END: &str = "<!-- End of the tables. -->";

/// What a topic's run says of itself, as far as it matters here.
#[derive(Deserialize)]
struct Ran {
    depth: String,
    commit: String,
}

/// Puts the tables of these topics, as they lie in `target/bench`, into the document.
///
/// # Errors
/// A text for people, if a topic was not run in full or of another commit than the others, a file cannot be read or
/// written, or the document has no such lines.
pub(super) fn update(metadata: &Metadata, topics: &[Topic]) -> Result<(), String> {
    let folder = metadata.target_directory.join("bench");
    let tables = tables(&folder, topics.iter().filter(|topic| topic.has_table()).map(|topic| &*topic.name))?;
    let document = cargo::root().join("docs/benchmarks.md");
    let text = with_tables(&read(&document)?, &tables)
        .ok_or_else(|| format!("{}: the lines that mark the tables are missing", document.display()))?;
    fs::write(&document, text).map_err(|error| format!("{}: {error}", document.display()))
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The tables of these topics, if all are of full runs of one commit. Files of other topics are left over from earlier.
fn tables<'a>(folder: &Path, topics: impl Iterator<Item = &'a str>) -> Result<String, String> {
    let (mut tables, mut of): (Vec<String>, Option<String>) = (Vec::new(), None);
    for topic in topics {
        let file = folder.join(format!("{topic}.run.json"));
        let ran: Ran =
            serde_json::from_str(&read(&file)?).map_err(|error| format!("{}: {error}", file.display()))?;
        if ran.depth != "full" {
            return Err(format!(
                "the last run of {topic} was a {} one; the tables are of full ones",
                ran.depth
            ));
        }
        // Each table says whether files differed from the commit.
        let commit = ran.commit.split(' ').next().unwrap_or_default().to_owned();
        match &of {
            Some(first) if *first != commit => {
                return Err(format!(
                    "{topic} was run at commit {commit}, others at {first}; the tables are of one"
                ));
            }
            _ => of = Some(commit),
        }
        tables.push(read(&folder.join(format!("{topic}.md")))?);
    }
    Ok(tables.join("\n"))
}

/// The document with these tables.
fn with_tables(document: &str, tables: &str) -> Option<String> {
    let (before, rest) = document.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::{BEGIN, END, tables, with_tables};

    #[test]
    fn what_stands_between_the_marks_is_replaced_and_nothing_else() {
        let tables = "## packer\n\n| a |\n\n## store\n";
        let document = format!("# How\n\n{BEGIN}old\n{END}\n\nafter\n");
        let expected = format!("# How\n\n{BEGIN}\n## packer\n\n| a |\n\n## store\n\n{END}\n\nafter\n");
        assert_eq!(with_tables(&document, tables).unwrap(), expected);
        assert_eq!(with_tables(&expected, tables).unwrap(), expected);
    }

    #[test]
    fn a_document_without_marks_is_left_alone() {
        assert_eq!(with_tables("# How\n", "## packer\n"), None);
        assert_eq!(with_tables(BEGIN, "## packer\n"), None);
    }

    #[test]
    fn tables_are_of_full_runs_of_one_commit_and_of_the_topics_there_are() {
        let folder = std::env::temp_dir().join(format!("xtask-tables-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |topic: &str, depth: &str, commit: &str| {
            let ran = format!(r#"{{"depth":"{depth}","commit":"{commit}","seconds":1}}"#);
            std::fs::write(folder.join(format!("{topic}.run.json")), ran).unwrap();
            std::fs::write(folder.join(format!("{topic}.md")), format!("## {topic}\n")).unwrap();
        };
        let both = || tables(&folder, ["packer", "store"].into_iter());
        write("packer", "full", "abc");
        write("renamed", "full", "abc");
        assert!(both().unwrap_err().contains("store.run.json"), "it was not run");
        write("store", "quick", "abc");
        assert!(both().unwrap_err().contains("quick"));
        write("store", "full", "def");
        assert!(both().unwrap_err().contains("def"));
        write("store", "full", "abc with changes");
        assert_eq!(both().unwrap(), "## packer\n\n## store\n");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
