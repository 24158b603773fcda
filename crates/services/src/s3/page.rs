//! One page of a listing: keys in order, those with a common prefix rolled up into it. A prefix is
//! skipped by seeking behind it, so a page costs the same however many keys stand in one.

use palisade_shape::Result;

/// What a listing asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted<'a> {
    pub prefix: &'a str,
    /// Empty: none.
    pub delimiter: &'a str,
    /// Keys and common prefixes up to this one were listed already.
    pub after: &'a str,
    pub size: usize,
}

/// What was found.
#[derive(Debug)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub prefixes: Vec<String>,
    pub truncated: bool,
    /// The key of the last item, or the last common prefix, whichever is later.
    pub last: Option<String>,
}

/// A row: where the next fetch goes on, its key, and what it is.
pub struct Row<T> {
    pub cursor: String,
    pub key: String,
    pub item: T,
}

/// Behind all keys that begin with a common prefix. A key may go on with this character itself:
/// its prefix is then met again, and known.
const BEHIND: char = char::MAX;

/// Lists one page. `fetch` answers up to so many rows behind a cursor, by key.
pub fn page<T>(
    wanted: &Wanted<'_>,
    start: Option<String>,
    mut fetch: impl FnMut(Option<&str>, usize) -> Result<Vec<Row<T>>>,
) -> Result<Page<T>> {
    let mut page = Page { items: Vec::new(), prefixes: Vec::new(), truncated: false, last: None };
    if wanted.size == 0 {
        return Ok(page);
    }
    let mut cursor = start;
    if let Some(rolled) = common_prefix(wanted, wanted.after)
        && rolled == wanted.after
    {
        cursor = Some(behind(rolled));
    }
    let mut batch = wanted.size + 1;
    loop {
        let rows = fetch(cursor.as_deref(), batch)?;
        let full = rows.len() == batch;
        let mut sought = false;
        for row in rows {
            let rolled = common_prefix(wanted, &row.key);
            if let Some(prefix) = rolled
                && (page.prefixes.last().is_some_and(|last| last == prefix)
                    || prefix == wanted.after)
            {
                // A key may lie behind even that: then one row is gone past at a time.
                cursor = Some(behind(prefix).max(row.cursor));
                sought = true;
                break;
            }
            if page.items.len() + page.prefixes.len() == wanted.size {
                page.truncated = true;
                return Ok(page);
            }
            match rolled {
                Some(prefix) => {
                    page.last = Some(prefix.to_owned());
                    page.prefixes.push(prefix.to_owned());
                    cursor = Some(behind(prefix));
                    sought = true;
                    break;
                }
                None => {
                    page.last = Some(row.key);
                    cursor = Some(row.cursor);
                    page.items.push(row.item);
                }
            }
        }
        if !sought && !full {
            return Ok(page);
        }
        // Behind a common prefix the next one is likely: do not read what is thrown away.
        batch = if sought { 2 } else { (batch * 8).min(wanted.size + 1) };
    }
}

fn behind(prefix: &str) -> String {
    format!("{prefix}{BEHIND}")
}

/// The common prefix that a key is rolled up into, delimiter included.
fn common_prefix<'k>(wanted: &Wanted<'_>, key: &'k str) -> Option<&'k str> {
    if wanted.delimiter.is_empty() {
        return None;
    }
    let rest = key.strip_prefix(wanted.prefix)?;
    let at = rest.find(wanted.delimiter)?;
    key.get(..wanted.prefix.len() + at + wanted.delimiter.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn list(keys: &BTreeSet<String>, wanted: &Wanted<'_>) -> Page<String> {
        let start = Some(wanted.after.to_owned()).filter(|after| !after.is_empty());
        page(wanted, start, |after, limit| {
            let rows = keys.iter().filter(|key| key.starts_with(wanted.prefix));
            let rows = rows.filter(|key| after.is_none_or(|after| key.as_str() > after));
            let row =
                |key: &String| Row { cursor: key.clone(), key: key.clone(), item: key.clone() };
            Ok(rows.take(limit).map(row).collect())
        })
        .unwrap()
    }

    proptest! {
        #[test]
        fn pages_together_are_the_plain_list(
            keys in prop::collection::btree_set("[ab/\u{10ffff}]{1,5}", 0..40),
            prefix in "[ab/]{0,2}", delimiter in "(/|b|)", size in 1_usize..5,
        ) {
            let mut expected = BTreeSet::new();
            for key in keys.iter().filter(|key| key.starts_with(&prefix)) {
                let wanted = Wanted { prefix: &prefix, delimiter: &delimiter, ..Wanted::default() };
                expected.insert(common_prefix(&wanted, key).unwrap_or(key).to_owned());
            }
            let (mut found, mut after) = (Vec::new(), String::new());
            loop {
                let wanted =
                    Wanted { prefix: &prefix, delimiter: &delimiter, after: &after, size };
                let page = list(&keys, &wanted);
                let mut these = [page.items, page.prefixes].concat();
                these.sort();
                prop_assert!(these.len() <= size);
                found.extend(these);
                if !page.truncated {
                    break;
                }
                after = page.last.unwrap();
            }
            prop_assert_eq!(found, expected.into_iter().collect::<Vec<_>>());
        }
    }
}
