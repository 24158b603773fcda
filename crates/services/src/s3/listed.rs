//! Configurations that a bucket has several of: analytics, inventories, metrics, tierings.
//!
//! Source: Amazon S3 API Reference.

use super::configuration::{CONFIGURATIONS, decode, get, key, put, remove};
use super::error::{self, INVALID_ARGUMENT};
use super::{bucket, inventory};
use crate::context::Context;
use palisade_model::s3::{
    DeleteBucketAnalyticsConfigurationRequest, DeleteBucketIntelligentTieringConfigurationRequest,
    DeleteBucketInventoryConfigurationRequest, DeleteBucketMetricsConfigurationRequest,
    GetBucketAnalyticsConfigurationOutput, GetBucketAnalyticsConfigurationRequest,
    GetBucketIntelligentTieringConfigurationOutput,
    GetBucketIntelligentTieringConfigurationRequest, GetBucketInventoryConfigurationOutput,
    GetBucketInventoryConfigurationRequest, GetBucketMetricsConfigurationOutput,
    GetBucketMetricsConfigurationRequest, InventoryConfiguration,
    ListBucketAnalyticsConfigurationsOutput, ListBucketAnalyticsConfigurationsRequest,
    ListBucketIntelligentTieringConfigurationsOutput,
    ListBucketIntelligentTieringConfigurationsRequest, ListBucketInventoryConfigurationsOutput,
    ListBucketInventoryConfigurationsRequest, ListBucketMetricsConfigurationsOutput,
    ListBucketMetricsConfigurationsRequest, PutBucketAnalyticsConfigurationRequest,
    PutBucketIntelligentTieringConfigurationRequest, PutBucketInventoryConfigurationRequest,
    PutBucketMetricsConfigurationRequest,
};
use palisade_shape::{ErrorCode, Named, Nothing, Result};

/// One page of the configurations of a kind, at most 100, and the token of the next.
fn list<T: Named>(
    cx: &Context,
    bucket: &str,
    kind: &str,
    token: Option<&str>,
) -> Result<(Vec<T>, Option<String>)> {
    bucket::load(cx, bucket)?;
    let prefix = key(bucket, kind, "");
    let after = crate::page::start(token, &INVALID_ARGUMENT)?;
    let after = after.map(|id| format!("{prefix}{id}"));
    let rows = cx.scan(&CONFIGURATIONS, &prefix, after.as_deref(), PAGE + 1)?;
    let rows = rows.into_iter().map(|(_, row)| (row.id.clone(), row)).collect();
    let page = crate::page::cut(rows, PAGE);
    let shapes = page.items.iter().map(|row| decode(&row.body)).collect::<Result<_>>()?;
    Ok((shapes, page.next))
}

const PAGE: usize = 100;
/// Configurations of one kind.
const LISTED_MAX: usize = 1000;

static TOO_MANY: ErrorCode = ErrorCode::plain("TooManyConfigurations", 400);

/// Stores one of several configurations, whose id must be that of the request.
fn put_listed<T: Named>(
    cx: &mut Context,
    bucket: &str,
    (kind, id, own_id): (&str, &str, &str),
    shape: &T,
) -> Result<Nothing> {
    if id != own_id {
        let message = "The ID in the request does not match that of the configuration.";
        return Err(error::invalid_argument(message, "id", id));
    }
    let there = cx.scan(&CONFIGURATIONS, &key(bucket, kind, ""), None, LISTED_MAX)?;
    if there.len() >= LISTED_MAX && there.iter().all(|(_, row)| row.id != id) {
        return Err(TOO_MANY.because(
            "You are attempting to create a new configuration but have already reached the \
             1,000-configuration limit.",
        ));
    }
    put(cx, bucket, (kind, id), shape)
}

fn remove_listed(cx: &mut Context, bucket: &str, kind: &str, id: &str) -> Result<Nothing> {
    match remove(cx, bucket, kind, id)? {
        true => Ok(Nothing),
        false => Err((CONFIGURATIONS.missing)(id)),
    }
}

fn find_listed<T: Named>(cx: &Context, bucket: &str, kind: &str, id: &str) -> Result<T> {
    bucket::load(cx, bucket)?;
    get(cx, bucket, kind, id)?.ok_or_else(|| (CONFIGURATIONS.missing)(id))
}

pub fn get_bucket_analytics_configuration(
    cx: &mut Context,
    input: GetBucketAnalyticsConfigurationRequest,
) -> Result<GetBucketAnalyticsConfigurationOutput> {
    let analytics_configuration = Some(find_listed(cx, &input.bucket, "analytics", &input.id)?);
    Ok(GetBucketAnalyticsConfigurationOutput { analytics_configuration })
}

pub fn put_bucket_analytics_configuration(
    cx: &mut Context,
    input: PutBucketAnalyticsConfigurationRequest,
) -> Result<Nothing> {
    let shape = input.analytics_configuration;
    put_listed(cx, &input.bucket, ("analytics", &input.id, &shape.id), &shape)
}

pub fn delete_bucket_analytics_configuration(
    cx: &mut Context,
    input: DeleteBucketAnalyticsConfigurationRequest,
) -> Result<Nothing> {
    remove_listed(cx, &input.bucket, "analytics", &input.id)
}

pub fn list_bucket_analytics_configurations(
    cx: &mut Context,
    input: ListBucketAnalyticsConfigurationsRequest,
) -> Result<ListBucketAnalyticsConfigurationsOutput> {
    let token = input.continuation_token;
    let (listed, next) = list(cx, &input.bucket, "analytics", token.as_deref())?;
    Ok(ListBucketAnalyticsConfigurationsOutput {
        is_truncated: Some(next.is_some()),
        continuation_token: token,
        next_continuation_token: next,
        analytics_configuration_list: Some(listed).filter(|listed| !listed.is_empty()),
    })
}

pub fn get_bucket_inventory_configuration(
    cx: &mut Context,
    input: GetBucketInventoryConfigurationRequest,
) -> Result<GetBucketInventoryConfigurationOutput> {
    let inventory_configuration = Some(find_listed(cx, &input.bucket, "inventory", &input.id)?);
    Ok(GetBucketInventoryConfigurationOutput { inventory_configuration })
}

pub fn put_bucket_inventory_configuration(
    cx: &mut Context,
    input: PutBucketInventoryConfigurationRequest,
) -> Result<Nothing> {
    let shape = input.inventory_configuration;
    inventory::check(&shape)?;
    let bucket = bucket::load(cx, &input.bucket)?;
    let first: Option<InventoryConfiguration> = get(cx, &bucket.name, "inventory", &input.id)?;
    if first.is_none() {
        inventory::begin(cx, &bucket, &input.id)?;
    }
    put_listed(cx, &bucket.name, ("inventory", &input.id, &shape.id), &shape)
}

pub fn delete_bucket_inventory_configuration(
    cx: &mut Context,
    input: DeleteBucketInventoryConfigurationRequest,
) -> Result<Nothing> {
    remove_listed(cx, &input.bucket, "inventory", &input.id)
}

pub fn list_bucket_inventory_configurations(
    cx: &mut Context,
    input: ListBucketInventoryConfigurationsRequest,
) -> Result<ListBucketInventoryConfigurationsOutput> {
    let token = input.continuation_token;
    let (listed, next) = list(cx, &input.bucket, "inventory", token.as_deref())?;
    Ok(ListBucketInventoryConfigurationsOutput {
        is_truncated: Some(next.is_some()),
        continuation_token: token,
        next_continuation_token: next,
        inventory_configuration_list: Some(listed).filter(|listed| !listed.is_empty()),
    })
}

pub fn get_bucket_metrics_configuration(
    cx: &mut Context,
    input: GetBucketMetricsConfigurationRequest,
) -> Result<GetBucketMetricsConfigurationOutput> {
    let metrics_configuration = Some(find_listed(cx, &input.bucket, "metrics", &input.id)?);
    Ok(GetBucketMetricsConfigurationOutput { metrics_configuration })
}

pub fn put_bucket_metrics_configuration(
    cx: &mut Context,
    input: PutBucketMetricsConfigurationRequest,
) -> Result<Nothing> {
    let shape = input.metrics_configuration;
    put_listed(cx, &input.bucket, ("metrics", &input.id, &shape.id), &shape)
}

pub fn delete_bucket_metrics_configuration(
    cx: &mut Context,
    input: DeleteBucketMetricsConfigurationRequest,
) -> Result<Nothing> {
    remove_listed(cx, &input.bucket, "metrics", &input.id)
}

pub fn list_bucket_metrics_configurations(
    cx: &mut Context,
    input: ListBucketMetricsConfigurationsRequest,
) -> Result<ListBucketMetricsConfigurationsOutput> {
    let token = input.continuation_token;
    let (listed, next) = list(cx, &input.bucket, "metrics", token.as_deref())?;
    Ok(ListBucketMetricsConfigurationsOutput {
        is_truncated: Some(next.is_some()),
        continuation_token: token,
        next_continuation_token: next,
        metrics_configuration_list: Some(listed).filter(|listed| !listed.is_empty()),
    })
}

pub fn get_bucket_intelligent_tiering_configuration(
    cx: &mut Context,
    input: GetBucketIntelligentTieringConfigurationRequest,
) -> Result<GetBucketIntelligentTieringConfigurationOutput> {
    let intelligent_tiering_configuration =
        Some(find_listed(cx, &input.bucket, "intelligent-tiering", &input.id)?);
    Ok(GetBucketIntelligentTieringConfigurationOutput { intelligent_tiering_configuration })
}

pub fn put_bucket_intelligent_tiering_configuration(
    cx: &mut Context,
    input: PutBucketIntelligentTieringConfigurationRequest,
) -> Result<Nothing> {
    let shape = input.intelligent_tiering_configuration;
    put_listed(cx, &input.bucket, ("intelligent-tiering", &input.id, &shape.id), &shape)
}

pub fn delete_bucket_intelligent_tiering_configuration(
    cx: &mut Context,
    input: DeleteBucketIntelligentTieringConfigurationRequest,
) -> Result<Nothing> {
    remove_listed(cx, &input.bucket, "intelligent-tiering", &input.id)
}

pub fn list_bucket_intelligent_tiering_configurations(
    cx: &mut Context,
    input: ListBucketIntelligentTieringConfigurationsRequest,
) -> Result<ListBucketIntelligentTieringConfigurationsOutput> {
    let token = input.continuation_token;
    let (listed, next) = list(cx, &input.bucket, "intelligent-tiering", token.as_deref())?;
    Ok(ListBucketIntelligentTieringConfigurationsOutput {
        is_truncated: Some(next.is_some()),
        continuation_token: token,
        next_continuation_token: next,
        intelligent_tiering_configuration_list: Some(listed).filter(|listed| !listed.is_empty()),
    })
}
