//! Buckets: their records, and the calls that make, find and remove them.
//!
//! A bucket's name is unique in the plane, whatever account made it. What decides about a bucket
//! stands in one record; configurations that only clients read stand beside it
//! ([`super::configuration`]).
//!
//! Source: Amazon S3 API Reference; User Guide, "Bucket naming rules".

use super::access_point;
use super::acl::{self, Grants};
use super::error::{
    self, BUCKET_ALREADY_EXISTS, BUCKET_ALREADY_OWNED_BY_YOU, BUCKET_NOT_EMPTY, ILLEGAL_LOCATION,
    INVALID_LOCATION, TOO_MANY_BUCKETS,
};
use super::object::{OBJECTS, VERSIONS};
use super::{bucket_name, configuration, upload};
use crate::context::Context;
use crate::errors::internal;
use crate::page;
use crate::table::{Scope, Table};
use palisade_model::s3::{
    Bucket as Shown, CreateBucketOutput, CreateBucketRequest, DeleteBucketRequest,
    GetBucketLocationOutput, GetBucketLocationRequest, HeadBucketOutput, HeadBucketRequest,
    ListBucketsOutput, ListBucketsRequest, Owner,
};
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// General purpose buckets of an account (AWS General Reference, "Amazon S3 quotas").
const BUCKETS_MAX: usize = 10_000;
const LIST_MAX: i32 = 10_000;

/// One bucket.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bucket {
    pub name: String,
    /// The account that owns it.
    pub account: String,
    pub region: String,
    /// Milliseconds since the epoch.
    pub created_millis: i64,
    #[serde(default)]
    pub versioning: Versioning,
    #[serde(default)]
    pub mfa_delete: bool,
    /// The object ownership setting; none after it was deleted, which is `ObjectWriter`.
    pub ownership: Option<String>,
    /// Object lock is on and cannot be turned off.
    #[serde(default)]
    pub lock: Option<Lock>,
    #[serde(default)]
    pub policy: Option<String>,
    #[serde(default)]
    pub block: Option<PublicAccessBlock>,
    #[serde(default)]
    pub grants: Grants,
    #[serde(default)]
    pub tags: Vec<(String, String)>,
    /// Tags of the bucket decide (`aws:ResourceTag`).
    #[serde(default)]
    pub abac: bool,
    #[serde(default)]
    pub encryption: DefaultEncryption,
    /// Requesters pay; the owner otherwise.
    #[serde(default)]
    pub requester_pays: bool,
    /// Its requests are logged: see [`super::access_log`].
    #[serde(default)]
    pub logged: bool,
    /// Its new versions may be replicated: see [`super::replication`].
    #[serde(default)]
    pub replicates: bool,
}

/// Whether a bucket keeps versions. There is no way back to `Never`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// Object lock of a bucket, with the retention that new objects get.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    pub mode: Option<String>,
    pub days: Option<i32>,
    pub years: Option<i32>,
}

/// The four settings of a public access block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicAccessBlock {
    pub block_acls: bool,
    pub ignore_acls: bool,
    pub block_policy: bool,
    pub restrict: bool,
}

impl PublicAccessBlock {
    pub const ALL: Self =
        Self { block_acls: true, ignore_acls: true, block_policy: true, restrict: true };

    /// What holds when both are in force.
    pub fn with(self, other: Self) -> Self {
        Self {
            block_acls: self.block_acls || other.block_acls,
            ignore_acls: self.ignore_acls || other.ignore_acls,
            block_policy: self.block_policy || other.block_policy,
            restrict: self.restrict || other.restrict,
        }
    }
}

/// How objects are encrypted whose requests do not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefaultEncryption {
    /// `AES256`, `aws:kms` or `aws:kms:dsse`.
    pub algorithm: String,
    pub key_id: Option<String>,
    pub bucket_key: bool,
    /// Kinds of encryption that requests may not ask for: `SSE-C`.
    #[serde(default)]
    pub blocked: Vec<String>,
}

impl Default for DefaultEncryption {
    fn default() -> Self {
        let algorithm = "AES256".to_owned();
        Self { algorithm, key_id: None, bucket_key: false, blocked: Vec::new() }
    }
}

pub static BUCKETS: Table<Bucket> = Table::of_private(
    "s3/bucket",
    Scope::Plane,
    |bucket: &Bucket| bucket.name.clone(),
    |bucket| {
        let name = bucket.name.clone();
        BUCKET_ALREADY_EXISTS
            .because(
                "The requested bucket name is not available. The bucket namespace is shared by all \
                 users of the system. Please select a different name and try again.",
            )
            .with("BucketName", name)
    },
    error::no_such_bucket,
);

/// The names of an account's buckets.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Owned {
    name: String,
}

static OWNED: Table<Owned> = Table::of_private(
    "s3/owned-bucket",
    Scope::Account,
    |owned: &Owned| owned.name.clone(),
    |owned| internal(format!("bucket {} is owned already", owned.name)),
    error::no_such_bucket,
);

impl Bucket {
    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{}", self.name)
    }

    /// `BucketOwnerEnforced`, `BucketOwnerPreferred` or `ObjectWriter`.
    pub fn ownership(&self) -> &str {
        self.ownership.as_deref().unwrap_or("ObjectWriter")
    }

    /// Access control lists count for nothing.
    pub fn acls_disabled(&self) -> bool {
        self.ownership() == "BucketOwnerEnforced"
    }

    pub fn keeps_versions(&self) -> bool {
        self.versioning != Versioning::Never
    }
}

/// The bucket of that name, or behind the access point of that name, or S3's answer that there is
/// none.
pub fn load(cx: &Context, name: &str) -> Result<Bucket> {
    let Some(point) = access_point::named(cx, name)? else { return cx.find(&BUCKETS, name) };
    let bucket = cx.find(&BUCKETS, &point.bucket)?;
    // The name may have come to somebody else since.
    if bucket.account == point.bucket_account { Ok(bucket) } else { Err((BUCKETS.missing)(name)) }
}

/// The buckets of the account that the context sees.
pub fn owned(cx: &Context) -> Result<Vec<Bucket>> {
    cx.all(&OWNED, "")?.iter().map(|row| load(cx, &row.name)).collect()
}

/// Stores a changed bucket.
pub fn save(cx: &mut Context, bucket: &Bucket) -> Result<()> {
    touch(cx, bucket);
    cx.put(&BUCKETS, bucket)
}

/// Names the bucket in the audit record.
pub fn touch(cx: &mut Context, bucket: &Bucket) {
    let (account, arn) = (bucket.account.clone(), bucket.arn());
    cx.in_account(&account, |cx| cx.touch("AWS::S3::Bucket", arn));
    if *cx.caller.account != *account {
        cx.notes.shared_with.push(account);
    }
}

/// Makes a bucket. Making one's own again is an error but in us-east-1, where it is none.
pub fn create_bucket(cx: &mut Context, input: CreateBucketRequest) -> Result<CreateBucketOutput> {
    let name = input.bucket.clone();
    bucket_name::check(&name)?;
    let region = region(cx, &input)?;
    if let Some(there) = cx.get(&BUCKETS, &name)? {
        return again(cx, &there, &region);
    }
    if cx.scan(&OWNED, "", None, BUCKETS_MAX)?.len() >= BUCKETS_MAX {
        let message = "You have attempted to create more buckets than allowed";
        return Err(TOO_MANY_BUCKETS.because(message));
    }
    let CreateBucketRequest {
        acl: _,
        bucket: _,
        create_bucket_configuration,
        grant_full_control: _,
        grant_read: _,
        grant_read_acp: _,
        grant_write: _,
        grant_write_acp: _,
        object_lock_enabled_for_bucket,
        object_ownership,
        bucket_namespace: _,
    } = &input;
    let locked = *object_lock_enabled_for_bucket == Some(true);
    let ownership = object_ownership.clone().unwrap_or_else(|| "BucketOwnerEnforced".to_owned());
    let tags = create_bucket_configuration.as_ref().and_then(|wanted| wanted.tags.as_ref());
    let tags: Vec<_> =
        tags.into_iter().flatten().map(|tag| (tag.key.clone(), tag.value.clone())).collect();
    super::tagging::check(&tags, super::tagging::BUCKET_TAGS_MAX)?;
    let mut bucket = Bucket {
        name: name.clone(),
        account: cx.account().to_owned(),
        region: region.clone(),
        created_millis: cx.now().whole_seconds().millis(),
        versioning: if locked { Versioning::Enabled } else { Versioning::Never },
        ownership: Some(ownership),
        lock: locked.then(Lock::default),
        block: Some(PublicAccessBlock::ALL),
        tags,
        ..Bucket::default()
    };
    let account = bucket.account.clone();
    bucket.grants = acl::requested(cx, &input, &account, &account)?
        .unwrap_or_else(|| Grants::private(&account));
    acl::check_new_bucket(&bucket, &input)?;
    cx.insert(&OWNED, &Owned { name: name.clone() })?;
    save(cx, &bucket)?;
    let location = match region.as_str() {
        "us-east-1" => format!("/{name}"),
        _ => format!("http://{name}.s3.amazonaws.com/"),
    };
    Ok(CreateBucketOutput { location: Some(location), bucket_arn: Some(bucket.arn()) })
}

/// The answer where the name is taken.
fn again(cx: &Context, there: &Bucket, region: &str) -> Result<CreateBucketOutput> {
    if there.account != cx.account() {
        return Err((BUCKETS.taken)(there));
    }
    if there.region == "us-east-1" && region == "us-east-1" {
        let location = Some(format!("/{}", there.name));
        return Ok(CreateBucketOutput { location, bucket_arn: Some(there.arn()) });
    }
    Err(BUCKET_ALREADY_OWNED_BY_YOU
        .because(
            "Your previous request to create the named bucket succeeded and you already own it.",
        )
        .with("BucketName", there.name.clone()))
}

/// The region of a new bucket: that of the endpoint, which the constraint must name.
fn region(cx: &Context, input: &CreateBucketRequest) -> Result<String> {
    let wanted = input.create_bucket_configuration.as_ref();
    let constraint = wanted.and_then(|wanted| wanted.location_constraint.as_deref());
    let here = cx.region();
    let constraint = match constraint {
        None | Some("") if here == "us-east-1" => return Ok(here.to_owned()),
        None | Some("") => {
            return Err(ILLEGAL_LOCATION.because(
                "The unspecified location constraint is incompatible for the region specific \
                 endpoint this request was sent to.",
            ));
        }
        Some("EU") => "eu-west-1",
        Some(constraint) => constraint,
    };
    if constraint == "us-east-1" {
        return Err(INVALID_LOCATION
            .because("The specified location-constraint is not valid")
            .with("LocationConstraint", constraint));
    }
    if here != constraint && here != "us-east-1" {
        return Err(ILLEGAL_LOCATION.because(format!(
            "The {constraint} location constraint is incompatible for the region specific endpoint \
             this request was sent to."
        )));
    }
    Ok(constraint.to_owned())
}

/// Whether the bucket is there and one's to list.
pub fn head_bucket(cx: &mut Context, input: HeadBucketRequest) -> Result<HeadBucketOutput> {
    let bucket = load(cx, &input.bucket)?;
    Ok(HeadBucketOutput {
        bucket_arn: Some(bucket.arn()),
        bucket_location_type: None,
        bucket_location_name: None,
        bucket_region: Some(bucket.region),
        access_point_alias: Some(bucket.name != input.bucket),
    })
}

/// The location constraint, which us-east-1 has none of.
pub fn get_bucket_location(
    cx: &mut Context,
    input: GetBucketLocationRequest,
) -> Result<GetBucketLocationOutput> {
    let region = load(cx, &input.bucket)?.region;
    let location_constraint = (region != "us-east-1").then_some(region);
    Ok(GetBucketLocationOutput { location_constraint })
}

/// The account's own buckets, by name.
pub fn list_buckets(cx: &mut Context, input: ListBucketsRequest) -> Result<ListBucketsOutput> {
    let ListBucketsRequest { max_buckets, continuation_token, prefix, bucket_region } = input;
    let most = max_buckets.unwrap_or(LIST_MAX).clamp(1, LIST_MAX);
    let size = usize::try_from(most).unwrap_or_default();
    let mut after = page::start(continuation_token.as_deref(), &error::INVALID_ARGUMENT)?;
    let mut found = Vec::new();
    let start = prefix.clone().unwrap_or_default();
    while found.len() <= size {
        let rows = cx.scan(&OWNED, &start, after.as_deref(), size + 1 - found.len())?;
        let Some((last, _)) = rows.last() else { break };
        after = Some(last.clone());
        for (name, _) in rows {
            let bucket = load(cx, &name)?;
            if bucket_region.as_ref().is_none_or(|region| *region == bucket.region) {
                found.push((name, bucket));
            }
        }
    }
    let page = page::cut(found, size);
    let paged = max_buckets.is_some() || prefix.is_some() || bucket_region.is_some();
    let shown = |bucket: Bucket| Shown {
        creation_date: Some(Timestamp::from_millis(bucket.created_millis)),
        bucket_region: paged.then(|| bucket.region.clone()),
        bucket_arn: Some(bucket.arn()),
        name: Some(bucket.name),
    };
    Ok(ListBucketsOutput {
        buckets: Some(page.items.into_iter().map(shown).collect()),
        owner: Some(owner(cx.account())),
        continuation_token: page.next,
        prefix,
    })
}

/// An account as the owner of something.
pub fn owner(account: &str) -> Owner {
    Owner { display_name: None, id: Some(acl::canonical_id(account)) }
}

/// Removes a bucket that holds nothing any more.
pub fn delete_bucket(cx: &mut Context, input: DeleteBucketRequest) -> Result<Nothing> {
    let bucket = load(cx, &input.bucket)?;
    access_point::check_none_attached(cx, &bucket)?;
    let start = format!("{}/", bucket.name);
    let is_empty = cx.scan(&OBJECTS, &start, None, 1)?.is_empty();
    if !is_empty || !cx.scan(&VERSIONS, &start, None, 1)?.is_empty() {
        let message = match bucket.keeps_versions() && is_empty {
            true => {
                "The bucket you tried to delete is not empty. You must delete all versions in the \
                 bucket."
            }
            false => "The bucket you tried to delete is not empty",
        };
        return Err(BUCKET_NOT_EMPTY.because(message).with("BucketName", bucket.name));
    }
    upload::abort_all(cx, &bucket.name)?;
    configuration::forget(cx, &bucket.name)?;
    touch(cx, &bucket);
    let name = bucket.name.clone();
    cx.in_account(&bucket.account, |cx| cx.delete(&OWNED, &name))?;
    cx.delete(&BUCKETS, &bucket.name)?;
    Ok(Nothing)
}
