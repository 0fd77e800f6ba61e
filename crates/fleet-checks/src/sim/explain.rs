//! What there is to say of a run that failed: what happened before, and a smaller scenario that fails too.

use std::fmt::{self, Write as _};

use fleet_sim::{Happening, TraceEntry};

use super::shrink::shrink;
use super::{Script, watch};

/// Lines of a trace that are shown of deeds and trouble.
const DEEDS: usize = 30;

/// Lines of a trace that are shown of everything.
const LINES: usize = 12;

/// Says what happened before the checker found what it found, in readable length, and in how small a scenario it still
/// finds it. Nothing of a run that panicked, of which the panic has said enough.
#[must_use]
pub fn explain(script: &Script, seed: u64, checker: &str) -> String {
    if checker == "panic" {
        return String::new();
    }
    let small = shrink(script, seed, checker);
    let (report, watch) = watch(seed, &small.scenario(seed), None);
    let mut text = String::new();
    tell(&mut text, &small, &report.violations, &watch.trace).expect("a string takes what is written");
    text
}

fn tell(
    text: &mut String,
    script: &Script,
    violations: &[(&str, String)],
    trace: &[TraceEntry],
) -> fmt::Result {
    writeln!(
        text,
        "the smallest scenario found that fails with this seed, to be run as a file:\n\n{script}"
    )?;
    for (checker, what) in violations {
        writeln!(text, "there {checker}: {what}")?;
    }
    let deeds: Vec<&TraceEntry> = trace.iter().filter(|entry| is_deed(&entry.what)).collect();
    writeln!(text, "\nthe latest deeds and troubles before:")?;
    deeds[deeds.len().saturating_sub(DEEDS)..].iter().try_for_each(|entry| writeln!(text, "    {entry}"))?;
    writeln!(text, "\nthe latest of everything:")?;
    trace[trace.len().saturating_sub(LINES)..].iter().try_for_each(|entry| writeln!(text, "    {entry}"))
}

fn is_deed(what: &Happening) -> bool {
    let done_to = matches!(what, Happening::Ended { .. } | Happening::Paused(_) | Happening::ClockSet(_));
    done_to || matches!(what, Happening::Reconnected | Happening::Note(_))
}
