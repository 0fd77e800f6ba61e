//! A second process: this test binary once more, playing a part that a test gave it.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use futures::executor::block_on;
use futures::future::join_all;
use transport_sqlite::{Durability, Options, SqliteStore};
use transport_traits::{DataStore, Precondition};

use crate::sharing::add_one;
use crate::support::{bulky, key, number};

const PART: &str = "TRANSPORT_SQLITE_PART";
const FILE: &str = "TRANSPORT_SQLITE_FILE";

/// A command to start this test binary, completed so that it plays `part` on the file, its output piped.
pub(crate) fn command(mut command: Command, part: &str, file: &Path) -> Command {
    command.args(["--exact", "child::plays_its_part", "--nocapture"]);
    command.env(PART, part).env(FILE, file).stdout(Stdio::piped());
    command
}

/// Starts a child with a part.
pub(crate) fn start(part: &str, file: &Path) -> (Child, Lines) {
    let mut child = command(Command::new(std::env::current_exe().unwrap()), part, file).spawn().unwrap();
    let lines = Lines::of(&mut child);
    (child, lines)
}

/// What a child says. A line that its end cut off is not a line, and neither is what the test harness says.
pub(crate) struct Lines(BufReader<ChildStdout>);

impl Lines {
    /// The lines of a child whose output is piped.
    pub(crate) fn of(child: &mut Child) -> Self {
        Self(BufReader::new(child.stdout.take().unwrap()))
    }
}

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            let line = line.strip_suffix('\n')?;
            if let Some((_, said)) = line.split_once("child: ") {
                return Some(said.to_owned());
            }
        }
    }
}

fn say(what: impl std::fmt::Display) {
    let line = format!("child: {what}\n");
    std::io::stdout().lock().write_all(line.as_bytes()).unwrap();
}

/// No test of its own, but the way into this binary for the processes that tests start: without a part it has
/// nothing to do.
#[test]
fn plays_its_part() {
    let (Ok(part), Some(file)) = (std::env::var(PART), std::env::var_os(FILE)) else { return };
    let file = PathBuf::from(file);
    match part.as_str() {
        "add" => add(&SqliteStore::open(file).unwrap()),
        "write full" => write_for_ever(&SqliteStore::open(file).unwrap()),
        "write normal" => {
            write_for_ever(&Options::default().durability(Durability::Normal).open(file).unwrap());
        }
        "fill" => fill(&SqliteStore::open(file).unwrap()),
        "open" => say(SqliteStore::open(file).map_or_else(|e| format!("{e:?}"), |_| "opened".to_owned())),
        part => panic!("no such part: {part}"),
    }
}

/// Adds one to one record a hundred times, racing with whoever else does.
fn add(store: &SqliteStore) {
    (0..100).for_each(|_| add_one(store, "shared"));
    say("done");
}

/// Writes rising numbers to sixteen records at once, and says which writes were acknowledged.
fn write_for_ever(store: &SqliteStore) {
    let write = async |name: String| {
        for n in 1.. {
            store.put(key(&name), number(n), Precondition::Always).await.unwrap();
            say(format_args!("{name} {n}"));
        }
    };
    block_on(join_all((0..16).map(|record| write(record.to_string()))));
}

/// Writes new records until the file system fails, and a little longer, and says what came of each.
fn fill(store: &SqliteStore) {
    let mut failures = 0;
    for n in 0_u64.. {
        let outcome = block_on(store.put(key(&n.to_string()), bulky(20_000), Precondition::Always));
        match outcome {
            Ok(_) => say(format_args!("{n} written")),
            Err(error) => {
                say(format_args!("{n} {:?}", error.kind()));
                failures += 1;
            }
        }
        if failures == 3 {
            return;
        }
    }
}
