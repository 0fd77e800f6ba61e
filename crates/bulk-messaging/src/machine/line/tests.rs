//! The line beside a plain map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Head, Line};

/// Heads come with the next order or with one that was skipped, and leave from anywhere.
#[derive(Clone, Copy, Debug)]
enum Step {
    Young,
    Late(usize),
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Young),
        1 => any::<usize>().prop_map(Step::Late),
        // From near the front, as most do, and from anywhere.
        2 => (0usize..8).prop_map(Step::Remove),
        2 => any::<usize>().prop_map(Step::Remove),
    ];
    // In the end most leave from the middle, and holes outnumber heads.
    let removals = prop::collection::vec(any::<usize>().prop_map(Step::Remove), 0..1_000);
    (prop::collection::vec(step, 1..1_500), removals).prop_map(|(steps, removals)| [steps, removals].concat())
}

fn head(order: u64) -> Head {
    Head { order, topic: order as u32, cost: 1 }
}

fn shown(line: &Line, count: usize) -> (Vec<Head>, bool) {
    let mut heads = Vec::new();
    let more = line.look(count, |head| heads.push(head));
    (heads, more)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_line_shows_what_a_map_by_order_would(steps in steps(), count in 0usize..200) {
        let (mut line, mut model) = (Line::default(), BTreeMap::new());
        let (mut next, mut skipped) = (0, Vec::new());
        for step in steps {
            match step {
                Step::Young => {
                    skipped.push(next);
                    next += 2;
                    line.insert(head(next - 1));
                    model.insert(next - 1, head(next - 1));
                }
                Step::Late(at) if !skipped.is_empty() => {
                    let order = skipped.swap_remove(at % skipped.len());
                    line.insert(head(order));
                    model.insert(order, head(order));
                }
                Step::Remove(at) if !model.is_empty() => {
                    let order = *model.keys().nth(at % model.len()).expect("it has so many");
                    line.remove(order);
                    model.remove(&order);
                }
                Step::Late(_) | Step::Remove(_) => {}
            }
            prop_assert_eq!((line.len(), line.is_empty()), (model.len(), model.is_empty()));
            prop_assert_eq!(line.first(), model.values().next().copied());
            // Closed when there are more of them than of heads.
            prop_assert!(line.holes <= line.recent.len() / 2);
        }
        for count in [count, 1, 32, usize::MAX] {
            let expected: Vec<Head> = model.values().take(count).copied().collect();
            prop_assert_eq!(shown(&line, count), (expected, model.len() > count));
        }
    }
}
