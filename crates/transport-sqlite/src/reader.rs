//! The readers' threads: each with its own connection, all fed from one queue.

use async_channel::Receiver;
use futures::channel::oneshot;
use rusqlite::{Connection, Result};

/// Reads that may wait. Beyond, the callers do.
pub(crate) const QUEUE: usize = 1_024;

/// Most threads that read. More gain little: a read from the page cache takes microseconds.
const MOST_THREADS: usize = 4;

/// A question and whom to answer.
pub(crate) type Read = Box<dyn FnOnce(&Connection) + Send>;

/// How many threads read: as many as can run, up to a few.
pub(crate) fn threads() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get().min(MOST_THREADS))
}

/// Wraps a question so that a thread can ask it. It is not asked if nobody waits for the answer any more.
pub(crate) fn read<T: Send + 'static>(
    question: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
) -> (Read, oneshot::Receiver<Result<T>>) {
    let (reply, answer) = oneshot::channel();
    let read = Box::new(move |connection: &Connection| {
        if !reply.is_canceled() {
            let _nobody_waits = reply.send(question(connection));
        }
    });
    (read, answer)
}

/// Reads until every handle is gone and the queue is empty.
pub(crate) fn run(connection: &Connection, queue: &Receiver<Read>) {
    while let Ok(read) = queue.recv_blocking() {
        read(connection);
    }
}
