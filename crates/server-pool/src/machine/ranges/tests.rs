//! Ranges against a plain set of numbers.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::Ranges;

proptest! {
    #[test]
    fn ranges_behave_like_a_set_of_versions(
        steps in prop::collection::vec((any::<bool>(), 0_u64..40, 0_u64..12), 0..30),
        cursor in 0_u64..45,
    ) {
        let (mut ranges, mut set) = (Ranges::default(), BTreeSet::new());
        for (add, from, length) in steps {
            let to = from + length;
            if add {
                ranges.insert(from, to);
                set.extend(from + 1..=to);
            } else {
                ranges.remove(from, to);
                set.retain(|version| *version <= from || *version > to);
            }
        }
        let listed: BTreeSet<u64> = ranges.0.iter().flat_map(|&(from, to)| from + 1..=to).collect();
        prop_assert_eq!(&listed, &set);
        prop_assert!(ranges.0.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", ranges);
        prop_assert_eq!(ranges.prefix(), (1..).take_while(|version| set.contains(version)).count() as u64);
        let missing: BTreeSet<u64> = ranges.gaps(50).flat_map(|(from, to)| from + 1..=to).collect();
        prop_assert_eq!(missing, (1..=50).filter(|version| !set.contains(version)).collect::<BTreeSet<_>>());
        let next = ranges.next_from(cursor).map(|range| range.0 + 1);
        let behind = set.iter().find(|version| **version > cursor).or_else(|| set.first());
        prop_assert_eq!(next, behind.copied());
        prop_assert_eq!(ranges.contains(cursor, cursor + 2), set.contains(&(cursor + 1)) && set.contains(&(cursor + 2)));
    }
}
