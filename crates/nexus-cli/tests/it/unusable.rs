//! What cannot be run: one clear line, exit code 2, nothing harmed.

use crate::program::{assert_refused, run, text};

#[test]
fn wrong_arguments_are_refused() {
    let wrong: [&[&str]; 9] = [
        &["demo", "--servers", "two"],
        &["demo", "--servers", "3"],
        &["demo", "--seconds", "0"],
        &["demo", "--max-pages", "0"],
        &["demo", "--verify", "x", "--json"],
        &["demo", "--bus", "redis://localhost"],
        &["demo", "--store", "sqlite:x"],
        &["demo", "--bus", "redis://localhost", "--store", "sqlite:x", "--data", "x"],
        &["dance"],
    ];
    for wrong in wrong {
        let output = run(wrong);
        assert_refused(&output, "--help");
        assert_eq!(text(&output.stderr).lines().count(), 1, "{wrong:?}: {}", text(&output.stderr));
    }
    assert_eq!(run(&[]).status.code(), Some(2), "without a command there is nothing but help");
}

#[test]
fn a_file_that_cannot_be_written_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("no such folder/demo.sqlite");
    assert_refused(&run(&["demo", "--data", nowhere.to_str().unwrap()]), "no such folder");
    assert_refused(&run(&["demo", "--data", folder.path().to_str().unwrap()]), "cannot use");
}

#[test]
fn services_that_cannot_be_used_are_refused_with_nothing_made_and_their_urls_not_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = format!("sqlite:{}", folder.path().join("demo.sqlite").display());
    let nobody = "redis://:secret@127.0.0.1:1";
    let wrong = [
        ("sqlite:x", file.as_str(), "SQLite is no bus"),
        ("memory", &file, "URL of the bus"),
        ("mysql://secret", &file, "URL of the bus"),
        (nobody, &file, "cannot use the bus"),
        ("nats://:secret@127.0.0.1:1", &file, "cannot use the bus"),
        ("postgres://u:secret@127.0.0.1:1", &file, "cannot use the bus"),
        ("postgres://u:secret@127.0.0.1:secret", &file, "cannot use the bus"),
    ];
    for (bus, store, says) in wrong {
        let output = run(&["demo", "--bus", bus, "--store", store]);
        assert_refused(&output, says);
        assert!(!text(&output.stderr).contains("secret"), "{}", text(&output.stderr));
    }
    let made = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(made, 0, "no file and no side ledger");
}

#[test]
fn a_file_that_is_no_database_is_refused_and_left_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let letter = folder.path().join("letter.txt");
    let content = "Dear reader, this is no database. ".repeat(200);
    std::fs::write(&letter, &content).unwrap();
    assert_refused(&run(&["demo", "--data", letter.to_str().unwrap()]), "letter.txt");
    assert_eq!(std::fs::read_to_string(&letter).unwrap(), content);
    let beside = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(beside, 1, "nothing was put beside it");
}

#[test]
fn a_full_disk_ends_the_run_and_corrupts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("demo.sqlite");
    let path = data.to_str().unwrap();
    let output = run(&["demo", "--seconds", "60", "--max-pages", "16", "--data", path]);
    assert_refused(&output, "full");
    let checked = run(&["demo", "--verify", path]);
    assert_eq!(checked.status.code(), Some(0), "{}", text(&checked.stdout));
    let file = rusqlite::Connection::open(&data).unwrap();
    let sound: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
}

#[test]
fn verifying_a_file_without_a_side_ledger_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("demo.sqlite");
    assert_refused(&run(&["demo", "--verify", path.to_str().unwrap()]), "demo.sqlite.ledger");
}
