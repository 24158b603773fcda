//! Pages of KMS's lists.

use crate::context::Context;
use crate::page::{self, Page};
use crate::table::Table;
use palisade_model::kms::INVALID_MARKER_EXCEPTION;
use palisade_shape::Result;

/// How many items a page has: unless the call says otherwise, and at most.
#[derive(Clone, Copy)]
pub struct Sizes {
    default: usize,
    most: usize,
}

/// Keys, policies and rotations.
pub const LONG: Sizes = Sizes { default: 100, most: 1000 };
/// Aliases and grants.
pub const SHORT: Sizes = Sizes { default: 50, most: 100 };
/// Tags.
pub const TAGS: Sizes = Sizes { default: 50, most: 50 };

impl Sizes {
    pub fn of(self, limit: Option<i32>) -> usize {
        let wanted = limit.and_then(|limit| usize::try_from(limit).ok());
        wanted.unwrap_or(self.default).clamp(1, self.most)
    }
}

/// One page of the records whose keys begin with `prefix`.
pub fn page<T>(
    cx: &Context,
    table: &Table<T>,
    prefix: &str,
    marker: Option<&str>,
    limit: Option<i32>,
    sizes: Sizes,
) -> Result<Page<T>> {
    let after = page::start(marker, &INVALID_MARKER_EXCEPTION)?;
    let size = sizes.of(limit);
    Ok(page::cut(cx.scan(table, prefix, after.as_deref(), size + 1)?, size))
}

/// One page of what is there already, each with the key that orders it.
pub fn page_of<T>(
    mut rows: Vec<(String, T)>,
    marker: Option<&str>,
    limit: Option<i32>,
    sizes: Sizes,
) -> Result<Page<T>> {
    if let Some(after) = page::start(marker, &INVALID_MARKER_EXCEPTION)? {
        rows.retain(|(key, _)| *key > after);
    }
    Ok(page::cut(rows, sizes.of(limit)))
}
