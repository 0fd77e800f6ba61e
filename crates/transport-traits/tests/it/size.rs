//! Sizes as services count them.

use proptest::prelude::*;
use transport_traits::ErrorKind;
use transport_traits::limits::{Counting, SizeLimit, json_encoded_len};

fn serde_json_len(text: &str) -> usize {
    serde_json::to_string(text).expect("a string is always valid JSON").len()
}

proptest! {
    #[test]
    fn the_json_length_is_that_of_serde_json(text in any::<String>()) {
        prop_assert_eq!(json_encoded_len(text.as_bytes()), serde_json_len(&text));
    }

    #[test]
    fn the_json_length_is_that_of_serde_json_where_everything_is_escaped(text in "[\\x00-\\x1f\"\\\\/\\x7f]*") {
        prop_assert_eq!(json_encoded_len(text.as_bytes()), serde_json_len(&text));
    }

    #[test]
    fn a_limit_passes_what_measures_no_more_than_its_size(text in any::<String>(), max in 0_usize..100) {
        for counting in [Counting::Bytes, Counting::Chars, Counting::JsonEncoded] {
            let size = counting.measure(text.as_bytes());
            let checked = SizeLimit { max, counting }.check("body", text.as_bytes());
            match checked {
                Ok(()) => prop_assert!(size <= max),
                Err(error) => {
                    prop_assert!(size > max);
                    prop_assert_eq!(error.kind(), ErrorKind::TooLarge { size, limit: max });
                }
            }
        }
    }
}

#[test]
fn each_single_character_measures_as_serde_json_writes_it() {
    for char in (0..=0x2ff).chain([0xffff, 0x1_f600]).filter_map(char::from_u32) {
        let text = char.to_string();
        assert_eq!(json_encoded_len(text.as_bytes()), serde_json_len(&text), "{char:?}");
    }
}

#[test]
fn three_ways_to_count_give_three_sizes() {
    let text = "né\"\n\u{1}😀".as_bytes();
    let sizes = [Counting::Bytes, Counting::Chars, Counting::JsonEncoded].map(|way| way.measure(text));
    assert_eq!(sizes, [10, 6, 19]);
}

#[test]
fn the_greatest_size_passes_and_one_more_does_not() {
    for limit in [SizeLimit::bytes(5), SizeLimit::chars(5), SizeLimit::json_encoded(7)] {
        assert!(limit.check("key", b"12345").is_ok(), "{limit:?}");
        assert!(limit.check("key", b"123456").is_err(), "{limit:?}");
    }
}

#[test]
fn what_is_not_utf8_counts_by_bytes() {
    assert_eq!(Counting::Chars.measure(&[b'a', 0xff, 0xfe]), 3);
}

#[test]
fn a_refusal_names_what_was_too_large_and_both_sizes() {
    let error = SizeLimit::chars(2).check("topic", "äöü".as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "too large (3 of 2 allowed): topic");
}
