//! Which lane an inner topic has.

/// The lane of an inner topic among so many: the FNV-1a hash of its name, modulo their number.
///
/// It depends on nothing else, so a topic keeps its lane for as long as the number of lanes stays. Source of the hash:
/// Fowler, Noll and Vo, *FNV-1a*, 64 bits.
pub(crate) fn lane_of(topic: &str, lanes: usize) -> usize {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0000_0100_0000_01b3;
    if lanes == 1 {
        return 0;
    }
    let hash = topic.bytes().fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME));
    // The remainder is below the number of lanes, which is a usize.
    (hash % lanes as u64) as usize
}
