//! Curves as a picture: panels with two logarithmic scales, on which a power of the size is a straight line.

use super::{Curve, Panel};
use crate::report::picture::{escaped, framed};

/// A panel's width and height, and the room for its numbers.
const PANEL: (f64, f64) = (430.0, 300.0);
const LEFT: f64 = 64.0;
const RIGHT: f64 = 30.0;
const TOP: f64 = 62.0;
const BOTTOM: f64 = 42.0;

/// Above the panels.
const HEAD: f64 = 52.0;

/// Panels side by side.
const COLUMNS: usize = 2;

/// The picture of some panels. Each has ours in the first colour, and up to three peers.
#[must_use]
pub fn svg(title: &str, panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(COLUMNS);
    let (width, height) = (PANEL.0 * COLUMNS as f64, HEAD + PANEL.1 * rows as f64);
    let mut drawing = String::new();
    for (number, panel) in panels.iter().enumerate() {
        let (column, row) = (number % COLUMNS, number / COLUMNS);
        draw(&mut drawing, panel, PANEL.0 * column as f64, HEAD + PANEL.1 * row as f64);
    }
    framed(title, (width, height), &drawing)
}

/// A logarithmic scale from one place of the picture to another.
#[derive(Clone, Copy)]
struct Scale {
    values: (f64, f64),
    places: (f64, f64),
}

impl Scale {
    /// One that holds these values, with whole powers of ten at its ends.
    fn of(values: impl Iterator<Item = f64>, places: (f64, f64)) -> Self {
        let (least, greatest) = values
            .filter(|value| *value > 0.0 && value.is_finite())
            .fold((f64::INFINITY, 0.0), |(least, greatest), value| {
                (f64::min(least, value), f64::max(greatest, value))
            });
        if greatest <= 0.0 {
            return Self { values: (1.0, 10.0), places };
        }
        let (low, high) = (least.log10().floor(), greatest.log10().ceil());
        Self { values: (10_f64.powf(low), 10_f64.powf(high.max(low + 1.0))), places }
    }

    fn place(&self, value: f64) -> f64 {
        let part = (value / self.values.0).ln() / (self.values.1 / self.values.0).ln();
        self.places.0 + (self.places.1 - self.places.0) * part
    }

    /// Its powers of ten.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (low, high) = (self.values.0.log10().round() as i32, self.values.1.log10().round() as i32);
        (low..=high).map(|power| 10_f64.powi(power))
    }
}

fn draw(drawing: &mut String, panel: &Panel, left: f64, top: f64) {
    let points = || panel.curves.iter().flat_map(|curve| curve.points.iter());
    let (from, to) = (left + LEFT, left + PANEL.0 - RIGHT);
    let (low, high) = (top + PANEL.1 - BOTTOM, top + TOP);
    let x = Scale::of(points().map(|point| point.0), (from, to));
    let y = Scale::of(points().map(|point| point.1), (low, high));
    let caption = format!("{}, {}", panel.title, panel.unit);
    text(drawing, "panel", (left + 24.0, top + 20.0), &caption);
    for tick in x.ticks() {
        let at = x.place(tick);
        grid(drawing, (at, high), (at, low));
        text(drawing, "faint middle", (at, low + 15.0), &short(tick));
    }
    for tick in y.ticks() {
        let at = y.place(tick);
        grid(drawing, (from, at), (to, at));
        text(drawing, "faint end", (from - 6.0, at + 4.0), &short(tick));
    }
    text(drawing, "faint middle", ((from + to) / 2.0, low + 31.0), panel.of);
    for (number, curve) in panel.curves.iter().enumerate() {
        line(drawing, curve, number, (x, y));
    }
    legend(drawing, panel, from, top + 42.0);
}

fn text(drawing: &mut String, class: &str, (x, y): (f64, f64), text: &str) {
    let text = escaped(text);
    drawing.push_str(&format!("<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\">{text}</text>\n"));
}

fn grid(drawing: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
    drawing.push_str(&format!(
        "<line class=\"line\" x1=\"{x1:.1}\" x2=\"{x2:.1}\" y1=\"{y1:.1}\" y2=\"{y2:.1}\"/>\n"
    ));
}

fn line(drawing: &mut String, curve: &Curve, number: usize, (x, y): (Scale, Scale)) {
    let place = |point: &(f64, f64)| format!("{:.1},{:.1}", x.place(point.0), y.place(point.1));
    let places: Vec<String> = curve.points.iter().map(place).collect();
    let mut text = format!("<polyline class=\"c{number}\" points=\"{}\"/>\n", places.join(" "));
    for (at, cost) in &curve.points {
        let (x, y) = (x.place(*at), y.place(*cost));
        text += &format!("<circle class=\"d{number}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\"/>\n");
    }
    drawing.push_str(&text);
}

/// Names and exponents, side by side above the panel's lines.
fn legend(drawing: &mut String, panel: &Panel, left: f64, y: f64) {
    let mut x = left;
    for (number, curve) in panel.curves.iter().enumerate() {
        let name = format!("{} ^{:.2}", curve.name, curve.exponent());
        drawing.push_str(&format!(
            "<circle class=\"d{number}\" cx=\"{x:.1}\" cy=\"{:.1}\" r=\"4\"/>\n",
            y - 4.0
        ));
        text(drawing, "faint", (x + 8.0, y), &name);
        x += 26.0 + 6.3 * name.chars().count() as f64;
    }
}

/// `0.1`, `100`, `10 k`, `1 M`, …
fn short(power_of_ten: f64) -> String {
    let steps = [(1e9, " G"), (1e6, " M"), (1e3, " k")];
    match steps.iter().find(|(step, _)| power_of_ten >= 0.999 * step) {
        Some((step, letter)) => format!("{:.0}{letter}", power_of_ten / step),
        None => format!("{power_of_ten}"),
    }
}
