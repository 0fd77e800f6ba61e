//! The `nexus` program.
fn main() {}
