//! How two subjects that took turns compare: by the time of a thing, or by things a second.

use crate::Figure;
use crate::measure::Samples;

/// The times of two subjects that handle so many things a round, in ns a thing. The ratio is that of the times.
#[must_use]
pub fn times(name: impl Into<String>, samples: &Samples, [ours, other]: [usize; 2], things: usize) -> Figure {
    let time = |subject| samples.median(subject) / things as f64;
    let figure = Figure::noisy(name, "ns", time(ours), samples.spread(ours, other));
    figure.beside(time(other)).ratio(samples.times(ours, other))
}

/// How many things a second two subjects handle, of which they handle so many a round each. The ratio is that of the rates.
#[must_use]
pub fn rates(
    name: impl Into<String>,
    samples: &Samples,
    [ours, other]: [usize; 2],
    things: [usize; 2],
) -> Figure {
    let [our_things, others] = things.map(|things| things as f64);
    let a_second = |subject, things| things / samples.median(subject) * 1e9;
    let figure = Figure::noisy(name, "", a_second(ours, our_things), samples.spread(other, ours));
    figure.beside(a_second(other, others)).ratio(samples.times(other, ours) * our_things / others)
}
