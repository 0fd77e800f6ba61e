//! Bytes as text: four in five characters, none of which any JSON writer escapes.

/// The digits 0 to 84. Besides what RFC 8259 escapes it leaves out `/ & < > '`, which some JSON writers escape too.
const DIGITS: &[u8; 85] =
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%()*+,-.:;=?@[]^_{|}";

/// The value of each character; 255 for what is no digit.
const VALUES: [u8; 256] = {
    let mut values = [255; 256];
    let mut digit = 0;
    while digit < DIGITS.len() {
        values[DIGITS[digit] as usize] = digit as u8;
        digit += 1;
    }
    values
};

/// How many characters so many bytes become.
pub(super) const fn encoded_len(bytes: usize) -> usize {
    let rest = bytes % 4;
    bytes / 4 * 5 + if rest > 0 { rest + 1 } else { 0 }
}

/// How many bytes fit into so many characters.
pub(super) const fn decoded_len(chars: usize) -> usize {
    chars / 5 * 4 + (chars % 5).saturating_sub(1)
}

/// Appends the text of these bytes. A last group of n bytes, filled up with zeros, is cut to n + 1 characters.
pub(super) fn encode(bytes: &[u8], out: &mut Vec<u8>) {
    let (groups, rest) = bytes.as_chunks::<4>();
    groups.iter().for_each(|&group| out.extend_from_slice(&digits(group)));
    if !rest.is_empty() {
        let mut group = [0; 4];
        group[..rest.len()].copy_from_slice(rest);
        out.extend_from_slice(&digits(group)[..=rest.len()]);
    }
}

fn digits(group: [u8; 4]) -> [u8; 5] {
    let mut number = u32::from_be_bytes(group);
    let mut digits = [0; 5];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 85) as usize];
        number /= 85;
    }
    digits
}

/// The bytes of a text; `None` where it is not what [`encode`] writes. Each text has one reading and each sequence of
/// bytes one text.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let (groups, rest) = text.as_chunks::<5>();
    let mut bytes = Vec::with_capacity(decoded_len(text.len()));
    for group in groups {
        bytes.extend_from_slice(&number(group)?.to_be_bytes());
    }
    if !rest.is_empty() {
        // The last group was cut: what is missing were the digits of bytes that are zero.
        let mut group = [DIGITS[84]; 5];
        group[..rest.len()].copy_from_slice(rest);
        let kept = rest.len() - 1;
        let number = number(&group)?.to_be_bytes();
        let mut canonical = [0; 4];
        canonical[..kept].copy_from_slice(&number[..kept]);
        if kept == 0 || digits(canonical)[..rest.len()] != *rest {
            return None;
        }
        bytes.extend_from_slice(&number[..kept]);
    }
    Some(bytes)
}

fn number(group: &[u8; 5]) -> Option<u32> {
    let mut number = 0_u64;
    for &char in group {
        let value = VALUES[usize::from(char)];
        if value == 255 {
            return None;
        }
        number = number * 85 + u64::from(value);
    }
    u32::try_from(number).ok()
}
