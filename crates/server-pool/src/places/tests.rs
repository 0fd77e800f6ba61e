//! Names and places, while things come and go.

use super::Places;

#[test]
fn a_name_leads_to_its_thing_while_others_come_and_go() {
    let mut places = Places::default();
    let mut all: Vec<_> = (0..200).map(|n| (n, places.insert(n.to_string().into(), n))).collect();
    for round in 0..200 {
        let (number, place) = all.swap_remove(round % all.len());
        let removed = places.remove(place);
        assert_eq!(
            removed.map(|(name, thing)| (name.to_string(), thing)),
            Some((number.to_string(), number))
        );
        assert_eq!((places.find(&number.to_string()), places.get(place)), (None, None));
        let number = 200 + round;
        all.push((number, places.insert(number.to_string().into(), number)));
        assert!(all.iter().all(|(number, place)| places.find(&number.to_string()) == Some(*place)));
    }
    assert_eq!((places.len(), places.iter().count()), (200, 200));
    assert!(all.iter().all(|(number, place)| places.get(*place) == Some(number)));
    assert!(places.sorted().is_sorted());
}

#[test]
fn a_search_from_a_place_goes_around_once() {
    let mut places = Places::default();
    let [a, b, c] = ["a", "b", "c"].map(|name| places.insert(name.into(), name));
    let find = |start, wanted: &'static str| places.find_from(start, |thing| *thing == wanted);
    let around = [find(Some(b), "c"), find(Some(b), "a"), find(Some(c), "b"), find(None, "a")];
    assert_eq!(around, [Some(c), Some(a), Some(b), Some(a)]);
    assert_eq!(find(Some(b), "d"), None);
    let empty = Places::<u8>::default();
    assert_eq!(empty.find_from(Some(c), |_| true), None);
}
