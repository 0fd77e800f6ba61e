//! The writer's thread: takes what waits, commits it in one transaction, answers each.

use std::sync::Arc;

use async_channel::Receiver;
use rusqlite::{Connection, Error as SqliteError, ErrorCode, Transaction, TransactionBehavior};

use crate::apply::Batch;
use crate::fault;
use crate::write::{Job, Outcome, Write};

/// Writes that may wait. Beyond, the callers do.
pub(crate) const QUEUE: usize = 1_024;

/// Most writes in one transaction.
const GROUP: usize = 256;

/// A transaction takes no more writes once it has so many bytes: 16 MiB.
const GROUP_BYTES: usize = 16 * 1024 * 1024;

/// Why a transaction did not end well.
enum Failure {
    /// It did not begin: somebody else holds the file, or it cannot be reached.
    NotBegun(SqliteError),
    /// It was rolled back, surely.
    RolledBack(SqliteError),
    /// The file system failed while it was being committed.
    Ambiguous(SqliteError, Vec<Outcome>),
}

/// Writes until every handle is gone and the queue is empty.
pub(crate) fn run(connection: &Connection, history_versions: u32, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv_blocking() {
        commit(connection, history_versions, group(first, queue));
    }
}

/// The first write and what waits behind it.
fn group(first: Job, queue: &Receiver<Job>) -> Vec<Job> {
    let mut bytes = first.write.size();
    let mut jobs = vec![first];
    while jobs.len() < GROUP && bytes < GROUP_BYTES {
        let Ok(job) = queue.try_recv() else { break };
        bytes += job.write.size();
        jobs.push(job);
    }
    jobs
}

/// Commits the jobs together. If that fails because of one of them, finds out which by halving, so that
/// a write for which there is no room takes no other with it.
fn commit(connection: &Connection, history_versions: u32, jobs: Vec<Job>) {
    let mut groups = vec![jobs];
    while let Some(mut jobs) = groups.pop() {
        match attempt(connection, history_versions, jobs.iter().map(|job| &job.write)) {
            Ok(outcomes) => answer(jobs, outcomes),
            Err(Failure::RolledBack(_)) if jobs.len() > 1 => {
                let second = jobs.split_off(jobs.len() / 2);
                groups.extend([second, jobs]);
            }
            Err(Failure::RolledBack(error)) => refuse(jobs, error),
            // What waits for a file that cannot be had is not made to wait again for each part.
            Err(Failure::NotBegun(error)) => {
                jobs.extend(groups.drain(..).rev().flatten());
                refuse(jobs, error);
            }
            Err(Failure::Ambiguous(error, outcomes)) => doubt(jobs, error, &outcomes),
        }
    }
}

fn attempt<'a>(
    connection: &Connection,
    history_versions: u32,
    mut writes: impl Iterator<Item = &'a Write>,
) -> Result<Vec<Outcome>, Failure> {
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(Failure::NotBegun)?;
    let mut apply = || {
        let mut batch = Batch::begin(&transaction, history_versions)?;
        let outcomes = writes.try_fold(Vec::new(), |mut outcomes, write| {
            outcomes.push(batch.apply(write)?);
            Ok::<_, SqliteError>(outcomes)
        })?;
        batch.finish()?;
        Ok(outcomes)
    };
    // Dropping the transaction rolls it back, here and below.
    let outcomes = apply().map_err(Failure::RolledBack)?;
    match transaction.execute_batch("COMMIT") {
        Ok(()) => Ok(outcomes),
        Err(error) if surely_undone(&transaction, &error) => Err(Failure::RolledBack(error)),
        Err(error) => Err(Failure::Ambiguous(error, outcomes)),
    }
}

/// Whether a commit that failed has surely left nothing behind: SQLite still holds the transaction open, or
/// there was no room for the record that makes it valid. A log that could not be synced may have it all.
fn surely_undone(transaction: &Connection, error: &SqliteError) -> bool {
    !transaction.is_autocommit() || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

fn answer(jobs: Vec<Job>, outcomes: Vec<Outcome>) {
    for (job, outcome) in jobs.into_iter().zip(outcomes) {
        job.answer(Ok(outcome));
    }
}

fn refuse(jobs: Vec<Job>, error: SqliteError) {
    tracing::warn!(%error, writes = jobs.len(), "writes refused");
    let error = Arc::new(error);
    for job in jobs {
        let refusal = fault::unwritten(&job.write.key, &error);
        job.answer(Err(refusal));
    }
}

/// A write that would have changed nothing has surely not; but what it found may have been part of what
/// is in doubt, so its own outcome says nothing either.
fn doubt(jobs: Vec<Job>, error: SqliteError, outcomes: &[Outcome]) {
    tracing::warn!(%error, writes = jobs.len(), "commit failed, outcome unknown");
    let error = Arc::new(error);
    for (job, outcome) in jobs.into_iter().zip(outcomes) {
        let doubt = match outcome {
            Outcome::Changed(_) => fault::unknown(&job.write.key, &error),
            Outcome::Unchanged | Outcome::Conflict => fault::unwritten(&job.write.key, &error),
        };
        job.answer(Err(doubt));
    }
}
