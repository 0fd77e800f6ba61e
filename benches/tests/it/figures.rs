//! Figures: when a goal is met, and how that is shown.

use benches::measure::{interleaved, interleaved_on_this_thread};
use benches::report::table;
use benches::{Figure, Goal, compare};
use serde_json::{Value, json};

fn row(figure: &Figure) -> Value {
    serde_json::to_value(figure.row()).expect("rows are JSON")
}

#[test]
fn a_goal_is_about_the_value_or_the_ratio() {
    let figure = |goal| Figure::exact("f", "ns", 10.0).beside(20.0).ratio(3.0).goal(goal).met();
    let cases = [
        (Goal::AtLeast(10.0), true),
        (Goal::AtLeast(10.1), false),
        (Goal::AtMost(10.0), true),
        (Goal::AtMost(9.9), false),
        (Goal::TimesAsFast(3.0), true),
        (Goal::TimesAsFast(3.1), false),
        (Goal::TimesTheReference(3.0), true),
        (Goal::TimesTheReference(2.9), false),
    ];
    cases.into_iter().for_each(|(goal, met)| assert_eq!(figure(goal), Some(met), "{goal}"));
}

#[test]
fn a_ratio_is_ours_to_the_reference_unless_a_goal_of_speed_turns_it_round() {
    let figure = || Figure::exact("f", "ns", 10.0).beside(20.0);
    assert_eq!(figure().row().ratio, Some(0.5));
    assert_eq!(Figure::exact("f", "ns", 0.0).beside(0.0).row().ratio, None);
    assert_eq!(figure().goal(Goal::TimesTheReference(1.0)).row().ratio, Some(0.5));
    let faster = figure().times_as_fast(2.0);
    assert_eq!((faster.row().ratio, faster.met()), (Some(2.0), Some(true)));
    assert_eq!(figure().times_as_fast(2.1).met(), Some(false));
}

#[test]
fn a_figure_is_exact_or_says_how_noisy_it_is() {
    assert_eq!(row(&Figure::exact("f", "", 1.0))["spread"], 0.0);
    assert_eq!(row(&Figure::noisy("f", "ns", 1.0, 0.25).beside(2.0))["spread"], 0.25);
}

#[test]
fn a_rate_is_things_by_time_and_its_ratio_ours_to_the_peers() {
    let samples = interleaved(1, &mut [&mut || (), &mut || ()]);
    let figure = compare::rates("f", &samples, [0, 1], [600, 20]).goal(Goal::TimesAsFast(1.0)).row();
    let (ours, peer) = (600e9 / samples.median(0), 20e9 / samples.median(1));
    assert_eq!((figure.value, figure.reference), (Some(ours), Some(peer)));
    let ratio = figure.ratio.unwrap();
    assert!(ratio.is_nan() || (ratio / (ours / peer) - 1.0).abs() < 1e-9, "{ratio}");
}

#[test]
fn what_was_not_measured_is_never_met_nor_missed() {
    for goal in [Goal::AtMost(1.0), Goal::TimesTheReference(1.0)] {
        let figure = Figure::not_measured_yet("f", "ns").goal(goal);
        assert_eq!(figure.met(), None);
        assert!(table(&[figure]).contains("not measured yet"));
    }
}

#[test]
fn a_row_has_its_numbers_its_goal_and_whether_it_is_met() {
    let figure = Figure::exact("fill", "", 0.98).beside(0.7).ratio(1.4).goal(Goal::AtLeast(0.975));
    let expected = json!({
        "name": "fill", "unit": "", "value": 0.98, "reference": 0.7, "ratio": 1.4, "spread": 0.0, "goal": "≥ 0.975",
        "met": true,
    });
    assert_eq!(row(&figure), expected);
    let bare = row(&Figure::not_measured_yet("later", "ns"));
    assert!(["value", "reference", "ratio", "goal", "met"].iter().all(|&key| bare[key].is_null()));
}

#[test]
fn a_table_has_a_line_a_figure_with_columns_of_one_width() {
    let figures =
        [Figure::exact("short", "ns", 123.4), Figure::exact("a longer – name", "", 0.98765).beside(0.5)];
    let numbers = table(&[f64::INFINITY, 12_345.6, 0.0].map(|value| Figure::exact("f", "", value)));
    assert!(["| inf ", "| 12346 ", "| 0.000 "].iter().all(|text| numbers.contains(text)), "{numbers}");
    let table = table(&figures);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.iter().all(|line| line.chars().count() == lines[0].chars().count()), "{table}");
    assert!(
        lines[2].contains("| 123.4 ns ") && lines[3].contains("| 0.988 ") && lines[3].contains("| 1.975 ")
    );
}

#[test]
fn every_subject_runs_once_a_round_and_once_before() {
    for timed in [interleaved, interleaved_on_this_thread] {
        let (mut first, mut second) = (0, 0);
        let samples = timed(3, &mut [&mut || first += 1, &mut || second += 1]);
        assert!([0, 1].iter().all(|&subject| samples.median(subject) >= 0.0));
        assert_eq!((first, second), (4, 4));
    }
}

#[test]
fn the_spread_is_half_of_what_the_middle_half_of_the_rounds_takes() {
    let (mut even, mut odd) = (0, 0);
    let steady = interleaved(40, &mut [&mut || even += 1, &mut || odd += 1]);
    assert!(steady.spread(0, 1).is_finite() && steady.spread(0, 1) >= 0.0);
    assert_eq!(interleaved(1, &mut [&mut || even += 1, &mut || odd += 1]).spread(0, 1), 0.0);
}

#[test]
fn how_much_better_than_its_goal_a_figure_is_counts_towards_the_goal() {
    let of_goal = |value, goal| Figure::exact("f", "", value).beside(1.0).goal(goal).of_goal().unwrap();
    assert_eq!(of_goal(10.0, Goal::AtLeast(5.0)), 2.0);
    assert_eq!(of_goal(10.0, Goal::AtMost(5.0)), 0.5);
    assert_eq!(of_goal(10.0, Goal::TimesAsFast(20.0)), 0.5);
    assert_eq!(of_goal(10.0, Goal::TimesTheReference(20.0)), 2.0);
    assert_eq!(of_goal(0.0, Goal::AtMost(0.0)), f64::INFINITY);
    assert_eq!(of_goal(1.0, Goal::AtMost(0.0)), 0.0);
}
