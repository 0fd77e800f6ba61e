//! Tables in Markdown whose columns also line up as plain text.

use crate::figure::{Figure, Row};

/// A table with a head and a line a row.
#[must_use]
pub(super) fn aligned<const COLUMNS: usize>(
    head: [&str; COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let rows: Vec<_> = std::iter::once(head.map(String::from)).chain(rows).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; COLUMNS] = std::array::from_fn(width);
    let line = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!(" {cell:<width$} |"));
        format!("|{}\n", cells.collect::<String>())
    };
    let rule = line(&widths.map(|width| "-".repeat(width)));
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1, rule);
    lines.concat()
}

/// The table of a topic.
#[must_use]
pub fn table(figures: &[Figure]) -> String {
    let head = ["figure", "ours", "peer or limit", "ratio", "goal", "met"];
    aligned(head, figures.iter().map(|figure| cells(figure.row())))
}

fn cells(row: Row) -> [String; 6] {
    let ours = match row.value {
        Some(value) => format!("{} {}", short(value), row.unit).trim_end().to_owned(),
        None => "not measured yet".into(),
    };
    let met = match row.met {
        Some(true) => "yes",
        Some(false) => "NO",
        None => NOTHING,
    };
    let goal = row.goal.unwrap_or_else(|| NOTHING.into());
    [row.name, ours, number(row.reference), number(row.ratio), goal, met.into()]
}

/// What stands where there is nothing.
const NOTHING: &str = "–";

/// The number, if there is one.
pub(super) fn number(number: Option<f64>) -> String {
    number.map_or_else(|| NOTHING.into(), short)
}

/// Four significant digits, or all before the point.
pub(super) fn short(number: f64) -> String {
    // Infinite is what never came, as a time.
    let before = number.abs().max(1.0).log10().floor() as usize;
    format!("{number:.*}", 3_usize.saturating_sub(before))
}
