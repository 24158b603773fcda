//! Tags of IAM resources: the generated shape to and from the rules that all services share.

use super::quota;
use crate::tags::{self, TagList, TagRules};
use palisade_model::iam::{INVALID_INPUT, LIMIT_EXCEEDED, Tag};
use palisade_shape::Result;

/// What IAM answers to each misuse.
pub static RULES: TagRules =
    TagRules { most: quota::TAGS, invalid: &INVALID_INPUT, too_many: &LIMIT_EXCEEDED };

/// As pairs, in their order.
pub fn pairs(tags: Option<&[Tag]>) -> TagList {
    let tags = tags.unwrap_or_default();
    tags.iter().map(|tag| (tag.key.clone(), tag.value.clone())).collect()
}

/// As the generated shape; none when there are none.
pub fn shapes(tags: TagList) -> Option<Vec<Tag>> {
    let tags: Vec<Tag> = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    if tags.is_empty() { None } else { Some(tags) }
}

/// The tags of a new resource, checked.
pub fn given(tags: Option<Vec<Tag>>) -> Result<Option<Vec<Tag>>> {
    let tags = pairs(tags.as_deref());
    tags::check(&tags, &RULES)?;
    Ok(shapes(tags))
}

/// `old` with `new` over it.
pub fn merged(old: Option<Vec<Tag>>, new: Vec<Tag>) -> Result<Option<Vec<Tag>>> {
    let merged = tags::merge(pairs(old.as_deref()), pairs(Some(&new)), &RULES)?;
    Ok(shapes(merged))
}

/// `old` without `keys`.
pub fn without(old: Option<Vec<Tag>>, keys: &[String]) -> Option<Vec<Tag>> {
    shapes(tags::without(pairs(old.as_deref()), keys))
}

/// The tags as list operations show them: by key.
pub fn sorted(tags: Option<Vec<Tag>>) -> Vec<Tag> {
    let mut tags = tags.unwrap_or_default();
    tags.sort_by(|one, other| one.key.cmp(&other.key));
    tags
}
