//! Frames of the `Nexus` format without a header, as the original writes them.

use bytes::Bytes;

use super::nexus::write_groups;

/// What such a frame has beside its groups: the braces, less the comma before the first group.
pub(crate) const PLAIN_FIXED: usize = 1;

/// Writes a frame: every group as its opening, its messages and a closing bracket. There is at least one.
pub(crate) fn encode_plain<'a, M>(groups: impl Iterator<Item = (&'a str, M)>, size: usize) -> Bytes
where
    M: Iterator<Item = &'a [u8]>,
{
    let mut out = Vec::with_capacity(size);
    write_groups(groups, &mut out);
    // Openings begin with a comma, and the first one stands where the frame begins.
    assert_eq!(out.first(), Some(&b','), "a frame has a group");
    out[0] = b'{';
    out.push(b'}');
    out.into()
}
