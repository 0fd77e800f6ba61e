//! A picture of a run: how far all see the same, how old what they see may be, and what the budget is used for, over time.

use std::fmt::{self, Write as _};

use super::run::{CALM, PEACE};
use super::{Sample, Scenario};

const WIDTH: f64 = 980.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 84.0;
const PANEL: f64 = 150.0;
const GAP: f64 = 62.0;
/// Blue and orange that people with any colour vision tell apart. (Okabe and Ito, *Color universal design*, 2008.)
const COLOURS: [&str; 2] = ["#0072b2", "#d55e00"];
/// Seconds between two marks of the axis of time.
const MARK: usize = 30;

type Curve = (&'static str, fn(&Sample) -> f64);

struct Panel {
    title: &'static str,
    curves: &'static [Curve],
    /// How a value of the axis is written.
    unit: &'static str,
    scale: f64,
}

const PANELS: [Panel; 3] = [
    Panel {
        title: "How much is the same everywhere",
        curves: &[("save data as stored", |sample| sample.saves), ("pools complete", |sample| sample.pools)],
        unit: " %",
        scale: 100.0,
    },
    Panel {
        title: "How far the last to know is behind",
        curves: &[("save data", |sample| sample.stale_saves), ("pools", |sample| sample.stale_pools)],
        unit: " s",
        scale: 1.0,
    },
    Panel {
        title: "What the busiest server uses of its budget of publishes in a minute",
        curves: &[("publishes", |sample| sample.budget)],
        unit: " %",
        scale: 100.0,
    },
];

/// The picture as SVG text.
#[must_use]
pub fn plot(title: &str, scenario: &Scenario, samples: &[Sample]) -> String {
    let mut svg = String::new();
    draw(&mut svg, title, scenario, samples).expect("a string takes what is written");
    svg
}

fn draw(svg: &mut String, title: &str, scenario: &Scenario, samples: &[Sample]) -> fmt::Result {
    let height = TOP + PANELS.len() as f64 * (PANEL + GAP);
    let end = samples.last().map_or(1.0, |sample| sample.at).max(1.0);
    writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#222\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"28\" font-size=\"18\" font-weight=\"600\">{}</text>\n\
         <text x=\"{LEFT}\" y=\"48\" fill=\"#666\">{}</text>",
        escape(title),
        escape(&summary(scenario)),
    )?;
    for (index, panel) in PANELS.iter().enumerate() {
        let top = TOP + index as f64 * (PANEL + GAP);
        phases(svg, scenario, top, end, index == 0)?;
        axes(svg, panel, samples, top, end)?;
        curves(svg, panel, samples, top, end)?;
    }
    svg.push_str("</svg>\n");
    Ok(())
}

fn summary(scenario: &Scenario) -> String {
    let Scenario { servers, deeds, bus, crash, .. } = scenario;
    let loss = bus.loss * 100.0;
    format!(
        "{servers} servers, {deeds} deeds a second, {loss:.0} % of deliveries lost, {:.0} crashes a minute",
        crash * 60.0
    )
}

/// Where trouble, peace and the calm time are.
fn phases(svg: &mut String, scenario: &Scenario, top: f64, end: f64, named: bool) -> fmt::Result {
    let trouble = scenario.seconds as f64;
    let (peace, calm) = (trouble + PEACE as f64, trouble + (PEACE + CALM) as f64);
    let spans = [
        ("trouble", "#fbe9e1", 0.0, trouble),
        ("peace", "#fff", trouble, peace),
        ("calm", "#e9f3ea", peace, calm),
    ];
    for (name, colour, from, to) in spans {
        let (x, width) = (across(from, end), across(to.min(end), end) - across(from, end));
        writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{PANEL}\" fill=\"{colour}\"/>"
        )?;
        if named {
            writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" fill=\"#888\">{name}</text>",
                x + 4.0,
                top + PANEL - 6.0
            )?;
        }
    }
    Ok(())
}

fn axes(svg: &mut String, panel: &Panel, samples: &[Sample], top: f64, end: f64) -> fmt::Result {
    let most = most(panel, samples);
    writeln!(svg, "<text x=\"{LEFT}\" y=\"{}\" font-weight=\"600\">{}</text>", top - 10.0, panel.title)?;
    for step in 0..=4 {
        let value = most * f64::from(step) / 4.0;
        let y = down(value, most, top);
        writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"#ddd\" stroke-width=\"0.7\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#666\">{}{}</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            y + 4.0,
            value * panel.scale,
            panel.unit,
        )?;
    }
    for at in (0..=end as usize).step_by(MARK) {
        let (x, y) = (across(at as f64, end), top + PANEL + 16.0);
        writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\" fill=\"#666\">{at} s</text>")?;
    }
    Ok(())
}

fn curves(svg: &mut String, panel: &Panel, samples: &[Sample], top: f64, end: f64) -> fmt::Result {
    let most = most(panel, samples);
    for (index, (name, value)) in panel.curves.iter().enumerate() {
        let points = samples.iter().map(|sample| (across(sample.at, end), down(value(sample), most, top)));
        let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let (colour, x) = (COLOURS[index], WIDTH - RIGHT - 150.0 * (panel.curves.len() - index) as f64);
        writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.8\" \
             stroke-linejoin=\"round\"/>\n\
             <circle cx=\"{}\" cy=\"{}\" r=\"4\" fill=\"{colour}\"/><text x=\"{}\" y=\"{}\">{name}</text>",
            points.join(" "),
            x,
            top - 14.0,
            x + 9.0,
            top - 10.0,
        )?;
    }
    Ok(())
}

/// The top of an axis: a round number at or above all values, at least 1.
fn most(panel: &Panel, samples: &[Sample]) -> f64 {
    let values = panel.curves.iter().flat_map(|(_, value)| samples.iter().map(value));
    let most = values.fold(1.0, f64::max);
    let step = 10.0_f64.powf(most.log10().floor());
    [1.0, 2.0, 4.0, 10.0].into_iter().map(|times| times * step).find(|top| *top >= most).unwrap_or(most)
}

fn across(at: f64, end: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * at / end
}

fn down(value: f64, most: f64, top: f64) -> f64 {
    top + PANEL * (1.0 - value / most)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
