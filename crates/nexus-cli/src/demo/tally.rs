//! Counting how often each operation took effect, inside the record itself.
//!
//! Each operation of a player has an index and, beside the coins, adds `4^digit` to a tally field of the
//! record. Read in base 4, a tally then says of every operation whether it was counted never (0), once
//! (1), twice (2) or more often, whatever the sum of the coins says.

/// Operations in one tally field: 4^26 = 2^52, so that every tally is exact in any JSON reader.
const DIGITS: u32 = 26;

/// The field and the amount by which operation `index` marks a record.
pub(super) fn mark(index: u32) -> (String, i64) {
    (format!("t{}", index / DIGITS), 1 << (2 * (index % DIGITS)))
}

/// How often operation `index` is marked, given the record's fields.
pub(super) fn times_marked(index: u32, field: impl Fn(&str) -> Option<i64>) -> u32 {
    let (name, unit) = mark(index);
    let digit = field(&name).unwrap_or(0) / unit % 4;
    u32::try_from(digit).unwrap_or(u32::MAX)
}

/// The operations that `new` marks and `old` does not, `name` being the tally field they are values of.
pub(super) fn newly_marked(name: &str, old: i64, new: i64) -> Vec<u32> {
    let Some(base) = name.strip_prefix('t').and_then(|number| number.parse::<u32>().ok()) else {
        return Vec::new();
    };
    let digit = |value: i64, at: u32| value >> (2 * at) & 3;
    (0..DIGITS)
        .filter(|&at| digit(new, at) > 0 && digit(old, at) == 0)
        .filter_map(|at| base.checked_mul(DIGITS)?.checked_add(at))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_digit_of_its_own() {
        for index in 0..200 {
            let (name, unit) = mark(index);
            let marked = |field: &str| (field == name).then_some(unit);
            for other in 0..200 {
                assert_eq!(times_marked(other, marked), u32::from(other == index));
            }
        }
    }

    #[test]
    fn a_doubled_operation_shows_as_two() {
        let (_, unit) = mark(30);
        assert_eq!(times_marked(30, |_| Some(2 * unit)), 2);
    }

    #[test]
    fn a_change_of_a_tally_names_the_operations_that_it_shows() {
        let (name, one) = mark(27);
        let (_, two) = mark(29);
        assert_eq!(newly_marked(&name, one, one + two), [29]);
        assert_eq!(newly_marked(&name, 0, one + two), [27, 29]);
        assert!(newly_marked("coins", 0, 7).is_empty());
    }
}
