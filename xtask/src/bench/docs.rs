//! The tables and pictures of `docs/benchmarks.md`: of one full run of every topic, of one commit. A table stands between two
//! lines that mark its topic's place.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::topic::Topic;
use crate::cargo;
use crate::metadata::Metadata;

/// The line before a topic's table.
fn begin(topic: &str) -> String {
    format!("<!-- Table of {topic}, written by `cargo xtask bench --docs`. -->\n")
}

/// The line behind it.
const END: &str = "<!-- End of the table. -->";

/// What a topic's run says of itself, as far as it matters here.
#[derive(Deserialize)]
struct Ran {
    depth: String,
    commit: String,
}

/// Whether the document has a place for the table of each of these topics: to be known before hours are spent on them.
///
/// # Errors
/// A text for people, if it has not.
pub(super) fn has_places(topics: &[Topic]) -> Result<(), String> {
    let none: Vec<(&str, String)> = topics.iter().map(|topic| (&*topic.name, String::new())).collect();
    with_tables(&read(&document())?, &none).map(drop)
}

/// Puts the tables of these topics, as they lie in `target/bench`, into the document, and the curves beside it.
///
/// # Errors
/// A text for people, if a topic was not run in full or of another commit than the others, a file cannot be read or
/// written, or the document has no place for a table.
pub(super) fn update(metadata: &Metadata, topics: &[Topic]) -> Result<(), String> {
    let folder = metadata.target_directory.join("bench");
    let tables = tables(&folder, topics.iter().map(|topic| &*topic.name))?;
    let text = with_tables(&read(&document())?, &tables)?;
    fs::write(document(), text).map_err(|error| format!("{}: {error}", document().display()))?;
    copy_curves(&folder, &cargo::root().join("docs"))
}

fn document() -> PathBuf {
    cargo::root().join("docs/benchmarks.md")
}

/// Copies the pictures of how costs grow, which the document shows.
fn copy_curves(from: &Path, to: &Path) -> Result<(), String> {
    let listed = fs::read_dir(from).map_err(|error| format!("{}: {error}", from.display()))?;
    for entry in listed {
        let name = entry.map_err(|error| format!("{}: {error}", from.display()))?.file_name();
        let is_curve =
            name.to_str().is_some_and(|name| name.starts_with("scaling-") && name.ends_with(".svg"));
        if is_curve {
            fs::copy(from.join(&name), to.join(&name))
                .map_err(|error| format!("{}: {error}", to.join(&name).display()))?;
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// The tables of these topics, if all are of full runs of one commit. Files of other topics are left over from earlier.
fn tables<'a>(
    folder: &Path,
    topics: impl Iterator<Item = &'a str>,
) -> Result<Vec<(&'a str, String)>, String> {
    let (mut tables, mut of): (Vec<(&str, String)>, Option<String>) = (Vec::new(), None);
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
        let page = read(&folder.join(format!("{topic}.md")))?;
        // The document has a heading of its own.
        let table = page.split_once('\n').map_or("", |(_, table)| table);
        tables.push((topic, table.trim().to_owned()));
    }
    Ok(tables)
}

/// The document with these tables, each in its topic's place.
fn with_tables(document: &str, tables: &[(&str, String)]) -> Result<String, String> {
    let mut text = document.to_owned();
    for (topic, table) in tables {
        let begin = begin(topic);
        let place =
            text.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) = place.ok_or_else(|| {
            format!("docs/benchmarks.md has no place for the table of {topic}: no line {begin}or none {END}")
        })?;
        text = format!("{before}{begin}\n{table}\n\n{END}{after}");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{END, begin, copy_curves, tables, with_tables};

    /// A document with places for the tables of two topics, in which these stand.
    fn document(packer: &str, store: &str) -> String {
        let place = |topic: &str, table: &str| format!("{}\n{table}\n\n{END}\n", begin(topic));
        format!("# How\n\n{}\nwhy\n\n{}\nafter\n", place("store", store), place("packer", packer))
    }

    #[test]
    fn what_stands_in_a_topics_place_is_replaced_and_nothing_else() {
        let tables = [("packer", "| a |\n\nsums".to_owned()), ("store", "| b |".to_owned())];
        let expected = document("| a |\n\nsums", "| b |");
        assert_eq!(with_tables(&document("old", "older"), &tables).unwrap(), expected);
        assert_eq!(with_tables(&expected, &tables).unwrap(), expected);
    }

    #[test]
    fn a_document_without_a_place_for_a_table_is_refused() {
        let refused = |document: &str, topic| with_tables(document, &[(topic, String::new())]).unwrap_err();
        assert!(refused(&document("", ""), "pool").contains("pool"));
        assert!(refused(&begin("packer"), "packer").contains(END), "nothing ends it");
    }

    #[test]
    fn curves_are_copied_and_nothing_else() {
        let folder = std::env::temp_dir().join(format!("xtask-curves-{}", std::process::id()));
        let (from, to) = (folder.join("from"), folder.join("to"));
        [&from, &to].into_iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
        for name in ["scaling-servers.svg", "scaling.svg", "packer.svg", "scaling-servers.json"] {
            std::fs::write(from.join(name), name).unwrap();
        }
        copy_curves(&from, &to).unwrap();
        let copied: Vec<_> =
            std::fs::read_dir(&to).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(copied, ["scaling-servers.svg"]);
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn tables_are_of_full_runs_of_one_commit_and_of_the_topics_there_are() {
        let folder = std::env::temp_dir().join(format!("xtask-tables-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let write = |topic: &str, depth: &str, commit: &str| {
            let ran = format!(r#"{{"depth":"{depth}","commit":"{commit}","seconds":1}}"#);
            std::fs::write(folder.join(format!("{topic}.run.json")), ran).unwrap();
            std::fs::write(folder.join(format!("{topic}.md")), format!("## {topic}\n\n| {topic} |\n"))
                .unwrap();
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
        let expected = [("packer", "| packer |".to_owned()), ("store", "| store |".to_owned())];
        assert_eq!(both().unwrap(), expected);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
