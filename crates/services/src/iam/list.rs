//! Pages of IAM lists: markers, page sizes, path prefixes.
//!
//! Source: IAM API reference, ListUsers and its like: 100 items a page unless `MaxItems` says
//! otherwise, and "IAM might return fewer than the MaxItems number of results, even when there are
//! more results available".

use crate::context::Context;
use crate::errors::VALIDATION_ERROR;
use crate::page::{self, Page};
use crate::table::Table;
use palisade_shape::Result;

/// Items of a page without `MaxItems`.
const USUAL: usize = 100;
/// Rows read at a time while looking for those that a path prefix keeps.
const CHUNK: usize = 512;
/// Rows that one call looks at, so that a rare path costs no call more than this.
const MOST_LOOKED_AT: usize = 8192;

/// The size of a page.
pub fn size(max_items: Option<i32>) -> usize {
    max_items.and_then(|items| usize::try_from(items).ok()).filter(|n| *n > 0).unwrap_or(USUAL)
}

/// The key that a marker stands for.
pub fn start(marker: Option<&str>) -> Result<Option<String>> {
    page::start(marker, &VALIDATION_ERROR)
}

/// The page of the records under `prefix` that `keep` takes.
pub fn page<T>(
    cx: &Context,
    table: &Table<T>,
    prefix: &str,
    marker: Option<&str>,
    max_items: Option<i32>,
    keep: impl Fn(&T) -> bool,
) -> Result<Page<T>> {
    let size = size(max_items);
    let mut after = start(marker)?;
    let mut kept = Vec::new();
    let mut looked_at = 0;
    while looked_at < MOST_LOOKED_AT {
        let want = if looked_at == 0 { size + 1 } else { CHUNK };
        let rows = cx.scan(table, prefix, after.as_deref(), want)?;
        let last = rows.len() < want;
        looked_at += rows.len();
        after = rows.last().map(|(key, _)| key.clone()).or(after);
        kept.extend(rows.into_iter().filter(|(_, record)| keep(record)));
        if last || kept.len() > size {
            return Ok(page::cut(kept, size));
        }
    }
    // Enough was read for one call: go on from the last row looked at, kept or not.
    let next = after.as_deref().map(page::marker);
    Ok(Page { items: kept.into_iter().map(|(_, record)| record).collect(), next })
}

/// The page of a short list that is in memory already, by its places.
pub fn of_items<T>(items: Vec<T>, marker: Option<&str>, max_items: Option<i32>) -> Result<Page<T>> {
    let start = start(marker)?;
    let start = match start.as_deref().map(str::parse::<usize>) {
        None => 0,
        Some(Ok(place)) => place + 1,
        Some(Err(_)) => {
            let marker = marker.unwrap_or_default();
            return Err(VALIDATION_ERROR.because(format!("Invalid Marker: {marker}")));
        }
    };
    let size = size(max_items);
    let rest = items.into_iter().enumerate().skip(start).take(size + 1);
    Ok(page::cut(rest.map(|(place, item)| (place.to_string(), item)).collect(), size))
}

/// Whether a path is under the prefix of a list call.
pub fn under(path: &str, prefix: Option<&str>) -> bool {
    prefix.is_none_or(|prefix| path.starts_with(prefix))
}
