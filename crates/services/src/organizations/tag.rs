//! Tags of accounts, units, the root, policies, the resource policy and transfers. Keys are told
//! apart by case here, other than in IAM.

use super::organization::Organization;
use super::refusal::{constraint, invalid, no_target};
use super::{list, node, policy, resource_policy, responsibility_transfer};
use crate::context::Context;
use palisade_model::organizations::{
    ListTagsForResourceRequest, ListTagsForResourceResponse, Tag, TagResourceRequest,
    UntagResourceRequest,
};
use palisade_shape::{Nothing, Result};
use std::collections::BTreeMap;

/// Tags on one resource.
const MOST: usize = 50;

pub type TagMap = BTreeMap<String, String>;

/// `old` with `new` over it.
pub fn merged(old: TagMap, new: Vec<Tag>) -> Result<TagMap> {
    let mut given = TagMap::new();
    for Tag { key, value } in new {
        if key.to_lowercase().starts_with("aws:") {
            let text = "You can't add, edit, or delete system tag keys because they're reserved \
                        for AWS use.";
            return Err(invalid("INVALID_SYSTEM_TAGS_PARAMETER", text));
        }
        if given.insert(key, value).is_some() {
            let text = "Tag keys must be unique among the tags attached to the same entity.";
            return Err(invalid("DUPLICATE_TAG_KEY", text));
        }
    }
    let mut merged = old;
    merged.extend(given);
    if merged.len() > MOST {
        let text = "You have exceeded the number of tags allowed on this resource.";
        return Err(constraint("MAX_TAG_LIMIT_EXCEEDED", text));
    }
    Ok(merged)
}

/// The tags of a new resource, checked.
pub fn given(tags: Option<Vec<Tag>>) -> Result<TagMap> {
    merged(TagMap::new(), tags.unwrap_or_default())
}

fn without(mut tags: TagMap, keys: &[String]) -> TagMap {
    tags.retain(|key, _| !keys.contains(key));
    tags
}

/// The tags of a resource by its id; none if there is no such resource.
pub fn of(cx: &mut Context, organization: &Organization, id: &str) -> Result<Option<TagMap>> {
    Ok(match id {
        _ if id.starts_with("p-") => policy::stored(cx, id)?.map(|policy| policy.tags),
        _ if id.starts_with("rp-") => {
            resource_policy::stored(cx)?.filter(|policy| policy.id == id).map(|policy| policy.tags)
        }
        _ if id.starts_with("rt-") => responsibility_transfer::tags(cx, organization, id)?,
        _ => node::find(cx, id)?.map(|node| node.tags),
    })
}

/// Changes the tags of a resource.
fn change(
    cx: &mut Context,
    organization: &Organization,
    id: &str,
    to: impl FnOnce(TagMap) -> Result<TagMap>,
) -> Result<()> {
    let tags = to(of(cx, organization, id)?.ok_or_else(no_target)?)?;
    match id {
        _ if id.starts_with("p-") => policy::set_tags(cx, id, tags),
        _ if id.starts_with("rp-") => resource_policy::set_tags(cx, tags),
        _ if id.starts_with("rt-") => responsibility_transfer::set_tags(cx, organization, id, tags),
        _ => {
            let mut node = node::target(cx, id)?;
            node.tags = tags;
            cx.put(&node::NODES, &node)
        }
    }
}

/// Adds tags to a resource; a key that is there gets the new value.
pub fn tag_resource(
    cx: &mut Context,
    organization: &Organization,
    input: TagResourceRequest,
) -> Result<Nothing> {
    let TagResourceRequest { resource_id, tags } = input;
    change(cx, organization, &resource_id, |old| merged(old, tags))?;
    Ok(Nothing)
}

/// Removes tags from a resource; a key that is not there is no error.
pub fn untag_resource(
    cx: &mut Context,
    organization: &Organization,
    input: UntagResourceRequest,
) -> Result<Nothing> {
    let UntagResourceRequest { resource_id, tag_keys } = input;
    change(cx, organization, &resource_id, |old| Ok(without(old, &tag_keys)))?;
    Ok(Nothing)
}

/// Lists a resource's tags, by key.
pub fn list_tags_for_resource(
    cx: &mut Context,
    organization: &Organization,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResponse> {
    let ListTagsForResourceRequest { resource_id, next_token } = input;
    let tags = of(cx, organization, &resource_id)?.ok_or_else(no_target)?;
    let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    // The call has no page size; all tags that may be fit on one page of fifty.
    let page = list::of_items(tags, (next_token, i32::try_from(MOST).ok()))?;
    Ok(ListTagsForResourceResponse { tags: Some(page.items), next_token: page.next })
}
