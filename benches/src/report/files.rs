//! The files of the topics, and the page that holds all of their tables.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::context::Context;
use super::{baseline, chart, table};
use crate::figure::{Figure, Row};

/// A topic's files in a folder.
#[derive(Clone, Debug)]
pub struct Files {
    folder: PathBuf,
    topic: String,
}

impl Files {
    /// Those of a topic in `folder`, which need not be there yet.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, topic: impl Into<String>) -> Self {
        Self { folder: folder.into(), topic: topic.into() }
    }

    /// The topic's file with this ending.
    #[must_use]
    pub fn path(&self, ending: &str) -> PathBuf {
        self.folder.join(format!("{}.{ending}", self.topic))
    }

    /// Writes `TOPIC.json` with a row a figure, `TOPIC.run.json` with the context, `TOPIC.md`, `TOPIC.svg`, and `report.md` anew.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(&self, figures: &[Figure], context: &Context) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let rows: Vec<Row> = figures.iter().map(Figure::row).collect();
        fs::write(self.path("json"), serde_json::to_string_pretty(&rows)? + "\n")?;
        fs::write(self.path("run.json"), serde_json::to_string_pretty(context)? + "\n")?;
        fs::write(self.path("svg"), chart::svg(&self.topic, figures))?;
        fs::write(self.path("md"), self.section(figures, context))?;
        fs::write(self.folder.join("report.md"), report(&self.folder)?)
    }

    fn section(&self, figures: &[Figure], context: &Context) -> String {
        let (topic, table, paragraph) = (&self.topic, table(figures), context.paragraph());
        format!("## {topic}\n\n{table}\n{}\n\n{paragraph}", sums(figures))
    }

    /// Keeps the figures under a name.
    ///
    /// # Errors
    /// If there are none, or they cannot be written.
    pub fn save(&self, name: &str) -> io::Result<()> {
        let saved = self.saved(name);
        fs::create_dir_all(&saved.folder)?;
        for ending in ["json", "run.json"] {
            fs::copy(self.path(ending), saved.path(ending))?;
        }
        Ok(())
    }

    /// Sets figures beside those that were saved under a name: a table in Markdown with a line on what those were measured on.
    ///
    /// # Errors
    /// If the saved ones cannot be read.
    pub fn against(&self, name: &str, figures: &[Figure]) -> io::Result<String> {
        let saved = self.saved(name);
        let rows: Vec<Row> = serde_json::from_str(&fs::read_to_string(saved.path("json"))?)?;
        let context: Context = serde_json::from_str(&fs::read_to_string(saved.path("run.json"))?)?;
        let table = baseline::table(&baseline::changes(figures, &rows), name);
        Ok(format!("{table}\n{name}: {}", context.paragraph()))
    }

    fn saved(&self, name: &str) -> Self {
        Self::new(self.folder.join("baselines").join(name), self.topic.clone())
    }
}

/// How many goals are met and missed.
#[must_use]
pub fn sums(figures: &[Figure]) -> String {
    let met = |wanted| figures.iter().filter(|figure| figure.met() == wanted).count();
    format!("{} goals met, {} missed", met(Some(true)), met(Some(false)))
}

/// The pages of all topics in a folder, by their names, under one heading.
fn report(folder: &Path) -> io::Result<String> {
    let names = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()));
    let mut names: Vec<String> = names.collect::<io::Result<_>>()?;
    names.sort_unstable();
    let topics = names.iter().filter_map(|name| name.strip_suffix(".run.json"));
    let mut report = String::from("# Benchmarks\n");
    for topic in topics {
        let page = fs::read_to_string(folder.join(format!("{topic}.md")))?;
        report += &format!("\n{page}\n![The figures of {topic} and their goals]({topic}.svg)\n");
    }
    Ok(report)
}
