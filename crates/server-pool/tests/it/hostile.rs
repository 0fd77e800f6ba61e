//! Whatever comes from the bus: dropped and counted, in bounded memory, without harm to what is known.

use proptest::prelude::*;
use server_pool::{Config, ENTRY_OVERHEAD};

use crate::fleet::{Fleet, millis, secs};

#[test]
fn what_is_no_json_text_is_not_contributed() {
    let mut fleet = fleet(|_| ());
    for value in ["", "x", "1,2", "\"", "[1", "1]"] {
        let refused = fleet.servers[0].machine.contribute(fleet.now, crate::fleet::POOL, "k", value.into());
        assert!(matches!(refused, Err(server_pool::ContributeError::Encode(_))), "{value}");
    }
}

/// A fleet of two that knows an entry of each.
fn fleet(tune: fn(&mut Config)) -> Fleet {
    let mut fleet = Fleet::new(1);
    fleet.tune = tune;
    for server in 0..2 {
        let _ = fleet.join(&format!("s{server}"));
        fleet.put(server, &format!("of {server}"), "v");
    }
    fleet.run(secs(3));
    fleet
}

const MAX: u64 = (1 << 53) - 1;

#[test]
fn what_is_no_frame_is_dropped_and_counted() {
    let bad = [
        "",
        "null",
        "{}",
        "[]",
        "[1]",
        "[2,0,\"x\",1,1,0,0,0]",
        "[1,0]",
        "[1,0,\"\",1,1,0,0,0]",
        "[1,0,7,1,1,0,0,0]",
        "[1,0,\"x\",-1,1,0,0,0]",
        "[1,0,\"x\",1.5,1,0,0,0]",
        "[1,0,\"x\",1,1,0,0,4294967296]",
        "[1,0,\"x\",9007199254740992,1,0,0,0]",
        "[1,0,\"x\",18446744073709551616,1,0,0,0]",
        "[1,0,\"x\",1,1,0,1,0]",
        "[1,2,\"x\",1,1,0,0,0,\"s0\"]",
        "[1,2,\"x\",1,1,0,0,0,\"s0\",1,5,5]",
        "[1,3,\"x\",1,1,3,0,0]",
        "[1,3,\"x\",1,1,3,0,0,1,4,0]",
        "[1,3,\"x\",1,1,3,0,0,2,1,0]",
        "[1,3,\"x\",1,1,3,0,0,0,3,0,\"k\"]",
        "[1,3,\"x\",1,1,3,0,0,0,3,0,0,\"k\",1]",
        "[1,3,\"x\",1,1,3,0,0,0,3,0,4,\"k\",1]",
        "[1,3,\"x\",1,1,3,0,0,0,3,0,[-1],\"k\",1]",
        "[1,3,\"x\",1,1,3,0,0,0,3,0,[1,2],\"k\",1]",
        "[1,0,\"x\",1,1,0,0,0",
        "\u{feff}[1,0,\"x\",1,1,0,0,0]",
    ];
    let mut fleet = fleet(|_| ());
    let before = fleet.seen(0).clone();
    bad.iter().for_each(|body| fleet.inject(0, body));
    assert_eq!(fleet.stats(0).malformed, bad.len() as u64);
    fleet.inject(0, &format!("[1,0,\"{}\",1,1,0,0,0]", "x".repeat(129)));
    fleet.inject(0, &format!("[1,0,\"x\",1,1,0,0,0,\"{}\"]", "x".repeat(300_000)));
    assert_eq!(fleet.stats(0).malformed, bad.len() as u64 + 2);
    assert_eq!(fleet.stats(0).servers, 1);
    assert_eq!(fleet.seen(0), &before);
}

#[test]
fn frames_of_unknown_kinds_count_as_signs_of_life() {
    let mut fleet = fleet(|_| ());
    fleet.inject(0, r#"[1,99,"future",1,1,0,0,0,{"anything":[]}]"#);
    assert_eq!((fleet.stats(0).servers, fleet.stats(0).malformed), (2, 0));
}

#[test]
fn ten_thousand_foreign_servers_do_not_fill_the_memory_nor_stay() {
    let mut fleet = fleet(|config| config.max_origins = 100);
    for index in 0..10_000 {
        fleet.inject(0, &format!("[1,3,\"x{index}\",1,1,1,0,0,0,1,0,[5],\"k{index}\",1]"));
    }
    assert_eq!(fleet.stats(0).servers, 100);
    assert_eq!(fleet.stats(0).refused, 10_000 - 99);
    fleet.run(secs(20));
    assert_eq!((fleet.stats(0).servers, fleet.seen(0).len()), (1, 2));
    let newcomer = fleet.join("newcomer");
    fleet.run(secs(3));
    assert_eq!(fleet.stats(0).servers, 2);
    assert_eq!(fleet.seen(newcomer).len(), 2);
}

#[test]
fn of_a_million_foreign_entries_as_many_are_kept_as_the_bound_allows_and_only_while_their_servers_live() {
    let mut fleet = fleet(|config| config.max_pool_bytes = 1_000_000);
    for frame in 0..1_000_u64 {
        let (server, sequence) = (frame % 20, frame / 20 + 1);
        let (from, to) = ((sequence - 1) * 1_000, sequence * 1_000);
        let ops: String = (0..1_000).map(|op| format!(",\"{server}:{}\",1", from + op)).collect();
        fleet.inject(0, &format!("[1,3,\"x{server}\",1,{sequence},{to},0,0,{from},{to},5{ops}]"));
    }
    let kept = fleet.stats(0).entries - 2;
    assert!((1..=1_000_000 / ENTRY_OVERHEAD as u64).contains(&kept), "{kept}");
    assert_eq!(fleet.stats(0).refused, 1_000_000 - kept);
    fleet.run(secs(10));
    assert_eq!(fleet.stats(0).entries, 2);
    assert!(fleet.agrees());
}

#[test]
fn entries_beyond_the_bound_of_a_server_are_refused() {
    let mut fleet = fleet(|config| config.max_origin_entries = 50);
    for index in 0..1_000 {
        let (from, to) = (index * 10, index * 10 + 10);
        let ops: String =
            (1..=10).map(|op| format!(",[{}],\"k{}\",1", 5 * u64::from(op == 1), from + op)).collect();
        fleet.inject(0, &format!("[1,3,\"x\",1,{},{to},0,0,{from},{to},0{ops}]", index + 1));
    }
    assert_eq!(fleet.stats(0).entries, 52);
    assert_eq!(fleet.stats(0).refused, 9_950);
    let refused = fleet.servers[0].machine.contribute(fleet.now, crate::fleet::POOL, "a", "1".into());
    assert!(refused.is_ok());
}

#[test]
fn own_entries_beyond_the_bound_are_refused_too() {
    let mut fleet = fleet(|config| config.max_origin_entries = 2);
    fleet.put(0, "second", "v");
    let error =
        fleet.servers[0].machine.contribute(fleet.now, crate::fleet::POOL, "third", "1".into()).unwrap_err();
    assert!(matches!(error, server_pool::ContributeError::Full { limit: 2 }), "{error}");
    fleet.put(0, "second", "w");
}

#[test]
fn bytes_beyond_the_bound_of_a_pool_are_refused_whoever_sends_them() {
    let mut fleet = fleet(|config| config.max_pool_bytes = 100_000);
    let value = "x".repeat(10_000);
    for index in 0..100 {
        fleet.inject(0, &format!("[1,3,\"x{index}\",1,1,1,0,0,0,1,0,[5],\"k{index}\",\"{value}\"]"));
    }
    let most = 100_000 / (10_000 + ENTRY_OVERHEAD as u64);
    assert!(fleet.stats(0).entries <= most + 2, "{:?}", fleet.stats(0));
    assert!(fleet.stats(0).refused >= 90);
    fleet.run(secs(10));
    assert!(fleet.agrees(), "room is free again once they are gone");
}

#[test]
fn numbers_at_the_maximum_do_no_harm() {
    let mut fleet = fleet(|_| ());
    let before = fleet.published.len();
    fleet.inject(0, &format!("[1,0,\"a\",{MAX},{MAX},{MAX},{MAX},1]"));
    fleet.inject(0, &format!("[1,3,\"b\",1,1,{MAX},0,1,{},{MAX},{MAX},[0],\"k\",1]", MAX - 1));
    fleet.inject(0, &format!("[1,3,\"c\",1,1,{MAX},0,1,0,{MAX},0,{MAX},[0],\"l\",1]"));
    fleet.inject(0, &format!("[1,2,\"d\",1,1,0,0,0,\"s0\",1,0,{MAX}]"));
    assert_eq!(fleet.stats(0).malformed, 0);
    fleet.put(0, "k", "mine");
    fleet.run(secs(20));
    assert!(
        fleet.published.len() - before < 90,
        "nothing is asked for endlessly: {}",
        fleet.published.len() - before
    );
    assert!(fleet.agrees());
    assert_eq!(fleet.value(1, "k"), Some("mine"));
}

#[test]
fn a_part_that_lists_a_key_twice_does_no_harm() {
    let mut fleet = fleet(|_| ());
    fleet.inject(0, r#"[1,3,"x",1,1,2,0,0,0,2,0,[5],"k",1,-1,"k"]"#);
    assert_eq!(fleet.value(0, "k"), Some("1"));
    fleet.inject(0, r#"[1,3,"x",1,2,4,0,0,2,4,0,[5],"k",2,[0],"k",3]"#);
    assert_eq!(fleet.value(0, "k"), Some("2"));
    fleet.inject(0, r#"[1,3,"x",1,3,6,0,0,4,6,0,-1,"k",[9],"k",2]"#);
    assert_eq!(fleet.value(0, "k"), None);
    assert_eq!(fleet.stats(0).malformed, 0);
}

#[test]
fn many_scattered_ranges_are_kept_in_bounds_and_still_repaired() {
    let mut fleet = fleet(|_| ());
    for index in (1..2_000_u64).rev() {
        let (from, to) = (index * 2, index * 2 + 1);
        fleet
            .inject(0, &format!("[1,3,\"x\",1,{},4000,0,0,{from},{to},0,[5],\"k{index}\",1]", 2_000 - index));
    }
    assert_eq!(fleet.stats(0).entries, 2_001);
    let ops: String =
        (1..2_000).map(|index| format!(",{},[5],\"k{index}\",1", if index == 1 { 3 } else { 2 })).collect();
    fleet.inject(0, &format!("[1,3,\"x\",1,3000,4000,0,0,0,4000,0{ops}]"));
    assert_eq!(fleet.stats(0).entries, 2_001);
}

#[test]
fn another_server_of_the_same_name_is_reported() {
    let mut fleet = fleet(|_| ());
    fleet.inject(0, "[1,0,\"s0\",99,1,0,0,0]");
    fleet.inject(0, "[1,0,\"s0\",0,1,0,0,0]");
    assert_eq!((fleet.stats(0).impostors, fleet.stats(0).outdated), (1, 1));
}

#[test]
fn a_flood_of_requests_costs_at_most_one_answer_at_a_time() {
    let mut fleet = fleet(|_| ());
    let before = fleet.stats(0).parts_repeated;
    for sequence in 1..=1_000 {
        fleet.inject(0, &format!("[1,2,\"x\",1,{sequence},0,0,0,\"s0\",1,0,1]"));
        fleet.run(millis(1));
    }
    let parts = fleet.stats(0).parts_repeated - before;
    assert!((1..=21).contains(&parts), "one in 50 to 150 ms: {parts}");
}

#[test]
fn requests_for_scattered_parts_are_answered_by_fewer() {
    let mut fleet = fleet(|_| ());
    for round in 0..1_000 {
        fleet.put(0, "changing", &round.to_string());
        fleet.put(0, &format!("k{}", round % 5), &round.to_string());
        fleet.run(millis(110));
    }
    let (before, frames) = (fleet.stats(0).parts_repeated, fleet.published.len());
    let wants: String = (0..500).map(|index| format!(",\"s0\",1,{},{}", index * 2, index * 2 + 1)).collect();
    fleet.inject(0, &format!("[1,2,\"x\",1,1,0,0,0{wants}]"));
    fleet.run(secs(2));
    let parts = fleet.stats(0).parts_repeated - before;
    assert!((1..=64).contains(&parts), "{parts}");
    assert!(fleet.published.len() - frames < 64 + 10);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut fleet = Fleet::of(1, 1);
        fleet.inject(0, &String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn no_frame_of_numbers_and_texts_makes_it_panic_or_lose_its_own(
        frames in prop::collection::vec((0..5_u8, 0..3_u8, prop::collection::vec(element(), 5..16)), 1..20),
    ) {
        let mut fleet = fleet(|_| ());
        for (kind, server, elements) in frames {
            let rest = elements.join(",");
            fleet.inject(0, &format!("[1,{kind},\"s{server}\",{rest}]"));
            fleet.run(millis(300));
        }
        fleet.put(0, "mine", "v");
        fleet.run(secs(2));
        prop_assert_eq!(fleet.value(0, "mine"), Some("v"));
    }
}

fn element() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (0..6_u64).prop_map(|number| number.to_string()),
        1 => Just(MAX.to_string()),
        1 => Just("-1".to_owned()),
        1 => Just("[5]".to_owned()),
        2 => Just("\"k\"".to_owned()),
        1 => Just("\"of 0\"".to_owned()),
    ]
}

#[test]
fn entries_refused_for_want_of_room_come_back_when_there_is_room() {
    let mut fleet = Fleet::of(1, 2);
    fleet.tune = |config| config.max_pool_bytes = 20_000;
    let reader = fleet.join("reader");
    fleet.run(secs(1));
    for index in 0..20 {
        fleet.inject(
            reader,
            &format!("[1,3,\"x{index}\",1,1,1,0,0,0,1,0,[5],\"x{index}\",\"{}\"]", "x".repeat(900)),
        );
    }
    (0..10).for_each(|index| fleet.put(0, &format!("k{index}"), "v"));
    fleet.run(secs(2));
    assert!(fleet.value(reader, "k9").is_none() && fleet.stats(reader).refused > 0);
    fleet.run(secs(15));
    assert_eq!(fleet.value(reader, "k9"), Some("v"), "the flood has expired");
    assert!(fleet.agrees());
}

#[test]
fn a_server_of_which_others_told_and_that_expired_unheard_may_still_come() {
    let mut fleet = Fleet::of(1, 1);
    fleet.inject(0, r#"[1,6,"teller",1,1,0,0,0,"told",5,3,7,0]"#);
    assert_eq!(fleet.stats(0).servers, 2);
    fleet.run(secs(40));
    assert_eq!(fleet.stats(0).servers, 0);
    fleet.inject(0, r#"[1,3,"told",5,9,4,0,8,0,4,1,"key",1]"#);
    assert_eq!(fleet.stats(0).servers, 1);
    assert_eq!(fleet.value(0, "key"), Some("1"));
}

#[test]
fn of_a_key_that_a_part_lists_twice_the_first_item_stands() {
    let mut fleet = Fleet::of(1, 1);
    fleet.inject(0, r#"[1,3,"liar",1,1,4,0,0,0,4,1,"a",1,"a",2,-1,"b","b",3]"#);
    assert_eq!((fleet.value(0, "a"), fleet.value(0, "b")), (Some("1"), None));
    fleet.inject(0, r#"[1,3,"liar",1,2,6,0,0,4,6,9,"a",5,"b",6]"#);
    assert_eq!((fleet.value(0, "a"), fleet.value(0, "b")), (Some("5"), Some("6")));
}
