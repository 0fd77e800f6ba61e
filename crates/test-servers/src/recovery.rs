//! How long it takes until a server that was lost is of use again.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// Fails whatever has not recovered by then.
const PATIENCE: Duration = Duration::from_secs(30);

/// Tries until it succeeds, and prints how long that took.
///
/// # Panics
/// If it still fails after 30 s.
pub async fn recovered<T, E: Display>(what: &str, mut attempt: impl AsyncFnMut() -> Result<T, E>) -> T {
    let begin = Instant::now();
    loop {
        match attempt().await {
            Ok(done) => {
                println!("{what}: recovered after {:?}", begin.elapsed());
                return done;
            }
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{what}: {error}"),
        }
    }
}
