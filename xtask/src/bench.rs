//! `cargo xtask bench`: topics, each of which prints its table and writes its files, and the guard of the hot paths.

mod budget;
mod docs;
mod guard;
mod topic;

use std::io;
use std::process::Command;

use crate::metadata;
use topic::Topic;

/// What to run.
#[derive(clap::Args)]
pub(crate) struct Bench {
    /// One topic instead of all (any other word lists them), or `guard`: the instructions of the hot paths beside their
    /// budget, which fails where one takes more than it may.
    topic: Option<String>,
    /// Fewer rounds: all topics of the core within 3 minutes once they are built; `bus` and `backends` beside.
    #[arg(long)]
    quick: bool,
    /// Keep the figures under this name, in target/bench/baselines.
    #[arg(long, value_name = "NAME", value_parser = name)]
    save: Option<String>,
    /// Say what changed against the figures of this name, and what of it is more than noise.
    #[arg(long, value_name = "NAME", value_parser = name)]
    against: Option<String>,
    /// Afterwards, put the tables of all topics into docs/benchmarks.md: of full runs of one commit, or not at all.
    #[arg(long, conflicts_with = "quick")]
    docs: bool,
    /// With `guard`: make what is counted the budget.
    #[arg(long, conflicts_with_all = ["quick", "save", "against", "docs"])]
    update: bool,
}

impl Bench {
    /// Runs the topics, and says whether they ran. A goal that was missed is in the table and fails nothing; a budget
    /// that was exceeded does.
    ///
    /// # Errors
    /// A text for people, if cargo cannot be started, there is no such topic, or a file cannot be written.
    pub(crate) fn run(&self) -> Result<bool, String> {
        self.is_sensible()?;
        let metadata = metadata::load()?;
        if self.is_guard() {
            return guard::run(&metadata, self.update);
        }
        let topics = topic::all(&metadata);
        let wanted: Vec<&Topic> = topics.iter().filter(|topic| self.wants(topic)).collect();
        if wanted.is_empty() {
            let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
            return Err(format!("no such topic; there are guard, {}", names.join(", ")));
        }
        if self.docs {
            docs::has_places(&topics)?;
        }
        // Each runs whatever became of the others.
        let ended = wanted.into_iter().map(|topic| Ok(self.command(topic).status()?.success()));
        let ended: io::Result<Vec<bool>> = ended.collect();
        let ran = ended.map_err(|error| format!("cargo bench: {error}"))?.into_iter().all(|well| well);
        if self.docs && !ran {
            return Err("not all topics ran, so the tables of docs/benchmarks.md are left as they are".into());
        }
        if self.docs {
            docs::update(&metadata, &topics)?;
        }
        Ok(ran)
    }

    fn is_guard(&self) -> bool {
        self.topic.as_deref() == Some("guard")
    }

    /// What goes together depends on the topic, which clap cannot know.
    fn is_sensible(&self) -> Result<(), String> {
        let of_topics = self.quick || self.docs || self.save.is_some() || self.against.is_some();
        match (self.is_guard(), of_topics, self.update) {
            (true, true, _) => Err("guard knows no option but --update".into()),
            (false, _, true) => Err("--update is an option of guard".into()),
            _ => Ok(()),
        }
    }

    fn wants(&self, topic: &Topic) -> bool {
        self.topic.as_ref().is_none_or(|wanted| *wanted == topic.name)
    }

    fn command(&self, topic: &Topic) -> Command {
        let mut command = topic.command();
        command.args(self.quick.then_some("--quick"));
        for (option, value) in [("--save", &self.save), ("--against", &self.against)] {
            command.args(value.iter().flat_map(|value| [option, value]));
        }
        command
    }
}

/// A name that is one of a folder too.
fn name(text: &str) -> Result<String, String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let good = !text.is_empty() && text.chars().all(is_plain);
    good.then(|| text.to_owned()).ok_or_else(|| "letters, digits, - and _ only".into())
}

#[cfg(test)]
mod tests {
    use clap::{Parser, error::ErrorKind};

    use super::{Bench, name};

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        bench: Bench,
    }

    fn parsed(arguments: &str) -> Result<Bench, clap::Error> {
        Program::try_parse_from(["bench"].into_iter().chain(arguments.split(' ')))
            .map(|program| program.bench)
    }

    #[test]
    fn options_that_would_do_nothing_are_refused() {
        for together in
            ["--quick --docs", "guard --update --quick", "guard --update --save a", "--update --docs"]
        {
            let refused = parsed(together).err().map(|error| error.kind());
            assert_eq!(refused, Some(ErrorKind::ArgumentConflict), "{together}");
        }
        for apart in ["guard --quick", "guard --docs", "guard --against a", "--update", "packer --update"] {
            assert!(parsed(apart).unwrap().is_sensible().is_err(), "{apart}");
        }
        for good in
            ["guard", "guard --update", "packer --quick --save a --against a", "--docs", "packer --docs"]
        {
            assert!(parsed(good).unwrap().is_sensible().is_ok(), "{good}");
        }
    }

    #[test]
    fn a_name_cannot_lead_out_of_the_folder() {
        assert!(["before", "2026-11-21_a"].iter().all(|text| name(text).is_ok()));
        assert!(["", ".", "..", "a/b", "../a", "a b"].iter().all(|text| name(text).is_err()));
    }
}
