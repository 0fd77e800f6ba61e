//! Records in memory by their number: what a read takes, and what memory.

use std::io;
use std::process::Command;
use std::sync::Arc;

use nexus_store::SaveData;
use serde_json::json;

use crate::lookups::{Peers, records};
use crate::saves::bytes_a_record;
use crate::workloads::Document;

/// So many records of two fields that are open, and peers that hold the same by key.
pub struct Cached {
    /// Ours, in an order by chance.
    pub records: Vec<SaveData>,
    /// The keys of the peers, in an order by chance.
    pub keys: Vec<String>,
    /// The peers.
    pub peers: Peers<Document>,
}

impl Cached {
    /// Opens so many.
    #[must_use]
    pub fn new(count: usize) -> Self {
        let document = |number: usize| -> Document {
            [("coins".to_owned(), json!(number)), ("motto".to_owned(), json!("x".repeat(75)))]
                .into_iter()
                .collect()
        };
        let documents: Vec<Document> = (0..count).map(document).collect();
        let mut random = fastrand::Rng::with_seed(1);
        let mut records = records(&documents);
        random.shuffle(&mut records);
        let values: Vec<_> = documents
            .into_iter()
            .enumerate()
            .map(|(number, document)| (number.to_string(), Arc::new(document)))
            .collect();
        let mut keys: Vec<String> = values.iter().map(|(key, _)| key.clone()).collect();
        random.shuffle(&mut keys);
        Self { records, keys, peers: Peers::new(&values) }
    }
}

/// The argument with which [`memory_a_record`] starts the program.
const ARGUMENT: &str = "--memory-of-records";

/// Bytes of memory of each of so many open records of 100 B in two fields, value included. They are measured by a process of its
/// own, which has used none before: this program, which has to begin with [`answer`]. `None` where the memory of a process cannot
/// be known.
///
/// # Errors
/// If the program cannot be started.
pub fn memory_a_record(count: usize) -> io::Result<Option<f64>> {
    let mut program = Command::new(std::env::current_exe()?);
    let output = program.args([ARGUMENT, &count.to_string()]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}

/// Prints what [`memory_a_record`] asks for, and says whether it did.
#[must_use]
pub fn answer() -> bool {
    let mut arguments = std::env::args().skip_while(|argument| argument != ARGUMENT).skip(1);
    let Some(count) = arguments.next().and_then(|count| count.parse().ok()) else { return false };
    let value = format!(r#"{{"coins":1200,"motto":"{}"}}"#, "x".repeat(75));
    if let Some(bytes) = bytes_a_record(count, &value) {
        println!("{bytes}");
    }
    true
}
