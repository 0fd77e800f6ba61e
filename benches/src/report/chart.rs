//! A topic's figures as a picture: a bar a figure, on a logarithmic scale, from the line where the goal is just met.

use std::fmt::Write;

use super::picture::{escaped, framed};
use super::table::{number, short};
use crate::figure::Figure;

/// The picture's width; a figure's height; where the scale begins and ends.
const WIDTH: f64 = 860.0;
const ROW: f64 = 40.0;
const LEFT: f64 = 24.0;
const RIGHT: f64 = WIDTH - 24.0;

/// Where the title ends, and what a part has above its first figure.
const TITLE: f64 = 34.0;
const HEAD: f64 = 46.0;

/// Below the last one.
const FOOT: f64 = 40.0;

/// The least and the greatest factor that a scale has room for; what is beyond ends in a bar to the edge.
const RANGE: (f64, f64) = (0.1, 1_000.0);

/// The picture: above, the figures that have a goal; below, in grey, those that only have something beside them.
#[must_use]
pub fn svg(topic: &str, figures: &[Figure]) -> String {
    let bars: Vec<Bar> = figures.iter().filter_map(Bar::of_goal).collect();
    let plain: Vec<Bar> = figures.iter().filter_map(Bar::of_peer).collect();
    let parts = [
        (bars, "goal", "how many times better than the goal: right of the line it is met"),
        (plain, "peer", "without a goal: how many times the peer or limit, left of the line less than it"),
    ];
    let (mut drawing, mut top) = (String::new(), TITLE);
    for (bars, line, caption) in parts.iter().filter(|(bars, ..)| !bars.is_empty()) {
        top = draw(&mut drawing, bars, top + HEAD, line, caption) + FOOT;
    }
    framed(topic, (WIDTH, top + 4.0), &drawing)
}

/// A figure's bar.
struct Bar {
    name: String,
    numbers: String,
    /// Of the line.
    factor: f64,
    class: &'static str,
}

impl Bar {
    /// Of a figure with a goal.
    fn of_goal(figure: &Figure) -> Option<Self> {
        let (factor, row) = (figure.of_goal()?, figure.row());
        let unit = if figure.judges_ratio() { "×" } else { &row.unit };
        let judged = format!("{} {unit}", number(figure.judged()));
        Some(Self {
            numbers: format!("{}, goal {}", judged.trim_end(), row.goal.unwrap_or_default()),
            name: row.name,
            factor,
            class: if row.met? { "met" } else { "missed" },
        })
    }

    /// Of a figure without one that has something beside it.
    fn of_peer(figure: &Figure) -> Option<Self> {
        let row = figure.row();
        let factor = row.ratio.filter(|_| row.goal.is_none())?;
        Some(Self { name: row.name, numbers: format!("{} ×", short(factor)), factor, class: "plain" })
    }
}

/// Factors on the width of the picture.
struct Scale {
    least: f64,
    greatest: f64,
}

impl Scale {
    /// One that holds all bars, the line and some room on either side of it.
    fn of(bars: &[Bar]) -> Self {
        // Infinite ones go to the edge, wherever it is.
        let finite = bars.iter().map(|bar| bar.factor).filter(|factor| factor.is_finite());
        let factors = finite.map(|factor| factor.clamp(RANGE.0, RANGE.1));
        let (least, greatest) = factors.fold((0.5, 2.0), |(least, greatest), factor| {
            (f64::min(least, factor), f64::max(greatest, factor))
        });
        Self { least, greatest }
    }

    fn x(&self, factor: f64) -> f64 {
        let inside = factor.max(self.least).min(self.greatest);
        LEFT + (RIGHT - LEFT) * (inside / self.least).ln() / (self.greatest / self.least).ln()
    }

    /// The factors that have a line: as many as do not crowd it.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let steps: &[f64] = if self.greatest / self.least < 40.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let decades = (-1..=3).map(|power| 10_f64.powi(power));
        let all = decades.flat_map(|decade| steps.iter().map(move |step| step * decade));
        all.filter(|tick| (self.least..=self.greatest).contains(tick))
    }
}

/// Draws a part whose first bar is at `top`, and says where it ends.
fn draw(drawing: &mut String, bars: &[Bar], top: f64, line: &str, caption: &str) -> f64 {
    let scale = Scale::of(bars);
    let bottom = top + ROW * bars.len() as f64;
    let mut add = |text: std::fmt::Arguments<'_>| drawing.write_fmt(text).expect("a text takes everything");
    add(format_args!("<text class=\"faint\" x=\"{LEFT}\" y=\"{:.1}\">{caption}</text>\n", top - 22.0));
    for tick in scale.ticks() {
        let (x, class) = (scale.x(tick), if tick == 1.0 { "goal" } else { "line" });
        add(format_args!(
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\"/>\n",
            top - 6.0
        ));
        let label = if tick == 1.0 { line.to_owned() } else { format!("{tick} ×") };
        let y = bottom + 16.0;
        add(format_args!("<text class=\"faint middle\" x=\"{x:.1}\" y=\"{y:.1}\">{label}</text>\n"));
    }
    for (bar, number) in bars.iter().zip(0_u32..) {
        let y = top + ROW * f64::from(number);
        let (name, numbers) = (escaped(&bar.name), escaped(&bar.numbers));
        let (line, end) = (scale.x(1.0), scale.x(bar.factor));
        let (x, width) = (line.min(end), (line - end).abs().max(2.0));
        add(format_args!("<text x=\"{LEFT}\" y=\"{:.1}\">{name}</text>\n", y + 14.0));
        add(format_args!("<text class=\"faint end\" x=\"{RIGHT}\" y=\"{:.1}\">{numbers}</text>\n", y + 14.0));
        add(format_args!(
            "<rect class=\"{}\" x=\"{x:.1}\" y=\"{:.1}\" width=\"{width:.1}\" height=\"9\" rx=\"2\"/>\n",
            bar.class,
            y + 20.0
        ));
    }
    bottom
}
