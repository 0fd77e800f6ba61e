//! The text of a table: a round trip, its size, and what is no such text.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::machine::table::{Entry, Mark, Table};
use crate::machine::table_text::{MAX_ID, MAX_NUMBER, Unreadable};

prop_compose! {
    fn table()(
        epoch in 0..MAX_ID,
        commits in 0..MAX_NUMBER,
        parts in prop::collection::vec((0..MAX_ID, 0..MAX_NUMBER, 0.0..1.0_f64), 0..30),
        back in [0.0..1.0_f64, 0.0..1.0_f64, 0.0..1.0_f64],
        at in 1_577_836_800..9_000_000_000_u64,
        extension in prop_oneof![Just(""), Just("~s3:abc")],
    ) -> Table {
        let part = |of: f64| (commits as f64 * of) as u64;
        let entry = |&(writer, last, moved): &(u64, u64, f64)| (writer, Entry { last, moved: part(moved) });
        let writers: BTreeMap<u64, Entry> = parts.iter().map(entry).collect();
        let mark = Mark { commit: part(back[2]), at };
        Table { epoch, commits, fence: part(back[0]), aged: part(back[1]), mark, writers: writers.into_iter().collect(), extension: extension.into() }
    }
}

proptest! {
    #[test]
    fn a_table_survives_its_text(table in table()) {
        let text = table.to_text();
        prop_assert!(text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\'));
        prop_assert_eq!(Table::parse(&text), Ok(table));
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in "N?1?[A-Za-z0-9_~\" -]{0,60}") {
        let _ = Table::parse(&text);
    }

    #[test]
    fn a_damaged_text_is_never_half_a_table(table in table(), cut in 0..400_usize) {
        let text = table.to_text();
        let cut = cut.min(text.len().saturating_sub(1));
        if let Ok(read) = Table::parse(&text[..cut]) {
            prop_assert!(text[cut..].starts_with('~') || !table.extension.is_empty());
            prop_assert_eq!(read.writers, table.writers);
        }
    }
}

#[test]
fn an_entry_takes_13_characters_so_20_writers_fit_into_300() {
    let entry = |n: u64| (MAX_ID - 1 - n, Entry { last: 1_000_000 - n, moved: 99_990 });
    let mut table =
        Table { epoch: MAX_ID - 1, commits: 100_000, fence: 98_000, aged: 99_000, ..Table::default() };
    table.mark = Mark { commit: 99_900, at: 2_000_000_000 };
    let empty = table.to_text().len();
    table.writers = (0..20).map(entry).collect();
    let full = table.to_text().len();
    assert_eq!((full - empty) / 20, 13);
    assert!(full <= 300, "{full}");
}

#[test]
fn what_is_not_ours_is_foreign_and_what_is_newer_is_said_to_be() {
    for foreign in ["", "{}", "Nothing", "N1", "N1AAAA", "N1AAAAAAAA*", "N1 AAAAAAAAAAAAAAA"] {
        assert_eq!(Table::parse(foreign), Err(Unreadable::Foreign), "{foreign}");
    }
    let newer = Table::default().to_text().replacen("N1", "N2", 1);
    assert_eq!(Table::parse(&newer), Err(Unreadable::Newer));
}
