//! Makes a scenario that fails as small as it gets while it still fails the same way.

use super::script::KNOBS;
use super::{Script, swarm};

/// Runs that shrinking takes at most.
const MOST: usize = 200;

/// What is made smaller by halves, with the least that makes sense; everything else is left out as a whole, or is made a
/// default.
const COUNTS: [(&str, f64); 4] = [("servers", 2.0), ("records", 1.0), ("seconds", 1.0), ("deeds", 1.0)];

/// A scenario that `seed` fails too, by the same checker, with fewer servers, less time and less trouble where that goes.
#[must_use]
pub(super) fn shrink(script: &Script, seed: u64, checker: &str) -> Script {
    let mut runs = 0;
    let mut fails = |script: &Script| {
        runs += 1;
        let report = |script: &Script| swarm::seed(seed, &script.scenario(seed), None);
        runs <= MOST && report(script).violations.iter().any(|(of, _)| *of == checker)
    };
    let mut smallest = script.pinned(seed);
    loop {
        let smaller = candidates(&smallest).into_iter().find(&mut fails);
        let Some(smaller) = smaller else { return smallest };
        smallest = smaller;
    }
}

/// The scenarios that are a step smaller, the largest steps first.
fn candidates(script: &Script) -> Vec<Script> {
    let amount = |name: &str| script.fixed(name);
    let without = KNOBS.into_iter().filter(|(name, ..)| !COUNTS.iter().any(|(of, _)| of == name));
    let without = without.filter(|(name, default, _)| amount(name).is_some_and(|amount| amount != *default));
    let less = COUNTS.into_iter().flat_map(|(name, least)| {
        let now = amount(name).unwrap_or(least);
        [(now / 2.0).floor(), now - 1.0].map(|less| (name, less.max(least), now))
    });
    let less = less.filter(|(_, less, now)| less < now).map(|(name, less, _)| script.with(name, less));
    less.chain(without.map(|(name, default, _)| script.with(name, default))).collect()
}
