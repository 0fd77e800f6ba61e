//! What the reader of elements takes and what it does not: just what `serde_json` does.

use serde_json::value::RawValue;

use super::Elements;

/// The elements as written, by the reader; `None` if it is no array.
fn read(text: &str) -> Option<Vec<&str>> {
    let mut elements = Elements::new(text).ok()?;
    let mut all = Vec::new();
    while !elements.is_empty() {
        all.push(elements.raw().ok()?);
    }
    elements.finish().ok()?;
    Some(all)
}

/// The same by `serde_json`.
fn expected(text: &str) -> Option<Vec<&str>> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    Some(elements.into_iter().map(RawValue::get).collect())
}

#[test]
fn elements_are_those_of_any_reader_of_json() {
    let whole = [
        "[]",
        " [ ] ",
        "[1,2]",
        "[0,-0,10]",
        "[ 1 , \"a\" ,\t[1,\"]\"] ,{\"a\":[]}\n]\r",
        r#"["a\"b","\\","\u00e9","é",""]"#,
        "[1.5,1e3,-1E-2,true,false,null]",
    ];
    let broken = [
        "",
        "[",
        "]",
        "1",
        "{}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1]2",
        "[]]",
        "[01]",
        "[1.]",
        "[-]",
        "[1e]",
        "[+1]",
        "[\"a]",
        "[\"\u{1}\"]",
        "[\"\\x\"]",
        "[tru]",
        "[nul,1]",
        "[[1,2]",
        "[{\"a\"}]",
        "[1]\u{a0}",
        "[\"a\"b]",
    ];
    for text in whole {
        assert_eq!(read(text), expected(text), "{text}");
        assert!(read(text).is_some(), "{text}");
    }
    for text in broken {
        assert_eq!((read(text), expected(text)), (None, None), "{text}");
    }
}

#[test]
fn numbers_are_whole_and_exact_and_in_one_form() {
    let number = |text: &str| Elements::new(text).and_then(|mut elements| elements.number()).ok();
    assert_eq!(number("[9007199254740991]"), Some((1 << 53) - 1));
    assert_eq!(number("[0 ,1]"), Some(0));
    for text in [
        "[9007199254740992]",
        "[99999999999999999999]",
        "[-1]",
        "[1.0]",
        "[1e2]",
        "[01]",
        "[\"1\"]",
        "[]",
        "[1",
    ] {
        assert_eq!(number(text), None, "{text}");
    }
}

#[test]
fn texts_are_what_they_stand_for() {
    let text = |text: &'static str| Elements::new(text).and_then(|mut elements| elements.text()).ok();
    assert_eq!(text(r#"["plain é"]"#).as_deref(), Some("plain é"));
    assert_eq!(text(r#"["a\n\"\u00e9"]"#).as_deref(), Some("a\n\"é"));
    for broken in ["[1]", "[null]", r#"["\ud800"]"#, "[\"a", "[\"a\"", "[]"] {
        assert_eq!(text(broken), None, "{broken}");
    }
}
