//! Access points: made, found, listed and removed by the account whose they are.
//!
//! Source: Amazon S3 Control API reference; Amazon S3 User Guide, "Access points restrictions and
//! limitations", "Rules for naming access points".

use super::check_account;
use super::public_access_block::{shown, stored};
use crate::context::Context;
use crate::page;
use crate::s3::access_point::{self, ACCESS_POINTS, ATTACHED, AccessPoint};
use crate::s3::bucket::{BUCKETS, PublicAccessBlock};
use crate::s3::error::{self, INVALID_REQUEST};
use crate::s3::tagging;
use palisade_model::s3control::{
    AccessPoint as Listed, CreateAccessPointRequest, CreateAccessPointResult,
    DeleteAccessPointRequest, GetAccessPointRequest, GetAccessPointResult,
    INVALID_NEXT_TOKEN_EXCEPTION, ListAccessPointsRequest, ListAccessPointsResult,
    VpcConfiguration,
};
use palisade_shape::{ErrorCode, Nothing, Result, Timestamp};
use std::collections::BTreeMap;

static INVALID_ACCESS_POINT: ErrorCode = ErrorCode::plain("InvalidAccessPoint", 400);
static TOO_MANY: ErrorCode = ErrorCode::plain("TooManyAccessPoints", 400);

/// Access points of an account in a region.
const POINTS_MAX: usize = 10_000;
const NAME_MAX: usize = 50;
const LIST_MAX: i32 = 1000;
/// How much of the name an alias begins with, and the length of what makes it unique.
const ALIAS_NAME: usize = 20;
const ALIAS_RANDOM: usize = 34;
/// Ends of names that S3 keeps for itself.
const RESERVED: [&str; 3] = ["-s3alias", "-ext-s3alias", "--xa-s3"];

/// The access point of that name of the caller's, in this region.
pub fn find(cx: &Context, account: &str, name: &str) -> Result<AccessPoint> {
    check_account(cx, account)?;
    let key = access_point::key(account, cx.region(), name);
    cx.get(&ACCESS_POINTS, &key)?.ok_or_else(|| access_point::no_such_access_point(name))
}

/// Names the access point in the audit record.
pub fn touch(cx: &mut Context, point: &AccessPoint) {
    cx.touch("AWS::S3::AccessPoint", point.arn());
}

fn check_name(name: &str) -> Result<()> {
    let bytes = name.as_bytes();
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let good = (3..=NAME_MAX).contains(&bytes.len())
        && bytes.iter().all(|byte| plain(byte) || *byte == b'-')
        && bytes.first().is_some_and(plain)
        && bytes.last().is_some_and(plain)
        && !RESERVED.iter().any(|end| name.ends_with(end));
    match good {
        true => Ok(()),
        false => Err(INVALID_ACCESS_POINT
            .because("The specified access point name or account is not valid.")
            .with("AccessPointName", name)),
    }
}

fn checked_vpc(wanted: Option<VpcConfiguration>) -> Result<Option<String>> {
    let Some(VpcConfiguration { vpc_id }) = wanted else { return Ok(None) };
    let digits = vpc_id.strip_prefix("vpc-").unwrap_or_default();
    let good = matches!(digits.len(), 8 | 17) && digits.bytes().all(|it| it.is_ascii_hexdigit());
    match good {
        true => Ok(Some(vpc_id)),
        false => Err(INVALID_REQUEST.because("The specified VPC ID is not valid.")),
    }
}

fn alias(cx: &Context, name: &str) -> String {
    let start = name.get(..ALIAS_NAME).unwrap_or(name).trim_end_matches('-');
    let mut random = String::new();
    while random.len() < ALIAS_RANDOM {
        random.push_str(&cx.unique_id("").to_lowercase());
    }
    random.truncate(ALIAS_RANDOM);
    format!("{start}-{random}-s3alias")
}

/// Makes an access point of a bucket of the caller's account, or of another one that is named.
/// What goes through it then still needs that bucket's policy.
pub fn create_access_point(
    cx: &mut Context,
    input: CreateAccessPointRequest,
) -> Result<CreateAccessPointResult> {
    let CreateAccessPointRequest {
        account_id,
        name,
        bucket,
        vpc_configuration,
        public_access_block_configuration,
        bucket_account_id,
        scope,
        tags,
    } = input;
    check_account(cx, &account_id)?;
    check_name(&name)?;
    if scope.is_some() {
        return Err(super::access_point_scope::refused());
    }
    let tags = tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect();
    tagging::check(&tags, tagging::BUCKET_TAGS_MAX)?;
    let vpc_id = checked_vpc(vpc_configuration)?;
    let behind = cx.find(&BUCKETS, &bucket)?;
    let bucket_account = bucket_account_id.unwrap_or_else(|| account_id.clone());
    if behind.account != bucket_account {
        return Err(error::denied());
    }
    if behind.region != cx.region() {
        return Err(INVALID_REQUEST
            .because("The access point must be created in the same Region as its bucket."));
    }
    let region = cx.region().to_owned();
    let own = format!("{account_id}/{region}/");
    if cx.scan(&ACCESS_POINTS, &own, None, POINTS_MAX)?.len() >= POINTS_MAX {
        return Err(
            TOO_MANY.because("You have attempted to create more access points than are allowed.")
        );
    }
    let block = public_access_block_configuration.as_ref().map(stored);
    let point = AccessPoint {
        alias: alias(cx, &name),
        name,
        account: account_id,
        region,
        bucket,
        bucket_account,
        vpc_id,
        created_millis: cx.now().millis(),
        policy: None,
        block: block.unwrap_or(PublicAccessBlock::ALL),
        tags,
    };
    access_point::insert(cx, &point)?;
    touch(cx, &point);
    let access_point_arn = Some(point.arn());
    Ok(CreateAccessPointResult { access_point_arn, alias: Some(point.alias) })
}

fn vpc(point: &AccessPoint) -> Option<VpcConfiguration> {
    point.vpc_id.clone().map(|vpc_id| VpcConfiguration { vpc_id })
}

pub fn get_access_point(
    cx: &mut Context,
    input: GetAccessPointRequest,
) -> Result<GetAccessPointResult> {
    let point = find(cx, &input.account_id, &input.name)?;
    touch(cx, &point);
    let region = &point.region;
    let endpoints = [
        ("ipv4", "s3-accesspoint"),
        ("dualstack", "s3-accesspoint.dualstack"),
        ("fips", "s3-accesspoint-fips"),
        ("fips_dualstack", "s3-accesspoint-fips.dualstack"),
    ];
    let endpoints: BTreeMap<_, _> = endpoints
        .into_iter()
        .map(|(kind, host)| (kind.to_owned(), format!("{host}.{region}.amazonaws.com")))
        .collect();
    Ok(GetAccessPointResult {
        network_origin: Some(point.network_origin().to_owned()),
        vpc_configuration: vpc(&point),
        public_access_block_configuration: Some(shown(point.block)),
        creation_date: Some(Timestamp::from_millis(point.created_millis)),
        access_point_arn: Some(point.arn()),
        endpoints: Some(endpoints),
        name: Some(point.name),
        bucket: Some(point.bucket),
        alias: Some(point.alias),
        bucket_account_id: Some(point.bucket_account),
        data_source_id: None,
        data_source_type: None,
    })
}

fn listed(point: AccessPoint) -> Listed {
    Listed {
        network_origin: point.network_origin().to_owned(),
        vpc_configuration: vpc(&point),
        access_point_arn: Some(point.arn()),
        name: point.name,
        bucket: point.bucket,
        alias: Some(point.alias),
        bucket_account_id: Some(point.bucket_account),
        data_source_id: None,
        data_source_type: None,
    }
}

/// The caller's access points in this region, by name: all, or those of one bucket.
pub fn list_access_points(
    cx: &mut Context,
    input: ListAccessPointsRequest,
) -> Result<ListAccessPointsResult> {
    let ListAccessPointsRequest {
        account_id,
        bucket,
        next_token,
        max_results,
        data_source_id,
        data_source_type,
    } = input;
    check_account(cx, &account_id)?;
    // No access point here is attached to anything but a bucket.
    if data_source_id.is_some() || data_source_type.is_some() {
        return Ok(ListAccessPointsResult {
            access_point_list: Some(Vec::new()),
            next_token: None,
        });
    }
    let asked = max_results.unwrap_or(LIST_MAX).min(LIST_MAX);
    let size = usize::try_from(asked).unwrap_or_default().max(1);
    let after = page::start(next_token.as_deref(), &INVALID_NEXT_TOKEN_EXCEPTION)?;
    let own = format!("{account_id}/{}/", cx.region());
    let rows = match bucket {
        None => cx.scan(&ACCESS_POINTS, &own, after.as_deref(), size + 1)?,
        Some(bucket) => {
            let start = format!("{bucket}/{own}");
            let rows = cx.scan(&ATTACHED, &start, after.as_deref(), size + 1)?;
            let found = rows
                .into_iter()
                .map(|(key, way)| cx.find(&ACCESS_POINTS, &way.point).map(|point| (key, point)));
            found.collect::<Result<Vec<_>>>()?
        }
    };
    let page = page::cut(rows, size);
    let access_point_list = Some(page.items.into_iter().map(listed).collect());
    Ok(ListAccessPointsResult { access_point_list, next_token: page.next })
}

pub fn delete_access_point(cx: &mut Context, input: DeleteAccessPointRequest) -> Result<Nothing> {
    let point = find(cx, &input.account_id, &input.name)?;
    touch(cx, &point);
    access_point::remove(cx, &point)?;
    Ok(Nothing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let longest = "a".repeat(NAME_MAX);
        for name in ["abc", "1-2", "my-access-point", &longest] {
            assert!(check_name(name).is_ok(), "{name}");
        }
        let long = "a".repeat(NAME_MAX + 1);
        for name in ["ab", "-ab", "ab-", "a.b", "a_b", "Abc", "x-s3alias", "x--xa-s3", &long] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
