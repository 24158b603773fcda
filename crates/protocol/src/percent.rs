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

#[cfg(test)]
mod tests {
    use super::*;

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
