//! Configurations of a bucket that S3 keeps and gives back whole: CORS, website, logging,
//! notification, replication, lifecycle, acceleration, and the lists of inventories, metrics,
//! analytics and tierings. What they make S3 do stands in modules of their own.
//!
//! Source: Amazon S3 API Reference.

use super::bucket;
use super::error::{self, INVALID_ARGUMENT, NO_SUCH_CONFIGURATION};
use super::{access_log, lifecycle, lifecycle_run};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::s3::{
    AccelerateConfiguration, BucketLifecycleConfiguration, BucketLoggingStatus, CORSConfiguration,
    CORSRule, DeleteBucketCorsRequest, DeleteBucketLifecycleRequest,
    DeleteBucketReplicationRequest, DeleteBucketWebsiteRequest,
    GetBucketAccelerateConfigurationOutput, GetBucketAccelerateConfigurationRequest,
    GetBucketCorsOutput, GetBucketCorsRequest, GetBucketLifecycleConfigurationOutput,
    GetBucketLifecycleConfigurationRequest, GetBucketLoggingOutput, GetBucketLoggingRequest,
    GetBucketNotificationConfigurationRequest, GetBucketReplicationOutput,
    GetBucketReplicationRequest, GetBucketWebsiteOutput, GetBucketWebsiteRequest,
    NotificationConfiguration, PutBucketAccelerateConfigurationRequest, PutBucketCorsRequest,
    PutBucketLifecycleConfigurationOutput, PutBucketLifecycleConfigurationRequest,
    PutBucketLoggingRequest, PutBucketNotificationConfigurationRequest,
    PutBucketReplicationRequest, PutBucketWebsiteRequest, WebsiteConfiguration,
};

use palisade_shape::{Error as Refusal, ErrorCode, Named, Nothing, Result};
use serde::{Deserialize, Serialize};

/// One configuration, as the AWS shape in JSON.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Configuration {
    bucket: String,
    kind: String,
    /// Empty where a bucket has one of the kind.
    pub(super) id: String,
    pub(super) body: String,
}

pub(super) static CONFIGURATIONS: Table<Configuration> = Table::of_private(
    "s3/bucket-configuration",
    Scope::Plane,
    |row: &Configuration| key(&row.bucket, &row.kind, &row.id),
    |row| internal(format!("configuration {} is there already", row.kind)),
    |_| NO_SUCH_CONFIGURATION.because("The specified configuration does not exist."),
);

pub(super) fn key(bucket: &str, kind: &str, id: &str) -> String {
    format!("{bucket}/{kind}/{id}")
}

/// A stored configuration.
pub fn get<T: Named>(cx: &Context, bucket: &str, kind: &str, id: &str) -> Result<Option<T>> {
    let found = cx.get(&CONFIGURATIONS, &key(bucket, kind, id))?;
    found.map(|row| decode(&row.body)).transpose()
}

pub(super) fn decode<T: Named>(body: &str) -> Result<T> {
    let mut shape = T::default();
    palisade_protocol::json::from_json(body.as_bytes(), &mut shape)
        .map_err(|error| internal(format!("stored configuration: {error:?}")))?;
    Ok(shape)
}

/// Stores a configuration of a bucket that is there.
pub fn put<T: Named>(
    cx: &mut Context,
    bucket: &str,
    (kind, id): (&str, &str),
    shape: &T,
) -> Result<Nothing> {
    let owner = bucket::load(cx, bucket)?;
    bucket::touch(cx, &owner);
    let body = String::from_utf8(palisade_protocol::json::to_json(shape)).map_err(internal)?;
    let row =
        Configuration { bucket: bucket.to_owned(), kind: kind.to_owned(), id: id.to_owned(), body };
    cx.put(&CONFIGURATIONS, &row)?;
    Ok(Nothing)
}

/// Removes a configuration; false if there was none.
pub(super) fn remove(cx: &mut Context, bucket: &str, kind: &str, id: &str) -> Result<bool> {
    let owner = bucket::load(cx, bucket)?;
    bucket::touch(cx, &owner);
    cx.delete(&CONFIGURATIONS, &key(bucket, kind, id))
}

/// Removes all configurations of a bucket that is deleted.
pub fn forget(cx: &mut Context, bucket: &str) -> Result<()> {
    for row in cx.all(&CONFIGURATIONS, &format!("{bucket}/"))? {
        cx.delete(&CONFIGURATIONS, &(CONFIGURATIONS.key)(&row))?;
    }
    Ok(())
}

/// The configuration, or that error where a bucket that is there has none.
fn find<T: Named>(cx: &Context, bucket: &str, kind: &str, missing: fn() -> Refusal) -> Result<T> {
    let bucket = bucket::load(cx, bucket)?;
    get(cx, &bucket.name, kind, "")?.ok_or_else(missing)
}

fn no_cors() -> Refusal {
    static CODE: ErrorCode = ErrorCode::plain("NoSuchCORSConfiguration", 404);
    CODE.because("The CORS configuration does not exist")
}

/// The bucket's CORS rules, if it has any.
pub fn cors_rules(cx: &Context, bucket: &str) -> Result<Vec<CORSRule>> {
    let found: Option<CORSConfiguration> = get(cx, bucket, "cors", "")?;
    Ok(found.map(|found| found.cors_rules).unwrap_or_default())
}

pub fn get_bucket_cors(
    cx: &mut Context,
    input: GetBucketCorsRequest,
) -> Result<GetBucketCorsOutput> {
    let found: CORSConfiguration = find(cx, &input.bucket, "cors", no_cors)?;
    Ok(GetBucketCorsOutput { cors_rules: Some(found.cors_rules) })
}

pub fn put_bucket_cors(cx: &mut Context, input: PutBucketCorsRequest) -> Result<Nothing> {
    const METHODS: [&str; 5] = ["GET", "PUT", "HEAD", "POST", "DELETE"];
    let rules = &input.cors_configuration.cors_rules;
    if rules.is_empty() || rules.len() > 100 {
        return Err(error::malformed_xml());
    }
    for rule in rules {
        if let Some(method) =
            rule.allowed_methods.iter().find(|method| !METHODS.contains(&method.as_str()))
        {
            return Err(error::INVALID_REQUEST.because(format!(
                "Found unsupported HTTP method in CORS config. Unsupported method is {method}"
            )));
        }
        if let Some(origin) =
            rule.allowed_origins.iter().find(|origin| origin.matches('*').count() > 1)
        {
            return Err(error::INVALID_REQUEST.because(format!(
                "AllowedOrigin \"{origin}\" can not have more than one wildcard."
            )));
        }
        if rule.allowed_methods.is_empty() || rule.allowed_origins.is_empty() {
            return Err(error::malformed_xml());
        }
    }
    put(cx, &input.bucket, ("cors", ""), &input.cors_configuration)
}

pub fn delete_bucket_cors(cx: &mut Context, input: DeleteBucketCorsRequest) -> Result<Nothing> {
    remove(cx, &input.bucket, "cors", "")?;
    Ok(Nothing)
}

fn no_website() -> Refusal {
    static CODE: ErrorCode = ErrorCode::plain("NoSuchWebsiteConfiguration", 404);
    CODE.because("The specified bucket does not have a website configuration")
}

pub fn get_bucket_website(
    cx: &mut Context,
    input: GetBucketWebsiteRequest,
) -> Result<GetBucketWebsiteOutput> {
    let WebsiteConfiguration {
        error_document,
        index_document,
        redirect_all_requests_to,
        routing_rules,
    } = find(cx, &input.bucket, "website", no_website)?;
    Ok(GetBucketWebsiteOutput {
        error_document,
        index_document,
        redirect_all_requests_to,
        routing_rules,
    })
}

pub fn put_bucket_website(cx: &mut Context, input: PutBucketWebsiteRequest) -> Result<Nothing> {
    let wanted = &input.website_configuration;
    let alone = wanted.index_document.is_none()
        && wanted.error_document.is_none()
        && wanted.routing_rules.is_none();
    if wanted.redirect_all_requests_to.is_some() && !alone {
        return Err(INVALID_ARGUMENT.because(
            "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.",
        ));
    }
    match &wanted.index_document {
        None if wanted.redirect_all_requests_to.is_none() => {
            return Err(INVALID_ARGUMENT.because(
                "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is \
                 empty",
            ));
        }
        Some(index) if index.suffix.is_empty() || index.suffix.contains('/') => {
            return Err(INVALID_ARGUMENT.because("The IndexDocument Suffix is not well formed"));
        }
        _ => {}
    }
    put(cx, &input.bucket, ("website", ""), wanted)
}

pub fn delete_bucket_website(
    cx: &mut Context,
    input: DeleteBucketWebsiteRequest,
) -> Result<Nothing> {
    remove(cx, &input.bucket, "website", "")?;
    Ok(Nothing)
}

pub fn get_bucket_logging(
    cx: &mut Context,
    input: GetBucketLoggingRequest,
) -> Result<GetBucketLoggingOutput> {
    bucket::load(cx, &input.bucket)?;
    let found: Option<BucketLoggingStatus> = get(cx, &input.bucket, "logging", "")?;
    Ok(GetBucketLoggingOutput { logging_enabled: found.and_then(|found| found.logging_enabled) })
}

/// Logging may only go to a bucket of the same owner in the same region.
pub fn put_bucket_logging(cx: &mut Context, input: PutBucketLoggingRequest) -> Result<Nothing> {
    static INVALID_TARGET: ErrorCode = ErrorCode::plain("InvalidTargetBucketForLogging", 400);
    static CROSS_LOCATION: ErrorCode = ErrorCode::plain("CrossLocationLoggingProhibitted", 403);
    let mut source = bucket::load(cx, &input.bucket)?;
    let Some(wanted) = &input.bucket_logging_status.logging_enabled else {
        source.logged = false;
        bucket::save(cx, &source)?;
        remove(cx, &input.bucket, "logging", "")?;
        return Ok(Nothing);
    };
    let target = cx.get(&bucket::BUCKETS, &wanted.target_bucket)?;
    let target = target.filter(|target| target.account == source.account).ok_or_else(|| {
        INVALID_TARGET
            .because("The target bucket for logging does not exist")
            .with("TargetBucket", wanted.target_bucket.clone())
    })?;
    if target.region != source.region {
        let message = "Cross S3 location logging not allowed. ";
        return Err(CROSS_LOCATION.because(message));
    }
    if !std::mem::replace(&mut source.logged, true) {
        bucket::save(cx, &source)?;
        access_log::begin(cx, &source)?;
    }
    put(cx, &input.bucket, ("logging", ""), &input.bucket_logging_status)
}

pub fn get_bucket_notification_configuration(
    cx: &mut Context,
    input: GetBucketNotificationConfigurationRequest,
) -> Result<NotificationConfiguration> {
    let bucket = bucket::load(cx, &input.bucket)?;
    Ok(get(cx, &bucket.name, "notification", "")?.unwrap_or_default())
}

pub fn put_bucket_notification_configuration(
    cx: &mut Context,
    input: PutBucketNotificationConfigurationRequest,
) -> Result<Nothing> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let NotificationConfiguration {
        topic_configurations,
        queue_configurations,
        lambda_function_configurations,
        event_bridge_configuration: _,
    } = &input.notification_configuration;
    let topics = topic_configurations.iter().flatten().map(|it| &it.topic_arn);
    let queues = queue_configurations.iter().flatten().map(|it| &it.queue_arn);
    let functions =
        lambda_function_configurations.iter().flatten().map(|it| &it.lambda_function_arn);
    let mut destinations = topics.chain(queues).chain(functions);
    // S3 sends each a test message; there is no service here that could take one.
    if let Some(first) =
        destinations.next().filter(|_| input.skip_destination_validation != Some(true))
    {
        return Err(error::invalid_argument(
            "Unable to validate the following destination configurations",
            first,
            "The destination cannot be reached",
        ));
    }
    put(cx, &bucket.name, ("notification", ""), &input.notification_configuration)
}

fn no_replication() -> Refusal {
    static CODE: ErrorCode = ErrorCode::plain("ReplicationConfigurationNotFoundError", 404);
    CODE.because("The replication configuration was not found")
}

pub fn get_bucket_replication(
    cx: &mut Context,
    input: GetBucketReplicationRequest,
) -> Result<GetBucketReplicationOutput> {
    let found = find(cx, &input.bucket, "replication", no_replication)?;
    Ok(GetBucketReplicationOutput { replication_configuration: Some(found) })
}

/// Replication wants versioning here and at its destinations.
pub fn put_bucket_replication(
    cx: &mut Context,
    input: PutBucketReplicationRequest,
) -> Result<Nothing> {
    let mut source = bucket::load(cx, &input.bucket)?;
    let enabled = |bucket: &bucket::Bucket| bucket.versioning == bucket::Versioning::Enabled;
    if !enabled(&source) {
        return Err(error::INVALID_REQUEST.because(
            "Versioning must be 'Enabled' on the bucket to apply a replication configuration",
        ));
    }
    let wanted = &input.replication_configuration;
    if wanted.rules.is_empty() || wanted.rules.len() > 1000 {
        return Err(error::malformed_xml());
    }
    for rule in &wanted.rules {
        let name = rule.destination.bucket.trim_start_matches("arn:aws:s3:::");
        let there = cx.get(&bucket::BUCKETS, name)?;
        if there.is_none() {
            return Err(error::INVALID_REQUEST.because("Destination bucket must exist."));
        }
        if !there.is_some_and(|there| enabled(&there)) {
            return Err(
                error::INVALID_REQUEST.because("Destination bucket must have versioning enabled.")
            );
        }
    }
    source.replicates = true;
    bucket::save(cx, &source)?;
    put(cx, &input.bucket, ("replication", ""), wanted)
}

pub fn delete_bucket_replication(
    cx: &mut Context,
    input: DeleteBucketReplicationRequest,
) -> Result<Nothing> {
    let mut source = bucket::load(cx, &input.bucket)?;
    source.replicates = false;
    bucket::save(cx, &source)?;
    remove(cx, &input.bucket, "replication", "")?;
    Ok(Nothing)
}

pub fn get_bucket_accelerate_configuration(
    cx: &mut Context,
    input: GetBucketAccelerateConfigurationRequest,
) -> Result<GetBucketAccelerateConfigurationOutput> {
    bucket::load(cx, &input.bucket)?;
    let found: Option<AccelerateConfiguration> = get(cx, &input.bucket, "accelerate", "")?;
    let status = found.and_then(|found| found.status);
    Ok(GetBucketAccelerateConfigurationOutput { status, request_charged: None })
}

pub fn put_bucket_accelerate_configuration(
    cx: &mut Context,
    input: PutBucketAccelerateConfigurationRequest,
) -> Result<Nothing> {
    if input.bucket.contains('.') {
        return Err(error::INVALID_REQUEST.because(
            "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names",
        ));
    }
    put(cx, &input.bucket, ("accelerate", ""), &input.accelerate_configuration)
}

fn no_lifecycle() -> Refusal {
    static CODE: ErrorCode = ErrorCode::plain("NoSuchLifecycleConfiguration", 404);
    CODE.because("The lifecycle configuration does not exist")
}

const SMALL_OBJECTS: &str = "all_storage_classes_128K";

pub fn get_bucket_lifecycle_configuration(
    cx: &mut Context,
    input: GetBucketLifecycleConfigurationRequest,
) -> Result<GetBucketLifecycleConfigurationOutput> {
    let found: BucketLifecycleConfiguration = find(cx, &input.bucket, "lifecycle", no_lifecycle)?;
    let stored: Option<PutBucketLifecycleConfigurationOutput> =
        get(cx, &input.bucket, "lifecycle-size", "")?;
    Ok(GetBucketLifecycleConfigurationOutput {
        rules: Some(found.rules),
        transition_default_minimum_object_size: stored
            .and_then(|stored| stored.transition_default_minimum_object_size),
    })
}

pub fn put_bucket_lifecycle_configuration(
    cx: &mut Context,
    input: PutBucketLifecycleConfigurationRequest,
) -> Result<PutBucketLifecycleConfigurationOutput> {
    let mut wanted = input.lifecycle_configuration.ok_or_else(error::malformed_xml)?;
    lifecycle::check(cx, &mut wanted)?;
    let size = input.transition_default_minimum_object_size;
    let size = Some(size.unwrap_or_else(|| SMALL_OBJECTS.to_owned()));
    let output =
        PutBucketLifecycleConfigurationOutput { transition_default_minimum_object_size: size };
    let bucket = bucket::load(cx, &input.bucket)?;
    let first: Option<BucketLifecycleConfiguration> = get(cx, &input.bucket, "lifecycle", "")?;
    put(cx, &input.bucket, ("lifecycle", ""), &wanted)?;
    put(cx, &input.bucket, ("lifecycle-size", ""), &output)?;
    if first.is_none() {
        lifecycle_run::begin(cx, &bucket)?;
    }
    Ok(output)
}

pub fn delete_bucket_lifecycle(
    cx: &mut Context,
    input: DeleteBucketLifecycleRequest,
) -> Result<Nothing> {
    remove(cx, &input.bucket, "lifecycle", "")?;
    remove(cx, &input.bucket, "lifecycle-size", "")?;
    Ok(Nothing)
}
