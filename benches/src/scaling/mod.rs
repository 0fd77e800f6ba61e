//! How costs grow: measured at several sizes, fitted, and drawn.

pub mod chart;
mod fleets;
mod pending;
mod records;

pub use fleets::{Sized, at_rest, learnt};
pub use pending::{Pending, field_name, flushed_alone};
pub use records::{Cached, answer, memory_a_record};

use crate::Figure;
use crate::measure::RESIDENT;

/// The spread of an exponent of times.
const TIMED: f64 = 0.1;

/// The unit of resident memory.
pub const HELD: &str = "bytes held";

/// Costs at several sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// Whose.
    pub name: &'static str,
    /// Sizes, ascending, and the cost at each. All are above 0.
    pub points: Vec<(f64, f64)>,
}

impl Curve {
    /// Measures the cost at each size.
    pub fn of(name: &'static str, sizes: &[usize], mut cost: impl FnMut(usize) -> f64) -> Self {
        Self { name, points: sizes.iter().map(|&size| (size as f64, cost(size))).collect() }
    }

    /// The x with which the costs grow as size^x: the slope of the line through their logarithms that is nearest to them
    /// (least squares). Not a number for fewer than two sizes.
    #[must_use]
    pub fn exponent(&self) -> f64 {
        let logarithms = || self.points.iter().map(|(size, cost)| (size.ln(), cost.ln()));
        let count = self.points.len() as f64;
        let (sum_x, sum_y) = logarithms().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (mean_x, mean_y) = (sum_x / count, sum_y / count);
        let with = |f: fn(f64, f64) -> f64| logarithms().map(|(x, y)| f(x - mean_x, y - mean_y)).sum::<f64>();
        with(|x, y| x * y) / with(|x, _| x * x)
    }
}

/// Costs of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Panel {
    /// What costs.
    pub title: &'static str,
    /// What is counted. Times are in `ns`, and resident memory is in [`HELD`].
    pub unit: &'static str,
    /// What the sizes are of.
    pub of: &'static str,
    /// Ours, and then up to three peers.
    pub curves: Vec<Curve>,
}

impl Panel {
    /// The exponent of ours, beside that of the first peer if there is one.
    #[must_use]
    pub fn figure(&self) -> Figure {
        let sizes = self.curves.first().map_or(&[][..], |curve| &curve.points);
        let [from, to] = [sizes.first(), sizes.last()].map(|point| point.map_or(f64::NAN, |point| point.0));
        let name = format!("{}, {}: grows as ({})^x, {from} to {to}", self.title, self.unit, self.of);
        let mut exponents = self.curves.iter().map(Curve::exponent);
        let exponent = exponents.next().unwrap_or(f64::NAN);
        let figure = match self.unit {
            unit if unit.starts_with("ns") => Figure::noisy(name, "", exponent, TIMED),
            HELD => Figure::noisy(name, "", exponent, RESIDENT),
            _ => Figure::exact(name, "", exponent),
        };
        match exponents.next() {
            Some(peer) => figure.beside(peer),
            None => figure,
        }
    }
}
