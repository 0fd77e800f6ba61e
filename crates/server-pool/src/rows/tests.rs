//! Rows come and go, and what they take goes with them.

use super::*;
use crate::key_hash::KeyHasher;

fn row(hasher: &KeyHasher, owners: &mut Owners, number: usize, owner: &str) -> Row<usize> {
    let key: Arc<str> = number.to_string().into();
    Row { hash: hasher.hash(&key), owner: owners.add(&owner.into()), key, value: Arc::new(number) }
}

#[test]
fn a_row_takes_32_bytes() {
    assert_eq!(size_of::<Row<String>>(), 32);
}

#[test]
fn rows_are_found_by_key_however_the_table_grows_and_shrinks() {
    let (hasher, mut owners, mut rows) = (KeyHasher::default(), Owners::default(), Rows::default());
    for number in 0..10_000 {
        assert!(rows.replace(row(&hasher, &mut owners, number, "s")).is_none());
    }
    let full = rows.0.capacity();
    for number in 0..9_990 {
        let key = number.to_string();
        let taken = rows.take(hasher.hash(&key), &key);
        assert_eq!(taken.map(|row| *row.value), Some(number));
        assert!(rows.get(hasher.hash(&key), &key).is_none());
    }
    for number in 9_990..10_000 {
        let key = number.to_string();
        assert_eq!(rows.get(hasher.hash(&key), &key).map(|row| *row.value), Some(number));
    }
    assert_eq!(rows.len(), 10);
    assert!(rows.0.capacity() < full / 100, "{}", rows.0.capacity());
}

#[test]
fn a_row_stands_in_the_place_of_its_keys_former_one() {
    let (hasher, mut owners, mut rows) = (KeyHasher::default(), Owners::default(), Rows::default());
    assert!(rows.replace(row(&hasher, &mut owners, 7, "s")).is_none());
    let former = rows.replace(row(&hasher, &mut owners, 7, "t")).expect("there was one");
    assert_eq!((&*owners.remove(former.owner), rows.len()), ("s", 1));
}

#[test]
fn keys_of_one_hash_are_told_apart() {
    let (hasher, mut owners, mut rows) = (KeyHasher::default(), Owners::default(), Rows::default());
    let hash = hasher.hash("1");
    for number in 1..=3 {
        assert!(rows.replace(Row { hash, ..row(&hasher, &mut owners, number, "s") }).is_none());
    }
    assert_eq!(rows.take(hash, "2").map(|row| *row.value), Some(2));
    let found = ["1", "2", "3"].map(|key| rows.get(hash, key).map(|row| *row.value));
    assert_eq!(found, [Some(1), None, Some(3)]);
}

#[test]
fn an_owner_is_kept_once_and_as_long_as_it_owns_anything() {
    let mut owners = Owners::default();
    let places: Vec<_> = ["a", "b", "a"].map(|owner| owners.add(&owner.into())).into();
    assert_eq!((places[0], owners.0.len()), (places[2], 2));
    assert_eq!(&*owners.remove(places[0]), "a");
    assert_eq!(&**owners.name(places[2]), "a");
    assert_eq!(&*owners.remove(places[2]), "a");
    assert_eq!((owners.0.len(), owners.0.find("a")), (1, None));
}
