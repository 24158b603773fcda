//! Pagination with opaque markers, the same for every list operation.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_shape::{ErrorCode, Result};

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Hand this back to get the next page; none on the last one.
    pub next: Option<String>,
}

/// The key that a marker stands for: the last one of the page before.
pub fn start(marker: Option<&str>, invalid: &'static ErrorCode) -> Result<Option<String>> {
    let Some(marker) = marker else { return Ok(None) };
    let decoded = URL_SAFE_NO_PAD.decode(marker).ok();
    match decoded.and_then(|bytes| String::from_utf8(bytes).ok()) {
        Some(key) => Ok(Some(key)),
        None => Err(invalid.because(format!("Invalid Marker: {marker}"))),
    }
}

/// The marker that stands for a key.
pub fn marker(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// Cuts one page from rows read with a limit of `size + 1`.
pub fn cut<T>(mut rows: Vec<(String, T)>, size: usize) -> Page<T> {
    let more = rows.len() > size;
    rows.truncate(size);
    let last = rows.last().map(|(key, _)| marker(key));
    let next = if more { last } else { None };
    Page { items: rows.into_iter().map(|(_, row)| row).collect(), next }
}

#[cfg(test)]
mod tests {
    use super::*;

    static INVALID: ErrorCode = ErrorCode::plain("InvalidInput", 400);

    #[test]
    fn a_marker_leads_to_the_key_it_was_cut_after() {
        let rows = vec![("a".into(), 1), ("b/é".into(), 2), ("c".into(), 3)];
        let page = cut(rows, 2);
        assert_eq!(page.items, [1, 2]);
        let after = start(page.next.as_deref(), &INVALID).unwrap();
        assert_eq!(after.as_deref(), Some("b/é"));
        assert_eq!(cut(vec![("c".into(), 3)], 2).next, None);
        assert!(start(Some("not a marker!"), &INVALID).is_err());
    }
}
