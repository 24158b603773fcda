//! Tags of access points and of general purpose buckets, by their ARNs.
//!
//! Source: Amazon S3 Control API reference, TagResource, UntagResource, ListTagsForResource.

use super::{SERVICE, access_point, check_account};
use crate::authorization::{Requirement, from_table};
use crate::context::Context;
use crate::s3::access_point::{ACCESS_POINTS, AccessPoint, no_such_access_point, of_arn, parse};
use crate::s3::bucket::{self, BUCKETS, Bucket};
use crate::s3::error::{self, INVALID_REQUEST};
use crate::s3::requirement::bucket_of;
use crate::s3::{member, tagging};
use crate::service::{Input, Requires, Tags};
use palisade_model::s3control::{
    ListTagsForResourceRequest, ListTagsForResourceResult, Tag, TagResourceRequest,
    TagResourceResult, UntagResourceRequest, UntagResourceResult,
};
use palisade_shape::Result;

/// The named action on the resource whose ARN the request has.
pub struct OnResource(pub &'static str);

impl Requires for OnResource {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        let arn = member::text(input.as_shape(), "ResourceArn").unwrap_or_default();
        let kind = if parse(&arn).is_some() { "accesspoint" } else { "bucket" };
        let rows = from_table(cx, &SERVICE, self.0, input)?;
        // The table has all that may have tags, and cannot tell which an ARN is of.
        let mut named = rows.into_iter().filter(|one| one.resource == arn);
        match named.next() {
            Some(one) => Ok(vec![one.of_kind(kind)]),
            None => {
                let action = format!("s3:{}", self.0);
                Ok(vec![Requirement::new(action, arn, cx.account()).of_kind(kind)])
            }
        }
    }
}

/// What has tags here.
enum Tagged {
    Bucket(Bucket),
    AccessPoint(AccessPoint),
}

impl Tagged {
    fn find(cx: &mut Context, account: &str, arn: &str) -> Result<Self> {
        check_account(cx, account)?;
        if let Some((key, object)) = parse(arn) {
            let name = key.rsplit('/').next().unwrap_or_default();
            let found = of_arn(cx, arn)?.filter(|_| object.is_none());
            let (point, _) = found.ok_or_else(|| no_such_access_point(name))?;
            return match point.account == account {
                true => Ok(Self::AccessPoint(point)),
                false => Err(error::denied()),
            };
        }
        let Some(name) = arn.strip_prefix("arn:aws:s3:::").filter(|name| !name.contains('/'))
        else {
            return Err(INVALID_REQUEST.because("The specified resource ARN is not valid."));
        };
        let (bucket, _) = bucket_of(cx, arn)?.ok_or_else(|| (BUCKETS.missing)(name))?;
        match bucket.account == account {
            true => Ok(Self::Bucket(bucket)),
            false => Err(error::denied()),
        }
    }

    fn tags(&mut self) -> &mut Tags {
        match self {
            Self::Bucket(bucket) => &mut bucket.tags,
            Self::AccessPoint(point) => &mut point.tags,
        }
    }

    fn touch(&self, cx: &mut Context) {
        match self {
            Self::Bucket(bucket) => bucket::touch(cx, bucket),
            Self::AccessPoint(point) => access_point::touch(cx, point),
        }
    }

    fn save(&self, cx: &mut Context) -> Result<()> {
        match self {
            Self::Bucket(bucket) => bucket::save(cx, bucket),
            Self::AccessPoint(point) => {
                access_point::touch(cx, point);
                cx.put(&ACCESS_POINTS, point)
            }
        }
    }
}

pub fn list_tags_for_resource(
    cx: &mut Context,
    input: ListTagsForResourceRequest,
) -> Result<ListTagsForResourceResult> {
    let mut found = Tagged::find(cx, &input.account_id, &input.resource_arn)?;
    found.touch(cx);
    let tags = std::mem::take(found.tags());
    let tags = tags.into_iter().map(|(key, value)| Tag { key, value }).collect();
    Ok(ListTagsForResourceResult { tags: Some(tags) })
}

/// Gives tags, in place of those of the same keys.
pub fn tag_resource(cx: &mut Context, input: TagResourceRequest) -> Result<TagResourceResult> {
    let TagResourceRequest { account_id, resource_arn, tags } = input;
    let mut found = Tagged::find(cx, &account_id, &resource_arn)?;
    let new: Tags = tags.into_iter().map(|tag| (tag.key, tag.value)).collect();
    tagging::check(&new, tagging::BUCKET_TAGS_MAX)?;
    let tags = found.tags();
    tags.retain(|(key, _)| new.iter().all(|(given, _)| given != key));
    tags.extend(new);
    tagging::check(tags, tagging::BUCKET_TAGS_MAX)?;
    found.save(cx)?;
    Ok(TagResourceResult::default())
}

/// Takes tags away; a key that is not there is no error.
pub fn untag_resource(
    cx: &mut Context,
    input: UntagResourceRequest,
) -> Result<UntagResourceResult> {
    let UntagResourceRequest { account_id, resource_arn, tag_keys } = input;
    let mut found = Tagged::find(cx, &account_id, &resource_arn)?;
    found.tags().retain(|(key, _)| !tag_keys.contains(key));
    found.save(cx)?;
    Ok(UntagResourceResult::default())
}
