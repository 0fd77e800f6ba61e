//! The header of a `Compact` frame, and the numbers in it.

use std::sync::Arc;

use super::super::{Header, MAX_INCARNATION, MAX_SEQUENCE, WireError, check_sender};

/// The first byte: version 1. No text in UTF-8 has it.
const VERSION: u8 = 0xC1;

/// The first bytes that other versions may have.
const VERSIONS: std::ops::RangeInclusive<u8> = 0xC0..=0xCF;

/// A flag: this is a head.
const HEAD: u8 = 1;

/// A flag: messages are coded by prediction.
const DENSE: u8 = 2;

/// The longest header: version, flags, sender with its length, incarnation, lane, sequence, pending.
pub(super) const MAX_LEN: usize = 2 + 33 + 8 + 3 + 8 + 1;

/// Appends a header.
pub(super) fn write(header: &Header, dense: bool, out: &mut Vec<u8>) {
    let flags = if header.head { HEAD } else { 0 } | if dense { DENSE } else { 0 };
    out.extend_from_slice(&[VERSION, flags, header.sender.len() as u8]);
    out.extend_from_slice(header.sender.as_bytes());
    write_varint(header.incarnation, out);
    write_varint(header.lane.into(), out);
    write_varint(header.sequence, out);
    write_varint(header.pending, out);
}

/// Takes a header from the front, and says whether what follows is dense.
pub(super) fn read(reader: &mut Reader<'_>) -> Result<(Header, bool), WireError> {
    match reader.byte() {
        Some(VERSION) => read_rest(reader).ok_or(WireError::Header),
        Some(version) if VERSIONS.contains(&version) => Err(WireError::Version),
        _ => Err(WireError::NotAFrame),
    }
}

fn read_rest(reader: &mut Reader<'_>) -> Option<(Header, bool)> {
    let flags = reader.byte().filter(|flags| flags & !(HEAD | DENSE) == 0)?;
    let len = reader.byte()?;
    let sender = std::str::from_utf8(reader.take(len.into())?).ok().filter(|sender| check_sender(sender))?;
    let incarnation = reader.varint().filter(|&incarnation| incarnation <= MAX_INCARNATION)?;
    let lane = u16::try_from(reader.varint()?).ok()?;
    let sequence = reader.varint().filter(|&sequence| (1..=MAX_SEQUENCE).contains(&sequence))?;
    let pending = reader.varint().filter(|&pending| pending < sequence)?;
    let head = flags & HEAD != 0;
    if head && (pending > 0 || !reader.rest().is_empty()) {
        return None;
    }
    let sender = Arc::from(sender);
    Some((Header { sender, incarnation, lane, sequence, pending, head }, flags & DENSE != 0))
}

/// Appends a number, seven bits a byte, lowest first; the high bit of a byte says that another follows.
pub(super) fn write_varint(mut number: u64, out: &mut Vec<u8>) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// How many bytes a number takes.
pub(super) const fn varint_len(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

/// Takes bytes from the front; `None` where there are too few.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    /// A number in its shortest form, below 2⁵⁶.
    pub(super) fn varint(&mut self) -> Option<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Some(first.into());
        }
        let mut number = u64::from(first & 0x7f);
        for shift in (7..56).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (byte > 0).then_some(number);
            }
        }
        None
    }

    /// A number of bytes or messages.
    pub(super) fn size(&mut self) -> Option<usize> {
        usize::try_from(self.varint()?).ok()
    }
}
