//! Tags of keys.
//!
//! Source: AWS KMS API reference, TagResource and its like; Developer Guide, "Tags in AWS KMS".

use super::key::{self, Key};
use super::{key_id, list};
use crate::context::Context;
use palisade_model::kms::{
    LIMIT_EXCEEDED_EXCEPTION, ListResourceTagsRequest, ListResourceTagsResponse, TAG_EXCEPTION,
    Tag, TagResourceRequest, UntagResourceRequest,
};
use palisade_shape::{Nothing, Result};
use std::collections::BTreeMap;

const TAGS_MAX: usize = 50;

/// Tags by key: KMS tells keys apart by case.
fn merged(old: &[(String, String)], new: Vec<Tag>) -> Result<Vec<(String, String)>> {
    let mut seen = BTreeMap::new();
    for Tag { tag_key, tag_value } in new {
        if tag_key.to_lowercase().starts_with("aws:") {
            return Err(TAG_EXCEPTION.because("Tags beginning with aws: are reserved"));
        }
        if seen.insert(tag_key, tag_value).is_some() {
            return Err(TAG_EXCEPTION.because("Duplicate tag keys"));
        }
    }
    let mut tags: BTreeMap<String, String> = old.iter().cloned().collect();
    tags.extend(seen);
    if tags.len() > TAGS_MAX {
        return Err(LIMIT_EXCEEDED_EXCEPTION.because("Too many tags"));
    }
    Ok(tags.into_iter().collect())
}

/// The tags of a new key.
pub fn given(tags: Option<Vec<Tag>>) -> Result<Vec<(String, String)>> {
    merged(&[], tags.unwrap_or_default())
}

/// Tags as answers show them.
pub fn shown(tags: &[(String, String)]) -> Vec<Tag> {
    let tag = |(tag_key, tag_value): &(String, String)| Tag {
        tag_key: tag_key.clone(),
        tag_value: tag_value.clone(),
    };
    tags.iter().map(tag).collect()
}

fn load(cx: &mut Context, key_id: &str) -> Result<Key> {
    let key = key_id::load_by_id(cx, key_id)?;
    key.refuse_pending_deletion()?;
    Ok(key)
}

/// Adds tags to a key, or gives those that are there new values.
pub fn tag_resource(cx: &mut Context, input: TagResourceRequest) -> Result<Nothing> {
    let TagResourceRequest { key_id, tags } = input;
    let mut key = load(cx, &key_id)?;
    key.tags = merged(&key.tags, tags)?;
    key::put(cx, &key)?;
    key::touch(cx, &key);
    Ok(Nothing)
}

/// Takes tags away; a key that is not there is no error.
pub fn untag_resource(cx: &mut Context, input: UntagResourceRequest) -> Result<Nothing> {
    let UntagResourceRequest { key_id, tag_keys } = input;
    let mut key = load(cx, &key_id)?;
    key.tags.retain(|(name, _)| !tag_keys.contains(name));
    key::put(cx, &key)?;
    key::touch(cx, &key);
    Ok(Nothing)
}

/// Lists the tags of a key.
pub fn list_resource_tags(
    cx: &mut Context,
    input: ListResourceTagsRequest,
) -> Result<ListResourceTagsResponse> {
    let ListResourceTagsRequest { key_id, limit, marker } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    key::touch(cx, &key);
    let rows = shown(&key.tags).into_iter().map(|tag| (tag.tag_key.clone(), tag)).collect();
    let page = list::page_of(rows, marker.as_deref(), limit, list::TAGS)?;
    Ok(ListResourceTagsResponse {
        truncated: Some(page.next.is_some()),
        next_marker: page.next,
        tags: Some(page.items),
    })
}
