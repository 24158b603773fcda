//! Amazon S3: buckets, the objects in them, and all that decides who may reach them.
//!
//! Bytes travel beside the operations: a body is received into an encrypted blob before the
//! transaction that names it ([`receive`]), and read from blobs after the answer was decided
//! ([`content`]). Records are documents like all others.
//!
//! Source: Amazon S3 API Reference, 2006-03-01.

pub mod access_log;
pub mod access_point;
pub mod acl;
pub mod bucket;
pub mod bucket_name;
pub mod checksum;
pub mod condition;
pub mod configuration;
pub mod content;
pub mod copy;
pub mod cors;
pub mod delete;
pub mod deliver;
pub mod encryption;
pub mod error;
pub mod inventory;
pub mod kms_keys;
pub mod lifecycle;
pub mod lifecycle_run;
pub mod list;
pub mod listed;
pub mod lock;
pub mod member;
pub mod object;
pub mod object_encryption;
pub mod page;
pub mod policy;
pub mod post_form;
pub mod post_policy;
pub mod public;
pub mod read;
pub mod receive;
pub mod replication;
pub mod requirement;
pub mod resources;
pub mod restore;
pub mod retired;
pub mod settings;
pub mod tagging;
pub mod upload;
pub mod upload_list;
pub mod write;

use crate::service::{Operation, Preparing, Service, Typed, read as reads, write as writes};
use requirement::{EachObject, Of};

pub static SERVICE: Service = Service {
    model: &palisade_model::s3::SERVICE,
    operations: OPERATIONS,
    resources: &resources::S3Resources,
    jobs: &[
        &access_log::DELIVERY,
        &inventory::ROUND,
        &inventory::STEP,
        &lifecycle_run::ROUND,
        &lifecycle_run::STEP,
        &replication::REPLICATION,
    ],
};

pub static OPERATIONS: &[Operation] = &[
    // Buckets.
    writes("CreateBucket", &Typed(bucket::create_bucket)),
    reads("HeadBucket", &Typed(bucket::head_bucket)).requiring(&Of("HeadBucket")),
    reads("GetBucketLocation", &Typed(bucket::get_bucket_location))
        .requiring(&Of("GetBucketLocation")),
    reads("ListBuckets", &Typed(bucket::list_buckets)),
    writes("DeleteBucket", &Typed(bucket::delete_bucket)).requiring(&Of("DeleteBucket")),
    // Objects.
    writes("PutObject", &Typed(write::put_object)).requiring(&Of("PutObject")),
    reads("GetObject", &Typed(read::get_object)).requiring(&Of("GetObject")),
    reads("HeadObject", &Typed(read::head_object)).requiring(&Of("HeadObject")),
    reads("GetObjectAttributes", &Typed(read::get_object_attributes))
        .requiring(&Of("GetObjectAttributes")),
    writes("DeleteObject", &Typed(delete::delete_object)).requiring(&Of("DeleteObject")),
    writes("DeleteObjects", &Typed(delete::delete_objects)).requiring(&EachObject),
    writes("CopyObject", &Typed(copy::copy_object))
        .requiring(&Of("CopyObject"))
        .preparing(&Preparing(copy::prepare_copy_object)),
    writes("RestoreObject", &Typed(restore::restore_object)).requiring(&Of("RestoreObject")),
    writes("UpdateObjectEncryption", &Typed(object_encryption::update_object_encryption))
        .requiring(&Of("UpdateObjectEncryption")),
    reads("SelectObjectContent", &Typed(retired::select_object_content))
        .requiring(&Of("SelectObjectContent")),
    reads("GetObjectTorrent", &Typed(retired::get_object_torrent))
        .requiring(&Of("GetObjectTorrent")),
    reads("ListObjects", &Typed(list::list_objects)).requiring(&Of("ListObjects")),
    reads("ListObjectsV2", &Typed(list::list_objects_v2)).requiring(&Of("ListObjectsV2")),
    reads("ListObjectVersions", &Typed(list::list_object_versions))
        .requiring(&Of("ListObjectVersions")),
    // Multipart uploads.
    writes("CreateMultipartUpload", &Typed(upload::create_multipart_upload))
        .requiring(&Of("CreateMultipartUpload")),
    writes("UploadPart", &Typed(upload::upload_part)).requiring(&Of("UploadPart")),
    writes("UploadPartCopy", &Typed(copy::upload_part_copy))
        .requiring(&Of("UploadPartCopy"))
        .preparing(&Preparing(copy::prepare_upload_part_copy)),
    writes("CompleteMultipartUpload", &Typed(upload::complete_multipart_upload))
        .requiring(&Of("CompleteMultipartUpload")),
    writes("AbortMultipartUpload", &Typed(upload::abort_multipart_upload))
        .requiring(&Of("AbortMultipartUpload")),
    reads("ListParts", &Typed(upload_list::list_parts)).requiring(&Of("ListParts")),
    reads("ListMultipartUploads", &Typed(upload_list::list_multipart_uploads))
        .requiring(&Of("ListMultipartUploads")),
    // Who may reach them.
    reads("GetBucketPolicy", &Typed(policy::get_bucket_policy)).requiring(&Of("GetBucketPolicy")),
    writes("PutBucketPolicy", &Typed(policy::put_bucket_policy)).requiring(&Of("PutBucketPolicy")),
    writes("DeleteBucketPolicy", &Typed(policy::delete_bucket_policy))
        .requiring(&Of("DeleteBucketPolicy")),
    reads("GetBucketPolicyStatus", &Typed(public::get_bucket_policy_status))
        .requiring(&Of("GetBucketPolicyStatus")),
    reads("GetPublicAccessBlock", &Typed(public::get_public_access_block))
        .requiring(&Of("GetPublicAccessBlock")),
    writes("PutPublicAccessBlock", &Typed(public::put_public_access_block))
        .requiring(&Of("PutPublicAccessBlock")),
    writes("DeletePublicAccessBlock", &Typed(public::delete_public_access_block))
        .requiring(&Of("DeletePublicAccessBlock")),
    reads("GetBucketAcl", &Typed(acl::get_bucket_acl)).requiring(&Of("GetBucketAcl")),
    writes("PutBucketAcl", &Typed(acl::put_bucket_acl)).requiring(&Of("PutBucketAcl")),
    reads("GetObjectAcl", &Typed(acl::get_object_acl)).requiring(&Of("GetObjectAcl")),
    writes("PutObjectAcl", &Typed(acl::put_object_acl)).requiring(&Of("PutObjectAcl")),
    reads("GetBucketOwnershipControls", &Typed(settings::get_bucket_ownership_controls))
        .requiring(&Of("GetBucketOwnershipControls")),
    writes("PutBucketOwnershipControls", &Typed(settings::put_bucket_ownership_controls))
        .requiring(&Of("PutBucketOwnershipControls")),
    writes("DeleteBucketOwnershipControls", &Typed(settings::delete_bucket_ownership_controls))
        .requiring(&Of("DeleteBucketOwnershipControls")),
    reads("GetBucketAbac", &Typed(settings::get_bucket_abac)).requiring(&Of("GetBucketAbac")),
    writes("PutBucketAbac", &Typed(settings::put_bucket_abac)).requiring(&Of("PutBucketAbac")),
    // Tags.
    reads("GetBucketTagging", &Typed(tagging::get_bucket_tagging))
        .requiring(&Of("GetBucketTagging")),
    writes("PutBucketTagging", &Typed(tagging::put_bucket_tagging))
        .requiring(&Of("PutBucketTagging")),
    writes("DeleteBucketTagging", &Typed(tagging::delete_bucket_tagging))
        .requiring(&Of("DeleteBucketTagging")),
    reads("GetObjectTagging", &Typed(tagging::get_object_tagging))
        .requiring(&Of("GetObjectTagging")),
    writes("PutObjectTagging", &Typed(tagging::put_object_tagging))
        .requiring(&Of("PutObjectTagging")),
    writes("DeleteObjectTagging", &Typed(tagging::delete_object_tagging))
        .requiring(&Of("DeleteObjectTagging")),
    // Versioning, encryption and object lock.
    reads("GetBucketVersioning", &Typed(settings::get_bucket_versioning))
        .requiring(&Of("GetBucketVersioning")),
    writes("PutBucketVersioning", &Typed(settings::put_bucket_versioning))
        .requiring(&Of("PutBucketVersioning")),
    reads("GetBucketEncryption", &Typed(settings::get_bucket_encryption))
        .requiring(&Of("GetBucketEncryption")),
    writes("PutBucketEncryption", &Typed(settings::put_bucket_encryption))
        .requiring(&Of("PutBucketEncryption")),
    writes("DeleteBucketEncryption", &Typed(settings::delete_bucket_encryption))
        .requiring(&Of("DeleteBucketEncryption")),
    reads("GetObjectLockConfiguration", &Typed(lock::get_object_lock_configuration))
        .requiring(&Of("GetObjectLockConfiguration")),
    writes("PutObjectLockConfiguration", &Typed(lock::put_object_lock_configuration))
        .requiring(&Of("PutObjectLockConfiguration")),
    reads("GetObjectRetention", &Typed(lock::get_object_retention))
        .requiring(&Of("GetObjectRetention")),
    writes("PutObjectRetention", &Typed(lock::put_object_retention))
        .requiring(&Of("PutObjectRetention")),
    reads("GetObjectLegalHold", &Typed(lock::get_object_legal_hold))
        .requiring(&Of("GetObjectLegalHold")),
    writes("PutObjectLegalHold", &Typed(lock::put_object_legal_hold))
        .requiring(&Of("PutObjectLegalHold")),
    // Configurations.
    reads("GetBucketRequestPayment", &Typed(settings::get_bucket_request_payment))
        .requiring(&Of("GetBucketRequestPayment")),
    writes("PutBucketRequestPayment", &Typed(settings::put_bucket_request_payment))
        .requiring(&Of("PutBucketRequestPayment")),
    reads("GetBucketCors", &Typed(configuration::get_bucket_cors)).requiring(&Of("GetBucketCors")),
    writes("PutBucketCors", &Typed(configuration::put_bucket_cors)).requiring(&Of("PutBucketCors")),
    writes("DeleteBucketCors", &Typed(configuration::delete_bucket_cors))
        .requiring(&Of("DeleteBucketCors")),
    reads("GetBucketWebsite", &Typed(configuration::get_bucket_website))
        .requiring(&Of("GetBucketWebsite")),
    writes("PutBucketWebsite", &Typed(configuration::put_bucket_website))
        .requiring(&Of("PutBucketWebsite")),
    writes("DeleteBucketWebsite", &Typed(configuration::delete_bucket_website))
        .requiring(&Of("DeleteBucketWebsite")),
    reads("GetBucketReplication", &Typed(configuration::get_bucket_replication))
        .requiring(&Of("GetBucketReplication")),
    writes("PutBucketReplication", &Typed(configuration::put_bucket_replication))
        .requiring(&Of("PutBucketReplication")),
    writes("DeleteBucketReplication", &Typed(configuration::delete_bucket_replication))
        .requiring(&Of("DeleteBucketReplication")),
    reads("GetBucketLogging", &Typed(configuration::get_bucket_logging))
        .requiring(&Of("GetBucketLogging")),
    writes("PutBucketLogging", &Typed(configuration::put_bucket_logging))
        .requiring(&Of("PutBucketLogging")),
    reads(
        "GetBucketNotificationConfiguration",
        &Typed(configuration::get_bucket_notification_configuration),
    )
    .requiring(&Of("GetBucketNotificationConfiguration")),
    writes(
        "PutBucketNotificationConfiguration",
        &Typed(configuration::put_bucket_notification_configuration),
    )
    .requiring(&Of("PutBucketNotificationConfiguration")),
    reads(
        "GetBucketAccelerateConfiguration",
        &Typed(configuration::get_bucket_accelerate_configuration),
    )
    .requiring(&Of("GetBucketAccelerateConfiguration")),
    writes(
        "PutBucketAccelerateConfiguration",
        &Typed(configuration::put_bucket_accelerate_configuration),
    )
    .requiring(&Of("PutBucketAccelerateConfiguration")),
    reads(
        "GetBucketLifecycleConfiguration",
        &Typed(configuration::get_bucket_lifecycle_configuration),
    )
    .requiring(&Of("GetBucketLifecycleConfiguration")),
    writes(
        "PutBucketLifecycleConfiguration",
        &Typed(configuration::put_bucket_lifecycle_configuration),
    )
    .requiring(&Of("PutBucketLifecycleConfiguration")),
    writes("DeleteBucketLifecycle", &Typed(configuration::delete_bucket_lifecycle))
        .requiring(&Of("DeleteBucketLifecycle")),
    reads("GetBucketAnalyticsConfiguration", &Typed(listed::get_bucket_analytics_configuration))
        .requiring(&Of("GetBucketAnalyticsConfiguration")),
    writes("PutBucketAnalyticsConfiguration", &Typed(listed::put_bucket_analytics_configuration))
        .requiring(&Of("PutBucketAnalyticsConfiguration")),
    writes(
        "DeleteBucketAnalyticsConfiguration",
        &Typed(listed::delete_bucket_analytics_configuration),
    )
    .requiring(&Of("DeleteBucketAnalyticsConfiguration")),
    reads(
        "ListBucketAnalyticsConfigurations",
        &Typed(listed::list_bucket_analytics_configurations),
    )
    .requiring(&Of("ListBucketAnalyticsConfigurations")),
    reads("GetBucketInventoryConfiguration", &Typed(listed::get_bucket_inventory_configuration))
        .requiring(&Of("GetBucketInventoryConfiguration")),
    writes("PutBucketInventoryConfiguration", &Typed(listed::put_bucket_inventory_configuration))
        .requiring(&Of("PutBucketInventoryConfiguration")),
    writes(
        "DeleteBucketInventoryConfiguration",
        &Typed(listed::delete_bucket_inventory_configuration),
    )
    .requiring(&Of("DeleteBucketInventoryConfiguration")),
    reads(
        "ListBucketInventoryConfigurations",
        &Typed(listed::list_bucket_inventory_configurations),
    )
    .requiring(&Of("ListBucketInventoryConfigurations")),
    reads("GetBucketMetricsConfiguration", &Typed(listed::get_bucket_metrics_configuration))
        .requiring(&Of("GetBucketMetricsConfiguration")),
    writes("PutBucketMetricsConfiguration", &Typed(listed::put_bucket_metrics_configuration))
        .requiring(&Of("PutBucketMetricsConfiguration")),
    writes("DeleteBucketMetricsConfiguration", &Typed(listed::delete_bucket_metrics_configuration))
        .requiring(&Of("DeleteBucketMetricsConfiguration")),
    reads("ListBucketMetricsConfigurations", &Typed(listed::list_bucket_metrics_configurations))
        .requiring(&Of("ListBucketMetricsConfigurations")),
    reads(
        "GetBucketIntelligentTieringConfiguration",
        &Typed(listed::get_bucket_intelligent_tiering_configuration),
    )
    .requiring(&Of("GetBucketIntelligentTieringConfiguration")),
    writes(
        "PutBucketIntelligentTieringConfiguration",
        &Typed(listed::put_bucket_intelligent_tiering_configuration),
    )
    .requiring(&Of("PutBucketIntelligentTieringConfiguration")),
    writes(
        "DeleteBucketIntelligentTieringConfiguration",
        &Typed(listed::delete_bucket_intelligent_tiering_configuration),
    )
    .requiring(&Of("DeleteBucketIntelligentTieringConfiguration")),
    reads(
        "ListBucketIntelligentTieringConfigurations",
        &Typed(listed::list_bucket_intelligent_tiering_configurations),
    )
    .requiring(&Of("ListBucketIntelligentTieringConfigurations")),
];
