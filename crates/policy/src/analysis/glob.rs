//! Patterns against patterns: `*` and `?` on both sides.

/// Longer texts are not compared: the answer then is the one that finds nothing.
const LENGTH_MAX: usize = 2048;

/// Whether the text has a wildcard that is not escaped as `${*}` or `${?}`.
pub(super) fn has_wildcard(text: &str) -> bool {
    wildcard(text).is_some()
}

/// The byte offset of the first wildcard.
pub(super) fn wildcard(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let escaped = |at: usize| {
        let before = at.checked_sub(2).and_then(|from| bytes.get(from..at));
        before == Some(b"${".as_slice()) && bytes.get(at + 1) == Some(&b'}')
    };
    let mut wildcards = bytes.iter().enumerate().filter(|(_, byte)| matches!(byte, b'*' | b'?'));
    wildcards.find(|(at, _)| !escaped(*at)).map(|(at, _)| at)
}

/// Whether the pattern matches all that the other pattern matches. Never a false yes.
pub(super) fn covers(pattern: &str, other: &str) -> bool {
    let (pattern, other) = (pattern.as_bytes(), other.as_bytes());
    let (mut at, mut from) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while let Some(&byte) = other.get(from) {
        match pattern.get(at) {
            Some(b'*') => {
                back = Some((at, from));
                at += 1;
            }
            Some(b'?') if byte != b'*' => {
                at += 1;
                from += 1;
            }
            Some(&wanted) if wanted == byte => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star, tried)) = back else { return false };
                at = star + 1;
                from = tried + 1;
                back = Some((star, from));
            }
        }
    }
    pattern.get(at..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// Whether some text matches both. Never a false no.
pub(super) fn overlaps(one: &str, other: &str) -> bool {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    if one.len() > LENGTH_MAX || other.len() > LENGTH_MAX {
        return true;
    }
    // reach[j]: the first i bytes of `one` and the first j of `other` have a text in common.
    let mut reach = vec![false; other.len() + 1];
    let stars = other.iter().take_while(|byte| **byte == b'*').count();
    for (index, place) in reach.iter_mut().enumerate() {
        *place = index <= stars;
    }
    for &left in one {
        let mut next = vec![false; other.len() + 1];
        let empty = reach.first() == Some(&true) && left == b'*';
        let mut before = empty;
        if let Some(first) = next.first_mut() {
            *first = empty;
        }
        for (index, &right) in other.iter().enumerate() {
            let straight = reach.get(index) == Some(&true);
            let above = reach.get(index + 1) == Some(&true);
            let meet = left == right || left == b'?' || right == b'?';
            let found = (straight && (meet || left == b'*' || right == b'*'))
                || (above && (left == b'*' || right == b'*'))
                || (before && (left == b'*' || right == b'*'));
            if let Some(place) = next.get_mut(index + 1) {
                *place = found;
            }
            before = found;
        }
        reach = next;
    }
    reach.last() == Some(&true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn covering() {
        for (pattern, other, expected) in [
            ("*", "", true),
            ("s3:Get*", "s3:GetObject", true),
            ("s3:Get*", "s3:Get*", true),
            ("s3:Get*", "s3:*", false),
            ("s3:*", "s3:Get*Acl", true),
            ("a?c", "a?c", true),
            ("a?c", "a*c", false),
            ("a*c", "abcbc", true),
            ("a*c", "abcb", false),
        ] {
            assert_eq!(covers(pattern, other), expected, "{pattern} {other}");
        }
        assert!(has_wildcard("a*") && !has_wildcard("a${*}b${?}") && has_wildcard("${*}*"));
    }

    #[test]
    fn overlapping() {
        for (one, other, expected) in [
            ("", "", true),
            ("", "*", true),
            ("role/*", "*/x", true),
            ("role/*", "user/*", false),
            ("*b", "a?", true),
            ("a", "?*", true),
            ("", "?*", false),
            ("bucket", "?*/?*", false),
            ("bucket*", "?*/?*", true),
        ] {
            assert_eq!(overlaps(one, other), expected, "{one} {other}");
            assert_eq!(overlaps(other, one), expected, "{other} {one}");
        }
    }

    /// The definition, slowly.
    fn matches(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), None) => matches(rest, text),
            (Some((b'*', rest)), Some((_, tail))) => matches(rest, text) || matches(pattern, tail),
            (Some((b'?', rest)), Some((_, tail))) => matches(rest, tail),
            (Some((one, rest)), Some((other, tail))) => one == other && matches(rest, tail),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn agree_with_matching(one in "[ab*?]{0,5}", other in "[ab*?]{0,5}", text in "[ab]{0,5}") {
            let (left, right) = (
                matches(one.as_bytes(), text.as_bytes()),
                matches(other.as_bytes(), text.as_bytes()),
            );
            if left && right {
                prop_assert!(overlaps(&one, &other), "{one} {other} {text}");
            }
            if covers(&one, &other) && right {
                prop_assert!(left, "{one} {other} {text}");
            }
        }
    }
}
