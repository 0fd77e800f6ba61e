//! The file as other programs see it.

use futures::executor::block_on;
use transport_traits::DataStore;

use crate::support::{Place, key, put, store};
use transport_traits::Record;

#[test]
fn the_view_shows_every_save_to_anyone() {
    let (place, store) = store();
    let version = put(&store, "Ann", Record::new(r#"{"coins":5}"#).with_metadata("m")).unwrap();
    let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?));
    let (name, key_shown, json, number, time): (String, String, String, i64, String) =
        place.outside().query_row("SELECT store, key, json, version, time FROM saves", (), row).unwrap();
    assert_eq!((&*name, &*key_shown, &*json), ("store", "Ann", r#"{"coins":5}"#));
    assert_eq!(number.to_string(), version.as_str());

    // The view's text means the time that the store reports, to the millisecond.
    let shown: f64 = place.ask("SELECT (julianday(time) - 2440587.5) * 86400000 FROM saves");
    let modified = block_on(store.get(key("Ann"))).unwrap().unwrap().modified;
    let micros: i64 = modified.as_micros().try_into().unwrap();
    assert!((shown.round() as i64 - micros / 1_000).abs() <= 1, "{time}");
    assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[10] == b'T', "{time}");
}

#[test]
fn values_can_be_queried_as_json() {
    let (place, store) = store();
    put(&store, "Ann", Record::new(r#"{"coins":5}"#)).unwrap();
    put(&store, "Bob", Record::new(r#"{"coins":9}"#)).unwrap();
    let richest: String =
        place.ask("SELECT key FROM saves ORDER BY json_extract(json, '$.coins') DESC LIMIT 1");
    assert_eq!(richest, "Bob");
}

#[test]
fn the_header_says_whose_file_it_is() {
    let place = Place::new();
    let store = transport_sqlite::SqliteStore::open(&place.path).unwrap();
    block_on(store.close());
    let bytes = std::fs::read(&place.path).unwrap();
    assert_eq!(&bytes[..16], b"SQLite format 3\0");
    assert_eq!(&bytes[68..72], b"Nexu");
    assert_eq!(bytes[60..64], [0, 0, 0, 1]);
}
