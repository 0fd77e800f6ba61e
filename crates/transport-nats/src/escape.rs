//! Bytes as a mark and two hexadecimal digits, as in URLs.

use std::fmt::Write;

/// The text with every byte that is not `kept` replaced by `mark` and two digits.
pub(crate) fn escape(text: &str, mark: char, kept: impl Fn(u8) -> bool) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        if kept(byte) {
            escaped.push(byte.into());
        } else {
            write!(escaped, "{mark}{byte:02X}").expect("a string takes everything");
        }
    }
    escaped
}

/// The text that was escaped; `None` if that makes no text.
pub(crate) fn unescape(escaped: &str, mark: char) -> Option<String> {
    let mut parts = escaped.split(mark);
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let digits = part.get(..2).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    String::from_utf8(bytes).ok()
}
