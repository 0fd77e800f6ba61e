//! A server's own echo: how long its frames take, and so what a joiner has heard already.

use crate::fleet::{Fleet, millis, secs};

const ENTRIES: usize = 20;

/// A server whose only entry took 10 ms, as it heard.
fn server_on_a_fast_bus(seed: u64) -> Fleet {
    let mut fleet = Fleet::new(seed);
    let _ = fleet.join("s");
    fleet.run(secs(2));
    fleet.put(0, "first", "v");
    fleet.run(secs(2));
    fleet
}

fn put_many(fleet: &mut Fleet) {
    (0..ENTRIES).for_each(|entry| fleet.put(0, &format!("entry {entry}"), "v"));
}

/// The frames that list the last of the many entries.
fn parts(fleet: &Fleet) -> Vec<&str> {
    let texts = fleet.published.iter().map(|(.., text)| text.as_str());
    texts.filter(|text| text.starts_with("[1,3,") && text.contains("entry 19")).collect()
}

/// The bus is slow of a sudden, and somebody joins. Many entries are sent 300 ms before its request comes, so it hears them.
fn join_on_a_bus_that_became_slow(fleet: &mut Fleet) -> usize {
    fleet.delay = millis(800);
    let joiner = fleet.join("late");
    fleet.run(millis(400));
    put_many(fleet);
    fleet.run(millis(350));
    assert_eq!(parts(fleet).len(), 1, "they are on their way");
    joiner
}

#[test]
fn on_a_bus_that_became_slow_a_joiner_is_not_told_again_what_it_hears_anyway() {
    let mut fleet = server_on_a_fast_bus(1);
    let joiner = join_on_a_bus_that_became_slow(&mut fleet);
    fleet.run(secs(10));
    assert_eq!((parts(&fleet).len(), fleet.seen(joiner).len()), (1, ENTRIES + 1));
}

#[test]
fn the_echo_of_an_earlier_life_tells_nothing() {
    let mut fleet = server_on_a_fast_bus(2);
    fleet.inject(0, r#"[1,6,"x",1,1,0,0,0,"s",5,0,0,0]"#);
    fleet.run(secs(2));
    assert_eq!(fleet.stats(0).refutations, 1);
    let joiner = join_on_a_bus_that_became_slow(&mut fleet);
    // A frame of the first life with the sequence of the one that is awaited.
    let sequence = parts(&fleet)[0].split(',').nth(4).unwrap().to_owned();
    fleet.inject(0, &format!(r#"[1,3,"s",1,{sequence},1,0,0,0,1,0]"#));
    fleet.run(secs(10));
    assert_eq!((parts(&fleet).len(), fleet.seen(joiner).len()), (1, ENTRIES + 1));
}

#[test]
fn an_echo_that_was_lost_is_not_waited_for_when_a_later_one_has_come() {
    let mut fleet = server_on_a_fast_bus(3);
    fleet.filter = Box::new(|_, to, text| to == 0 && text.starts_with("[1,3,"));
    fleet.put(0, "lost", "v");
    fleet.run(secs(1));
    fleet.filter = Box::new(|_, _, _| false);
    fleet.put(0, "heard", "v");
    fleet.run(secs(1));
    put_many(&mut fleet);
    // Sent after 100 ms, so long before the joiner comes.
    fleet.run(millis(300));
    let joiner = fleet.join("late");
    let took = fleet.run_until(secs(10), |fleet| fleet.seen(joiner).len() == ENTRIES + 3).unwrap();
    assert!(took <= millis(200), "it need not ask: {took:?}");
}
