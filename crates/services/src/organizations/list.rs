//! Pages of Organizations' lists: twenty items unless `MaxResults` asks for fewer.

use crate::context::Context;
use crate::page::{self, Page};
use crate::table::Table;
use palisade_model::organizations::INVALID_INPUT_EXCEPTION;
use palisade_shape::Result;

const USUAL: usize = 20;
/// Rows that one call looks at, so that a rare filter costs no call more than this. As in AWS, a
/// page may be empty and have a next one.
const MOST_LOOKED_AT: usize = 2_048;

fn size(max_results: Option<i32>) -> usize {
    max_results.and_then(|items| usize::try_from(items).ok()).filter(|n| *n > 0).unwrap_or(USUAL)
}

fn start(token: Option<&str>) -> Result<Option<String>> {
    page::start(token, &INVALID_INPUT_EXCEPTION).map_err(|error| {
        let text = "You provided an invalid NextToken.";
        error.code.because(text).with("Reason", "INVALID_NEXT_TOKEN")
    })
}

/// The page of the records under `prefix`, made into what is listed of them.
pub fn page<T, U>(
    cx: &mut Context,
    table: &Table<T>,
    prefix: &str,
    (token, max_results): (Option<String>, Option<i32>),
    mut shown: impl FnMut(&mut Context, T) -> Result<Option<U>>,
) -> Result<Page<U>> {
    let size = size(max_results);
    let mut after = start(token.as_deref())?;
    let mut items = Vec::new();
    let mut looked_at = 0;
    loop {
        let rows = cx.scan(table, prefix, after.as_deref(), size + 1)?;
        let last = rows.len() <= size;
        for (key, row) in rows {
            if items.len() == size || looked_at == MOST_LOOKED_AT {
                let next = after.as_deref().map(page::marker);
                return Ok(Page { items, next });
            }
            looked_at += 1;
            items.extend(shown(cx, row)?);
            after = Some(key);
        }
        if last {
            return Ok(Page { items, next: None });
        }
    }
}

/// The page of a short list that is in memory already, by its places.
pub fn of_items<T>(
    items: Vec<T>,
    (token, max_results): (Option<String>, Option<i32>),
) -> Result<Page<T>> {
    let begin = match start(token.as_deref())?.map(|place| place.parse::<usize>()) {
        None => 0,
        Some(Ok(place)) => place + 1,
        Some(Err(_)) => {
            let text = "You provided an invalid NextToken.";
            return Err(super::refusal::invalid("INVALID_NEXT_TOKEN", text));
        }
    };
    let size = size(max_results);
    let rest = items.into_iter().enumerate().skip(begin).take(size + 1);
    Ok(page::cut(rest.map(|(place, item)| (place.to_string(), item)).collect(), size))
}
