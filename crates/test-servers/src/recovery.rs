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
                measured(format_args!("{what}: recovered after {:?}", begin.elapsed()));
                return done;
            }
            Err(error) => assert!(begin.elapsed() < PATIENCE, "{what}: {error}"),
        }
    }
}

/// Prints a measurement as `cargo xtask test` lists it: under the name of the package whose tests run.
pub fn measured(what: impl Display) {
    let package = std::env::var("CARGO_PKG_NAME").unwrap_or_default();
    println!("measured: {package}: {what}");
}
