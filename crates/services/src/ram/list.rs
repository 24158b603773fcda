//! Pages of RAM's lists: all items are at hand, in the order of their keys.

use crate::page::{self, Page};
use palisade_model::ram::INVALID_NEXT_TOKEN_EXCEPTION;
use palisade_shape::Result;

/// Items of a page unless `maxResults` asks for another number.
const USUAL: usize = 100;

/// The page that begins after the token's key.
pub fn page<T>(
    mut items: Vec<(String, T)>,
    (token, max_results): (Option<String>, Option<i32>),
) -> Result<Page<T>> {
    let invalid =
        || INVALID_NEXT_TOKEN_EXCEPTION.because("The specified value for NextToken is not valid.");
    let after = page::start(token.as_deref(), &INVALID_NEXT_TOKEN_EXCEPTION);
    let after = after.map_err(|_| invalid())?;
    let size = max_results.and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0);
    let size = size.unwrap_or(USUAL);
    items.sort_by(|(one, _), (other, _)| one.cmp(other));
    let rest = items.into_iter().filter(|(key, _)| after.as_ref().is_none_or(|after| key > after));
    Ok(page::cut(rest.take(size + 1).collect(), size))
}
