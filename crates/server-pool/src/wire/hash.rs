//! Hashes that every server computes alike.

/// FNV-1a, 64 bits, of a text. (Fowler, Noll, Vo; draft-eastlake-fnv.)
pub(crate) fn text_hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// What a live entry adds to the hash of its log. The version stands for the value, since a log gives each
/// version once. Sums of it do not depend on order; the finalizer of SplitMix64 keeps similar entries from
/// cancelling out. (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.)
pub(crate) fn entry_hash(key: &str, version: u64) -> u32 {
    (mix(text_hash(key), version) >> 32) as u32
}

/// What a server adds to a sum over servers: its life, and what of its log is known up to a version.
pub(crate) fn digest(server: &str, incarnation: u64, version: u64, hash: u32) -> u64 {
    [incarnation, version, hash.into()].into_iter().fold(text_hash(server), mix)
}

const fn mix(hash: u64, number: u64) -> u64 {
    let mut mixed = hash ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
