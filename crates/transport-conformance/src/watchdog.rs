//! An end for a case that would wait for ever.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::{Either, select};

/// Long enough for any case on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(60);

/// What `work` comes to.
///
/// # Panics
/// If it has not ended after a minute. The minute is a thread's, so that no runtime's timer is needed.
pub(crate) async fn within_patience<T>(case: &str, work: impl Future<Output = T>) -> T {
    let (bark, barked) = oneshot::channel::<()>();
    let (_done, done) = mpsc::channel::<()>();
    // The thread ends early when this future does, for its sender goes with it.
    thread::spawn(move || {
        if done.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _nobody_waits = bark.send(());
        }
    });
    match select(Box::pin(work), barked).await {
        Either::Left((result, _)) => result,
        Either::Right(_) => panic!("{case} has not ended after {PATIENCE:?}: it waits for what never comes"),
    }
}
