//! The topic `pool`: what it costs to join, to change and to fail, on simulated time.
//!
//! Bus: Roblox's limits read per publish, 250 ms to each server. Servers: defaults, over bulk messaging in the text form of
//! `Compact`, one lane. An entry has 40 bytes.

use std::process::ExitCode;

use benches::measure::RESIDENT;
use benches::pools::{faults, joins, memory, original, updates};
use benches::{Figure, Goal, Run};

/// The default timeout of pools, and what may come to it, s.
const TIMEOUT: f64 = 30.0 + 2.0;

fn main() -> ExitCode {
    let run = Run::from_args("pool", env!("CARGO_TARGET_TMPDIR"));
    // Memory first: none was used yet and given back, which would be used again and not be seen.
    let parts = [remembering, joining, failing, updating];
    let figures: Vec<Figure> = parts.iter().flat_map(|part| part(&run)).collect();
    run.finish(&figures)
}

fn joining(run: &Run) -> Vec<Figure> {
    let (servers, entries) = (run.items(100), run.items(100));
    let one = joins::one(servers, entries);
    let model = original::one(servers, entries);
    let all = joins::all(servers, entries);
    let half = run.items(50);
    let queue = joins::every_ten_seconds(half, half);
    let requests = |cost: joins::Cost, name: &str, most| {
        Figure::exact(format!("{name}, requests"), "", cost.requests as f64).goal(Goal::AtMost(most))
    };
    let seconds = |cost: joins::Cost, name: &str, most| {
        Figure::exact(format!("{name}, time"), "s", cost.seconds).goal(Goal::AtMost(most))
    };
    let (join, start) = ("a join of 100 × 100", "100 × 100 at once");
    vec![
        requests(one, join, 650.0).beside(model.requests as f64),
        seconds(one, join, 6.0).beside(model.seconds),
        requests(all, &format!("{start}, beside the original as it was recorded"), 1_000.0)
            .beside(1_000_000.0),
        seconds(all, start, 10.0),
        Figure::exact("50 × 50, a join every 10 s: the slowest", "s", queue.slowest).goal(Goal::AtMost(5.0)),
        Figure::exact("the same: the part of all that is known after 10 s", "", queue.known)
            .beside(original::every_ten_seconds(half, half)),
    ]
}

fn failing(run: &Run) -> Vec<Figure> {
    let (servers, fleets) = (run.by_depth(50, 20, 2), run.by_depth(8, 2, 1));
    let healed = faults::churn(servers, 20, fleets);
    let (others, crashes) = (run.by_depth(50, 20, 2), run.by_depth(10, 2, 1));
    let crash = faults::crashes(others, crashes);
    let hours = run.by_depth(1_000, 5, 1);
    let churned =
        |what: &str| format!("{servers} servers, 20 % loss and churn, then none: {what} of {fleets} fleets");
    let crashed =
        format!("{others} servers, a crash at 20 % loss: gone everywhere, the slowest of {crashes}");
    vec![
        Figure::exact(churned("all views equal, the slowest"), "s", healed.seconds)
            .goal(Goal::AtMost(TIMEOUT)),
        Figure::exact(churned("ghosts a minute later, all"), "", healed.ghosts as f64)
            .goal(Goal::AtMost(0.0)),
        Figure::exact(crashed, "s", crash).goal(Goal::AtMost(TIMEOUT)),
        Figure::exact(format!("false deaths in {hours} server-hours at 20 % loss"), "", deaths(run, hours))
            .goal(Goal::AtMost(0.0)),
    ]
}

fn deaths(run: &Run, server_hours: usize) -> f64 {
    faults::false_deaths(if run.is_smoke() { 2 } else { 10 }, server_hours) as f64
}

fn updating(run: &Run) -> Vec<Figure> {
    let seconds = run.by_depth(90, 10, 5);
    let measured = updates::every_second(run.items(100), 20, seconds as u64);
    let name =
        |what: &str| format!("100 × 20 players × 1 update/s for {seconds} s, two lanes, 5 views: {what}");
    vec![
        Figure::exact(
            name("of the limit, fullest window, beside docs/weaknesses.md on the original"),
            "",
            measured.of_limit,
        )
        .beside(15.0)
        .goal(Goal::AtMost(1.0)),
        Figure::exact(name("staleness p50"), "s", measured.p50).goal(Goal::AtMost(1.0)),
        Figure::exact(name("staleness p99"), "s", measured.p99).goal(Goal::AtMost(3.0)),
        Figure::exact(name("updates never seen"), "", measured.unseen as f64).goal(Goal::AtMost(0.0)),
    ]
}

fn remembering(run: &Run) -> Vec<Figure> {
    let figure = |name: &str, unit, measured: Option<f64>, most| {
        let figure = match measured {
            Some(value) => Figure::noisy(name, unit, value, RESIDENT),
            None => Figure::not_measured_yet(name, unit),
        };
        figure.goal(Goal::AtMost(most))
    };
    let each = memory::per_entry(run.items(32), run.items(10_000));
    let (machine, pools) = (each.map(|of| of.machine), each.map(|of| of.pools));
    let flood = memory::flood(20, run.items(64));
    vec![
        figure("memory of an entry beyond key and value, machine alone", "B", machine, 150.0),
        figure("the same of machine and handle, decoded value included", "B", pools, 150.0),
        figure("memory after a flood of tiny entries, of the stated bound", "", flood, 1.0),
    ]
}
