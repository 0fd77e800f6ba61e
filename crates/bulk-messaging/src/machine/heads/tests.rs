//! When the first head follows a frame.

use std::time::Duration;

use transport_traits::Instant;

use super::Heads;

/// How long after the last of frames that are so far apart, ms, the first head is due, ms.
fn first_wait(between: &[u64]) -> u128 {
    let (mut heads, mut now) = (Heads::default(), Instant::default());
    heads.restart(now);
    for &wait in between {
        now += Duration::from_millis(wait);
        heads.restart(now);
    }
    heads.due().expect("a frame was sent").since(now).as_millis()
}

#[test]
fn after_few_or_uneven_frames_the_first_head_is_due_after_a_second() {
    let cases: [&[u64]; 9] = [
        &[],
        &[3_900],
        &[3_900, 3_900],
        &[2_000, 2_000, 1_000],
        &[2_000, 2_000, 2_000, 3_000],
        &[2_000, 500, 2_000, 500],
        &[4_001, 4_001, 4_001, 4_001],
        // One longer pause, and it counts anew.
        &[2_000, 2_000, 2_000, 2_000, 9_000, 2_000, 2_000],
        // Too quick for a head in between anyhow.
        &[300, 300, 300, 300],
    ];
    for case in cases {
        assert_eq!(first_wait(case), 1_000, "{case:?}");
    }
}

#[test]
fn after_three_even_waits_the_first_head_is_due_half_as_long_again_as_they_were() {
    assert_eq!(first_wait(&[2_000, 2_000, 2_000]), 3_000);
    assert_eq!(first_wait(&[300, 9_000, 4_000, 4_000, 4_000]), 6_000);
    assert_eq!(first_wait(&[3_000, 1_000, 1_000, 1_000]), 1_500);
    // Heartbeats are a little uneven: the longest of them counts, and fades.
    assert_eq!(first_wait(&[1_800, 2_200, 1_900]), 3_300 * 7 / 8);
    assert_eq!(first_wait(&[1_800, 1_900, 2_200]), 3_300);
}
