//! What a run leaves in `target/bench`: for each topic its figures as JSON, its table in Markdown, a chart, and what it
//! ran on; copies under a name to compare with; and `report.md`, which holds the tables of all topics.

pub mod baseline;
pub mod chart;
pub mod context;
mod files;
pub(crate) mod picture;
mod table;

pub use files::{Files, sums};
pub use table::table;
