//! Percent-encoding of paths and of `application/x-www-form-urlencoded` text.

use std::borrow::Cow;

/// Where the text stands: in a form, `+` is a space.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Form,
    Path,
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// Decodes `%XX`. `None` when the result is not UTF-8 or an escape is cut short: what was meant
/// cannot be known then.
pub fn decode(text: &str, place: Place) -> Option<Cow<'_, str>> {
    let special = |byte: &u8| *byte == b'%' || (*byte == b'+' && place == Place::Form);
    let bytes = text.as_bytes();
    let Some(first) = bytes.iter().position(special) else {
        return Some(Cow::Borrowed(text));
    };
    let mut out = Vec::with_capacity(bytes.len());
    let (head, mut rest) = bytes.split_at_checked(first)?;
    out.extend_from_slice(head);
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'%' => {
                let (high, low) = (hex(*rest.first()?)?, hex(*rest.get(1)?)?);
                out.push(high << 4 | low);
                rest = rest.get(2..)?;
            }
            b'+' if place == Place::Form => out.push(b' '),
            other => out.push(*other),
        }
    }
    String::from_utf8(out).ok().map(Cow::Owned)
}

/// Encodes every byte but those that RFC 3986, section 2.3, leaves alone and those of `plain`.
#[must_use]
pub fn encode(text: &str, plain: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('0', char::from);
    let mut out = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        let unreserved = byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
        if unreserved || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes() {
        let text = "{\"a\": \"~é/*\"}";
        assert_eq!(encode(text, b""), "%7B%22a%22%3A%20%22~%C3%A9%2F%2A%22%7D");
        assert_eq!(encode("/tmp/a b#é.json", b"/"), "/tmp/a%20b%23%C3%A9.json");
        assert_eq!(encode("Az09-_.~", b""), "Az09-_.~");
    }

    #[test]
    fn decodes() {
        let cases = [
            ("plain", Place::Form, Some("plain")),
            ("a+b%20c", Place::Form, Some("a b c")),
            ("a+b%20c", Place::Path, Some("a+b c")),
            ("%C3%A9", Place::Path, Some("é")),
            ("%c3", Place::Path, None),
            ("%2", Place::Path, None),
            ("%zz", Place::Form, None),
        ];
        for (text, place, expected) in cases {
            assert_eq!(decode(text, place).as_deref(), expected, "{text}");
        }
    }
}
