//! What a run leaves behind: files, charts, and comparisons with what was kept.

use benches::measure::interleaved;
use benches::report::baseline::{Verdict, changes};
use benches::report::context::{Context, direct_dependencies};
use benches::report::{Files, chart};
use benches::{Figure, Goal};

fn figures() -> Vec<Figure> {
    vec![
        Figure::exact("fill", "", 0.98).beside(0.7).goal(Goal::AtLeast(0.975)),
        Figure::exact("push <fast>", "ns", 300.0).beside(100.0).goal(Goal::TimesTheReference(1.2)),
        Figure::exact("lost", "", 0.0).goal(Goal::AtMost(0.0)),
        Figure::exact("ghosts", "", 7.0).goal(Goal::AtMost(0.0)),
        Figure::exact("copy", "ns", 20.0).beside(10.0),
        Figure::not_measured_yet("later", "B").goal(Goal::AtMost(1.0)),
    ]
}

/// The verdict on a figure whose goal wants little, when it was `old` in the run that is compared with.
fn verdict(old: f64, old_spread: f64, new: f64, new_spread: f64) -> Verdict {
    let figure = |value, spread| Figure::noisy("f", "", value, spread).goal(Goal::AtMost(1.0));
    // As it was kept.
    let old = serde_json::to_string(&figure(old, old_spread).row()).expect("rows are JSON");
    changes(&[figure(new, new_spread)], &[serde_json::from_str(&old).expect("it was written as a row")])[0]
        .verdict
}

#[test]
fn an_exact_figure_changes_however_little_it_does() {
    assert_eq!(verdict(10.0, 0.0, 10.0, 0.0), Verdict::Noise);
    assert_eq!(verdict(10.0, 0.0, 10.001, 0.0), Verdict::Worse);
    assert_eq!(verdict(0.0, 0.0, 1.0, 0.0), Verdict::Worse);
    assert_eq!(verdict(f64::INFINITY, 0.0, f64::INFINITY, 0.0), Verdict::Noise);
    assert_eq!(verdict(f64::INFINITY, 0.0, 30.0, 0.0), Verdict::Better);
}

#[test]
fn a_timed_figure_changes_when_it_leaves_the_spreads_of_both_runs() {
    assert_eq!(verdict(10.0, 0.05, 10.9, 0.05), Verdict::Noise);
    assert_eq!(verdict(10.0, 0.05, 11.1, 0.05), Verdict::Worse);
    assert_eq!(verdict(10.0, 0.05, 8.9, 0.05), Verdict::Better);
    // A spread may be small by chance.
    assert_eq!(verdict(10.0, 0.001, 10.15, 0.001), Verdict::Noise);
    assert_eq!(verdict(10.0, 0.001, 10.25, 0.001), Verdict::Worse);
}

#[test]
fn what_is_compared_is_what_the_goal_judges() {
    let figure = |value, ratio| Figure::exact("f", "ns", value).beside(1.0).ratio(ratio);
    let change = |goal: Option<Goal>| {
        let with = |figure: Figure| goal.map_or(figure.clone(), |goal| figure.goal(goal));
        let change = changes(&[with(figure(10.0, 3.0))], &[with(figure(20.0, 2.0)).row()]).remove(0);
        (change.old, change.new, change.verdict)
    };
    assert_eq!(change(Some(Goal::AtMost(1.0))), (Some(20.0), Some(10.0), Verdict::Better));
    assert_eq!(change(Some(Goal::TimesAsFast(1.0))), (Some(2.0), Some(3.0), Verdict::Better));
    assert_eq!(change(Some(Goal::TimesTheReference(1.0))), (Some(2.0), Some(3.0), Verdict::Worse));
    assert_eq!(change(None), (Some(2.0), Some(3.0), Verdict::Changed));
}

#[test]
fn a_figure_that_one_of_the_runs_lacks_is_not_compared() {
    let changes = changes(&figures(), &[figures()[0].row(), figures()[5].row()]);
    let verdicts: Vec<_> = changes.iter().map(|change| change.verdict).collect();
    assert_eq!(verdicts[0], Verdict::Noise);
    assert!(verdicts[1..].iter().all(|&verdict| verdict == Verdict::NotComparable), "{verdicts:?}");
}

#[test]
fn a_chart_has_a_bar_a_figure_to_the_side_where_it_belongs() {
    let svg = chart::svg("packer", &figures());
    let bars = |class: &str| svg.matches(&format!("<rect class=\"{class}\"")).count();
    assert_eq!((bars("met"), bars("missed"), bars("plain")), (2, 2, 1));
    assert!(svg.contains("push &lt;fast&gt;") && !svg.contains("<fast>"));
    assert!(!svg.contains("later") && !svg.contains("NaN") && !svg.contains("inf\""), "{svg}");
}

#[test]
fn a_run_leaves_a_file_a_kind_and_a_page_of_all_topics() {
    let folder = tempfile::tempdir().unwrap();
    for topic in ["store", "packer"] {
        let mut context = Context::now(topic, "quick");
        context.end(1.0);
        Files::new(folder.path(), topic).write(&figures(), &context).unwrap();
    }
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let rows: Vec<benches::figure::Row> = serde_json::from_str(&read("packer.json")).unwrap();
    assert_eq!(rows.len(), figures().len());
    assert_eq!(serde_json::from_str::<Context>(&read("packer.run.json")).unwrap().depth, "quick");
    let report = read("report.md");
    let place = |text: &str| report.find(text).unwrap_or_else(|| panic!("{text} is not in {report}"));
    assert!(place("## packer") < place("packer.svg") && place("packer.svg") < place("## store"));
    assert!(report.contains("2 goals met, 2 missed") && report.contains("A quick run of 1 s"));
}

#[test]
fn a_run_is_compared_with_what_was_kept_under_a_name() {
    let folder = tempfile::tempdir().unwrap();
    let files = Files::new(folder.path(), "packer");
    assert!(files.against("before", &figures()).is_err(), "nothing was kept yet");
    files.write(&figures(), &Context::now("packer", "full")).unwrap();
    files.save("before").unwrap();
    assert!(folder.path().join("baselines/before/packer.json").is_file());
    let compared =
        files.against("before", &[Figure::exact("fill", "", 0.49).goal(Goal::AtLeast(0.9))]).unwrap();
    assert!(compared.contains("-50.0 %") && compared.contains("WORSE"), "{compared}");
}

#[test]
fn versions_are_those_of_libraries_from_elsewhere_that_the_package_names() {
    let lock = r#"
        package = [
            { name = "benches", version = "0.1.0", dependencies = ["ours", "peer 2.0.0", "other"] },
            { name = "ours", version = "0.1.0" },
            { name = "peer", version = "1.0.0", source = "registry" },
            { name = "peer", version = "2.0.0", source = "registry" },
            { name = "other", version = "3.1.0", source = "registry" },
            { name = "behind other", version = "4.0.0", source = "registry" },
        ]"#;
    let versions: Vec<_> = direct_dependencies(lock, "benches").into_iter().collect();
    let expected = [("other", "3.1.0"), ("peer", "2.0.0")];
    assert_eq!(versions, expected.map(|(name, version)| (name.to_owned(), version.to_owned())));
}

#[test]
fn a_context_names_the_compiler_and_the_peers_of_this_package() {
    let context = Context::now("packer", "quick");
    assert!(context.versions.contains_key("rustc") && context.versions.contains_key("serde_json"));
    assert!(context.date.starts_with("20") && context.date.ends_with('Z'), "{}", context.date);
}

#[test]
fn one_round_has_no_spread_and_is_no_error() {
    let samples = interleaved(1, &mut [&mut || (), &mut || ()]);
    let figure = Figure::noisy("f", "ns", 1.0, samples.spread(0, 0));
    assert_eq!(figure.row().spread, 0.0);
}
