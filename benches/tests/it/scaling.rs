//! Curves: their exponents, and that they are drawn.

use std::time::Duration;

use benches::scaling::{Curve, Panel, Pending, at_rest, chart, field_name};
use benches::spread::{Pools, learn};

fn powers(exponent: f64) -> Curve {
    Curve::of("ours", &[10, 20, 50, 400], |size| 7.0 * (size as f64).powf(exponent))
}

#[test]
fn the_exponent_of_a_power_is_that_power() {
    for exponent in [-1.0, 0.0, 0.5, 1.0, 2.0] {
        assert!((powers(exponent).exponent() - exponent).abs() < 1e-9, "{exponent}");
    }
}

#[test]
fn the_exponent_of_a_curve_that_bends_is_between_its_ends() {
    let curve = Curve::of("ours", &[1, 10, 100, 1_000], |size| 100.0 + size as f64);
    assert!((0.2..0.8).contains(&curve.exponent()), "{}", curve.exponent());
    assert!(Curve::of("ours", &[10], |_| 1.0).exponent().is_nan(), "one size says nothing");
}

#[test]
fn a_picture_has_a_line_a_curve_inside_of_it_and_no_markup_from_names() {
    let panel =
        Panel { title: "a < b", unit: "s & ms", of: "servers", curves: vec![powers(1.0), powers(2.0)] };
    let picture = chart::svg("Growth", &[panel.clone(), panel]);
    assert_eq!((picture.matches("<polyline").count(), picture.matches("<circle").count()), (4, 16 + 4));
    assert!(picture.contains("a &lt; b, s &amp; ms") && !picture.contains("NaN") && !picture.contains("inf"));
    assert!(!picture.contains("var("), "not every program that shows pictures knows variables");
    let lines = picture.lines().filter_map(|line| line.split_once("points=\"")).map(|(_, rest)| rest);
    for point in lines.flat_map(|rest| rest.trim_end_matches("\"/>").split(' ')) {
        let (x, y) = point.split_once(',').unwrap();
        let (x, y): (f64, f64) = (x.parse().unwrap(), y.parse().unwrap());
        assert!((0.0..=860.0).contains(&x) && (0.0..=352.0).contains(&y), "{point}");
    }
}

#[test]
fn nothing_that_waits_is_saved_before_it_is_asked_for() {
    let pending = Pending::new(2, 3);
    let record = &pending.records[1];
    record.increment(&field_name(2), 5).unwrap();
    assert_eq!(record.get(&field_name(2)).as_deref(), Some(&7.into()));
    assert!(pending.unsaved_bytes() > 0);
    pending.flush();
    assert_eq!(pending.unsaved_bytes(), 0);
}

#[test]
fn twice_the_servers_send_twice_as_much_at_rest() {
    let rest = |servers| at_rest(&mut Pools::new(1, |config| config), servers, 2).rest;
    let (few, many) = (rest(5), rest(10));
    assert!((1.9..2.1).contains(&(many.messages / few.messages)), "{few:?} {many:?}");
    assert!((3.7..4.3).contains(&(many.delivered / few.delivered)), "{few:?} {many:?}");
}

#[test]
fn a_start_that_takes_a_second_takes_at_least_that() {
    let cost = learn(&mut Pools::new(1, |config| config), 3, 1, Duration::from_secs(1));
    assert!((1.0..6.0).contains(&cost.seconds), "{cost:?}");
}
