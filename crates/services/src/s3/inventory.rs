//! Inventories: lists of a bucket's objects, written daily or weekly into another bucket as gzipped
//! CSV files with a manifest.
//!
//! A round is a chain of jobs, each of which lists some thousand objects into one file.
//!
//! Source: Amazon S3 User Guide, "Cataloging and analyzing your data with S3 Inventory", "Amazon S3
//! Inventory list", "Locating your inventory list".

use super::bucket::{BUCKETS, Bucket};
use super::configuration;
use super::deliver::{self, Parcel};
use super::encryption::Seal;
use super::error;
use super::object::{self, OBJECTS, VERSIONS, Version};
use super::write::hex;
use crate::context::{Context, Source};
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::table::{Scope, Table};
use flate2::Compression;
use flate2::write::GzEncoder;
use md5::{Digest as _, Md5};
use palisade_model::s3::InventoryConfiguration;
use palisade_protocol::percent;
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::io::Write as _;

const SERVICE: &str = "s3.amazonaws.com";
const DAY: i64 = 86_400;
/// Rows of one file.
const BATCH: usize = 5_000;
/// Fields that these inventories cannot have.
const UNKNOWN: [&str; 1] = ["ObjectAccessControlList"];

/// Begins a round. The subject is bucket and configuration: `bucket/id`.
pub static ROUND: JobKind = JobKind { name: "s3/inventory-round", principal: SERVICE, run: round };

/// Writes one file, or the manifest. The subject is that of the round.
pub static STEP: JobKind = JobKind { name: "s3/inventory-step", principal: SERVICE, run: step };

/// A round that is under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Run {
    /// `bucket/id`
    of: String,
    started_millis: i64,
    /// Versions behind the current ones are being listed.
    behind: bool,
    /// The row to go on after.
    after: Option<String>,
    files: Vec<File>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct File {
    key: String,
    size: usize,
    #[serde(rename = "MD5checksum")]
    md5: String,
}

static RUNS: Table<Run> = Table::of_private(
    "s3/inventory-run",
    Scope::Plane,
    |run: &Run| run.of.clone(),
    |run| internal(format!("inventory {} is under way already", run.of)),
    |of| internal(format!("inventory {of} is not under way")),
);

/// Refuses what S3 refuses, and says what is not here.
pub fn check(wanted: &InventoryConfiguration) -> Result<()> {
    let target = &wanted.destination.s3_bucket_destination;
    if !target.bucket.starts_with("arn:aws:s3:::") {
        return Err(error::malformed_xml());
    }
    let fields = wanted.optional_fields.iter().flatten();
    let unknown = fields.map(String::as_str).find(|field| UNKNOWN.contains(field));
    if let Some(field) = unknown {
        return Err(error::NOT_IMPLEMENTED
            .because(format!("Palisade's inventories do not have {field} yet.")));
    }
    match target.format.as_str() {
        "CSV" => Ok(()),
        other => Err(error::NOT_IMPLEMENTED
            .because(format!("Palisade writes inventories as CSV, not as {other}, yet."))),
    }
}

fn next_midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds((now.seconds().div_euclid(DAY) + 1) * DAY)
}

/// Begins to follow a configuration that was not there before.
pub fn begin(cx: &mut Context, bucket: &Bucket, id: &str) -> Result<()> {
    let (account, at) = (bucket.account.clone(), next_midnight(cx.now()));
    let of = format!("{}/{id}", bucket.name);
    cx.in_account(&account, |cx| cx.later(&ROUND, at, &of))
}

fn found(cx: &Context, of: &str) -> Result<Option<(Bucket, InventoryConfiguration)>> {
    let Some((name, id)) = of.split_once('/') else { return Ok(None) };
    let Some(bucket) = cx.get(&BUCKETS, name)? else { return Ok(None) };
    let wanted = configuration::get(cx, name, "inventory", id)?;
    Ok(wanted.map(|wanted| (bucket, wanted)))
}

fn round(cx: &mut Context, of: &str) -> Result<Next> {
    let Some((_, wanted)) = found(cx, of)? else { return Ok(Next::Done) };
    // 1970-01-01 was a Thursday; weekly inventories are of Sundays.
    let sunday = (cx.now().seconds().div_euclid(DAY) + 4).rem_euclid(7) == 0;
    if wanted.is_enabled && (wanted.schedule.frequency == "Daily" || sunday) {
        let started_millis = cx.now().millis();
        let of_run = of.to_owned();
        let run = Run { of: of_run, started_millis, behind: false, after: None, files: Vec::new() };
        cx.put(&RUNS, &run)?;
        cx.later(&STEP, cx.now(), of)?;
    }
    Ok(Next::Again(next_midnight(cx.now())))
}

fn step(cx: &mut Context, of: &str) -> Result<Next> {
    let Some(mut run) = cx.get(&RUNS, of)? else { return Ok(Next::Done) };
    let Some((bucket, wanted)) = found(cx, of)? else {
        cx.delete(&RUNS, of)?;
        return Ok(Next::Done);
    };
    let (rows, more) = rows(cx, &bucket, &wanted, &run)?;
    let written = match rows.is_empty() {
        true => Ok(None),
        false => list(cx, &bucket, &wanted, &rows).map(Some),
    };
    let all = wanted.included_object_versions == "All";
    let ended = more.is_none() && (run.behind || !all);
    let done = match written {
        Ok(file) => {
            run.files.extend(file);
            if ended { manifest(cx, &bucket, &wanted, &run) } else { Ok(()) }
        }
        Err(error) => Err(error),
    };
    match done {
        Err(error) if error.code.status >= 500 => return Err(error),
        // Where the destination does not let it in there is no inventory, as in AWS.
        Ok(()) if !ended => {
            run.behind |= more.is_none();
            run.after = more;
            cx.put(&RUNS, &run)?;
            cx.later(&STEP, cx.now(), of)?;
        }
        Ok(()) | Err(_) => {
            cx.delete(&RUNS, of)?;
        }
    }
    Ok(Next::Done)
}

type Rows = (Vec<(Version, bool)>, Option<String>);

/// The next versions, each with whether it is the newest of its key, and where to go on.
fn rows(cx: &Context, bucket: &Bucket, wanted: &InventoryConfiguration, run: &Run) -> Result<Rows> {
    let prefix = wanted.filter.as_ref().map_or("", |filter| filter.prefix.as_str());
    let after = run.after.as_deref();
    let start = match run.behind {
        false => format!("{}/{prefix}", bucket.name),
        true => format!("{}/{}", bucket.name, object::escaped(prefix)),
    };
    let table = if run.behind { &VERSIONS } else { &OBJECTS };
    let rows = cx.scan(table, &start, after, BATCH)?;
    let more = rows.last().map(|(key, _)| key.clone()).filter(|_| rows.len() == BATCH);
    let latest = |version: &Version| -> Result<bool> {
        if !run.behind {
            return Ok(true);
        }
        let newest = object::newest_behind(cx, &bucket.name, &version.key)?;
        let is_newest = newest.is_some_and(|newest| newest.order == version.order);
        Ok(is_newest && object::current(cx, &bucket.name, &version.key)?.is_none())
    };
    let marked = rows.into_iter().map(|(_, version)| {
        let latest = latest(&version)?;
        Ok((version, latest))
    });
    Ok((marked.collect::<Result<_>>()?, more))
}

/// The columns: what all lists have, and what the configuration asks for.
fn columns(wanted: &InventoryConfiguration) -> Vec<&str> {
    let mut columns = vec!["Bucket", "Key"];
    if wanted.included_object_versions == "All" {
        columns.extend(["VersionId", "IsLatest", "IsDeleteMarker"]);
    }
    columns.extend(wanted.optional_fields.iter().flatten().map(String::as_str));
    columns
}

fn field(version: &Version, latest: bool, column: &str) -> String {
    let date = |millis: i64| {
        let at = jiff::Timestamp::from_millisecond(millis).unwrap_or_default();
        at.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
    };
    let (lock, marker) = (&version.lock, version.marker);
    match column {
        "Bucket" => version.bucket.clone(),
        "Key" => percent::encode(&version.key, b"/"),
        "VersionId" => version.id().to_owned(),
        "IsLatest" => latest.to_string(),
        "IsDeleteMarker" => marker.to_string(),
        "LastModifiedDate" => date(version.modified * 1000),
        "ObjectOwner" => super::acl::canonical_id(&version.owner),
        // A delete marker has none of what follows.
        _ if marker => String::new(),
        "Size" => version.size.to_string(),
        "ETag" => version.etag.clone(),
        "StorageClass" => version.storage_class.clone(),
        "IsMultipartUploaded" => (version.parts > 0).to_string(),
        "ReplicationStatus" => {
            version.replication.map_or(String::new(), |status| status.name().to_owned())
        }
        "EncryptionStatus" => match &version.seal {
            Some(Seal::S3 { .. }) => "SSE-S3".to_owned(),
            Some(Seal::Customer { .. }) => "SSE-C".to_owned(),
            Some(Seal::Kms { dual: false, .. }) => "SSE-KMS".to_owned(),
            Some(Seal::Kms { dual: true, .. }) => "DSSE-KMS".to_owned(),
            None => "NOT-SSE".to_owned(),
        },
        "BucketKeyStatus" => match &version.seal {
            Some(Seal::Kms { bucket_key, .. }) => {
                if *bucket_key { "ENABLED" } else { "DISABLED" }.to_owned()
            }
            _ => "DISABLED".to_owned(),
        },
        "ObjectLockRetainUntilDate" => lock.until_millis.map_or(String::new(), date),
        "ObjectLockMode" => lock.mode.clone().unwrap_or_default(),
        "ObjectLockLegalHoldStatus" => lock.legal_hold.clone().unwrap_or_default(),
        "ChecksumAlgorithm" => {
            version.checksum.as_ref().map_or(String::new(), |it| it.algorithm.name().to_owned())
        }
        _ => String::new(),
    }
}

/// Writes a file of the list.
fn list(
    cx: &mut Context,
    bucket: &Bucket,
    wanted: &InventoryConfiguration,
    rows: &[(Version, bool)],
) -> Result<File> {
    let columns = columns(wanted);
    let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
    for (version, latest) in rows {
        let fields = columns.iter().map(|column| {
            let text = field(version, *latest, column).replace('"', "\"\"");
            format!("\"{text}\"")
        });
        let line = fields.collect::<Vec<_>>().join(",");
        writeln!(zipped, "{line}").map_err(internal)?;
    }
    let bytes = zipped.finish().map_err(internal)?;
    let key = format!("{}/data/{}.csv.gz", folder(bucket, wanted), cx.uuid());
    put(cx, bucket, wanted, (key.clone(), "application/gzip"), &bytes)?;
    Ok(File { key, size: bytes.len(), md5: hex(&Md5::digest(&bytes)) })
}

/// Where the inventories of a configuration are.
fn folder(bucket: &Bucket, wanted: &InventoryConfiguration) -> String {
    let prefix = wanted.destination.s3_bucket_destination.prefix.as_deref().unwrap_or_default();
    let between = if prefix.is_empty() || prefix.ends_with('/') { "" } else { "/" };
    format!("{prefix}{between}{}/{}", bucket.name, wanted.id)
}

fn put(
    cx: &mut Context,
    bucket: &Bucket,
    wanted: &InventoryConfiguration,
    (key, content_type): (String, &str),
    bytes: &[u8],
) -> Result<()> {
    let target = &wanted.destination.s3_bucket_destination;
    let kms = target.encryption.as_ref().and_then(|encryption| encryption.ssekms.as_ref());
    let parcel = Parcel {
        service: SERVICE,
        source: Source { arn: bucket.arn(), account: bucket.account.clone() },
        bucket: target.bucket.trim_start_matches("arn:aws:s3:::"),
        key,
        content_type,
        bytes,
        kms_key: kms.map(|kms| kms.key_id.clone()),
    };
    deliver::put(cx, parcel)
}

/// Writes the manifest and its checksum: the inventory is complete.
fn manifest(
    cx: &mut Context,
    bucket: &Bucket,
    wanted: &InventoryConfiguration,
    run: &Run,
) -> Result<()> {
    let text = serde_json::json!({
        "sourceBucket": bucket.name,
        "destinationBucket": wanted.destination.s3_bucket_destination.bucket,
        "version": "2016-11-30",
        "creationTimestamp": run.started_millis.to_string(),
        "fileFormat": "CSV",
        "fileSchema": columns(wanted).join(", "),
        "files": run.files,
    });
    let text = serde_json::to_vec_pretty(&text).map_err(internal)?;
    let at = jiff::Timestamp::from_millisecond(run.started_millis).unwrap_or_default();
    let folder = format!("{}/{}", folder(bucket, wanted), at.strftime("%Y-%m-%dT%H-%MZ"));
    let json = (format!("{folder}/manifest.json"), "application/json");
    put(cx, bucket, wanted, json, &text)?;
    let checksum = hex(&Md5::digest(&text));
    let plain = (format!("{folder}/manifest.checksum"), "text/plain");
    put(cx, bucket, wanted, plain, checksum.as_bytes())
}
