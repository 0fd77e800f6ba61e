//! What only a connection itself can tell: the settings under which it writes.

use rusqlite::Connection;

use super::Place;
use crate::{Durability, Options};

fn writer(options: Options) -> (tempfile::TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(&folder.path().join("saves.sqlite"), options).unwrap();
    let connection = place.open_writer().unwrap();
    (folder, connection)
}

fn pragma(connection: &Connection, name: &str) -> String {
    connection.pragma_query_value(None, name, |row| row.get_ref(0).map(|v| format!("{v:?}"))).unwrap()
}

#[test]
fn every_commit_waits_for_the_disk_unless_told_otherwise() {
    let check = |options, synchronous| {
        let (_folder, connection) = writer(options);
        assert_eq!(pragma(&connection, "synchronous"), format!("Integer({synchronous})"));
        assert!(pragma(&connection, "journal_mode").contains("Text"));
    };
    check(Options::default(), 2);
    check(Options::default().durability(Durability::Normal), 1);
}

#[test]
fn readers_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(&folder.path().join("saves.sqlite"), Options::default()).unwrap();
    let _writer = place.open_writer().unwrap();
    let reader = place.open_reader().unwrap();
    assert!(reader.execute("DELETE FROM records", ()).is_err());
}
