//! Tags of shares and of customer managed permissions. Unlike IAM's, their keys tell upper from
//! lower case.
//!
//! Source: RAM API reference, TagResource, UntagResource, Tag.

use super::arn;
use super::permission::{self, Permission};
use super::share::{self, Share};
use crate::context::Context;
use crate::service::Tags;
use palisade_model::ram::{
    INVALID_PARAMETER_EXCEPTION, RESOURCE_ARN_NOT_FOUND_EXCEPTION, TAG_LIMIT_EXCEEDED_EXCEPTION,
    TAG_POLICY_VIOLATION_EXCEPTION, Tag, TagResourceRequest, TagResourceResponse,
    UNKNOWN_RESOURCE_EXCEPTION, UntagResourceRequest, UntagResourceResponse,
};
use palisade_shape::{Error, ErrorCode, Result};
use std::collections::BTreeSet;

/// Tags of a resource.
const MOST: usize = 50;
const KEY_MAX: usize = 128;
const VALUE_MAX: usize = 256;

/// Which errors an operation has for a reserved key and for too many.
pub struct Codes {
    reserved: &'static ErrorCode,
    too_many: &'static ErrorCode,
}

pub static OWN: Codes =
    Codes { reserved: &TAG_POLICY_VIOLATION_EXCEPTION, too_many: &TAG_LIMIT_EXCEEDED_EXCEPTION };

/// CreatePermission has no errors of their own for tags.
pub static GENERAL: Codes =
    Codes { reserved: &INVALID_PARAMETER_EXCEPTION, too_many: &INVALID_PARAMETER_EXCEPTION };

fn invalid(text: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    INVALID_PARAMETER_EXCEPTION.because(text)
}

/// The tags of a request, checked.
pub fn given(tags: Option<Vec<Tag>>, codes: &Codes) -> Result<Tags> {
    let mut checked = Tags::new();
    let mut seen = BTreeSet::new();
    for Tag { key, value } in tags.unwrap_or_default() {
        let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
        if key.to_lowercase().starts_with("aws:") {
            let text = "The specified tag key is a reserved word and can't be used.";
            return Err(codes.reserved.because(text));
        }
        if key.is_empty() || key.chars().count() > KEY_MAX || value.chars().count() > VALUE_MAX {
            return Err(invalid("A tag key has 1 to 128 characters and a tag value at most 256."));
        }
        if !seen.insert(key.clone()) {
            return Err(invalid(format!("The tag key {key} is given twice.")));
        }
        checked.push((key, value));
    }
    fits(checked, codes)
}

fn fits(tags: Tags, codes: &Codes) -> Result<Tags> {
    if tags.len() > MOST {
        let text = format!("A resource can have at most {MOST} tags.");
        return Err(codes.too_many.because(text));
    }
    Ok(tags)
}

pub fn shown(tags: &Tags) -> Vec<Tag> {
    let tag = |(key, value): &(String, String)| Tag {
        key: Some(key.clone()),
        value: Some(value.clone()),
    };
    tags.iter().map(tag).collect()
}

/// What a request is to tag.
enum Tagged {
    Share(Share),
    Permission(Permission),
}

impl Tagged {
    fn load(
        cx: &Context,
        share: Option<String>,
        resource: Option<String>,
        missing: &'static ErrorCode,
    ) -> Result<Self> {
        match (share, resource) {
            (Some(arn), None) => share::own(cx, &arn).map(Self::Share),
            (None, Some(arn)) if arn.contains(":resource-share/") => {
                share::own(cx, &arn).map(Self::Share)
            }
            (None, Some(arn)) => {
                let named = arn::parse(&arn, arn::PERMISSION)?;
                let found = match named.is_here(cx) {
                    true => permission::live(cx, named.id)?,
                    false => None,
                };
                let text = || format!("The specified ARN {arn} could not be found.");
                found.map(Self::Permission).ok_or_else(|| missing.because(text()))
            }
            _ => Err(invalid("Specify either resourceShareArn or resourceArn, and not both.")),
        }
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Self::Share(share) => &mut share.tags,
            Self::Permission(permission) => &mut permission.tags,
        }
    }

    fn store(self, cx: &mut Context) -> Result<()> {
        match self {
            Self::Share(share) => share::store(cx, &share),
            Self::Permission(permission) => permission::store(cx, &permission),
        }
    }
}

pub fn tag_resource(cx: &mut Context, input: TagResourceRequest) -> Result<TagResourceResponse> {
    let TagResourceRequest { resource_share_arn, tags, resource_arn } = input;
    let missing = &RESOURCE_ARN_NOT_FOUND_EXCEPTION;
    let mut tagged = Tagged::load(cx, resource_share_arn, resource_arn, missing)?;
    let new = given(Some(tags), &OWN)?;
    let mut merged = std::mem::take(tagged.tags());
    merged.retain(|(key, _)| new.iter().all(|(other, _)| other != key));
    merged.extend(new);
    *tagged.tags() = fits(merged, &OWN)?;
    tagged.store(cx)?;
    Ok(TagResourceResponse {})
}

pub fn untag_resource(
    cx: &mut Context,
    input: UntagResourceRequest,
) -> Result<UntagResourceResponse> {
    let UntagResourceRequest { resource_share_arn, tag_keys, resource_arn } = input;
    let missing = &UNKNOWN_RESOURCE_EXCEPTION;
    let mut tagged = Tagged::load(cx, resource_share_arn, resource_arn, missing)?;
    tagged.tags().retain(|(key, _)| !tag_keys.contains(key));
    tagged.store(cx)?;
    Ok(UntagResourceResponse {})
}
