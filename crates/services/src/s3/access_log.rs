//! Server access logs: a line for every request to a bucket whose owner asked for them, delivered
//! into another bucket of the owner's every five minutes.
//!
//! Lines wait in memory. As AWS delivers them on a best effort, those of the last minutes are gone
//! when the process is killed; the audit history has what happened then, too.
//!
//! Source: Amazon S3 User Guide, "Logging requests with server access logging", "Amazon S3 server
//! access log format".

use super::bucket::{BUCKETS, Bucket};
use super::deliver::{self, Parcel};
use super::{acl, configuration};
use crate::caller::{Caller, Principal};
use crate::context::{Context, Source};
use crate::errors::internal;
use crate::job::{JobKind, Next};
use crate::table::{Scope, Table};
use palisade_model::s3::{BucketLoggingStatus, LoggingEnabled};
use palisade_protocol::percent;
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::{Mutex, OnceLock, PoisonError};

/// Who delivers.
pub const SERVICE: &str = "logging.s3.amazonaws.com";
const PERIOD_SECONDS: i64 = 300;
/// Lines of one bucket that wait; beyond that the oldest are dropped.
const LINES_MAX: usize = 100_000;

/// Delivers the lines of a bucket, whose name is the subject.
pub static DELIVERY: JobKind =
    JobKind { name: "s3/access-log", principal: "s3.amazonaws.com", run: deliver_lines };

/// What a request to a bucket with access logging leaves for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    pub bucket: String,
    pub owner: String,
    /// The ARN of the access point that it came through.
    pub access_point: Option<String>,
}

/// One request, as its line tells it.
pub struct Line<'a> {
    pub logged: &'a Logged,
    pub at: Timestamp,
    pub source_ip: std::net::IpAddr,
    pub caller: &'a Caller,
    pub request_id: &'a str,
    /// The name of the operation in the API.
    pub operation: &'a str,
    pub method: &'a str,
    pub key: Option<&'a str>,
    /// Path and query as they were sent, and the version of HTTP.
    pub uri: &'a str,
    pub version: &'a str,
    pub status: u16,
    pub error: Option<&'a str>,
    pub bytes_sent: Option<u64>,
    pub object_size: Option<u64>,
    pub millis: u128,
    pub referer: Option<&'a str>,
    pub user_agent: Option<&'a str>,
    pub version_id: Option<&'a str>,
    /// `REST-HEADER` or `REST-QUERY-STRING`; none when nobody signed.
    pub auth_type: Option<&'a str>,
    pub cipher_suite: Option<&'a str>,
    pub tls: Option<&'a str>,
    pub host: &'a str,
    /// An access control list let the caller in.
    pub by_acl: bool,
}

/// The kind of resource in `REST.GET.OBJECT`, where the API's name does not end with it.
const RESOURCES: [(&str, &str); 34] = [
    ("AbortMultipartUpload", "UPLOAD"),
    ("CompleteMultipartUpload", "UPLOAD"),
    ("CopyObject", "OBJECT"),
    ("CreateMultipartUpload", "UPLOADS"),
    ("DeleteObjects", "MULTI_OBJECT_DELETE"),
    ("GetBucketAcl", "ACL"),
    ("GetBucketCors", "CORS"),
    ("GetBucketEncryption", "ENCRYPTION"),
    ("GetBucketLifecycleConfiguration", "LIFECYCLE"),
    ("GetBucketLocation", "LOCATION"),
    ("GetBucketLogging", "LOGGING_STATUS"),
    ("GetBucketNotificationConfiguration", "NOTIFICATION"),
    ("GetBucketPolicy", "BUCKETPOLICY"),
    ("GetBucketReplication", "REPLICATION"),
    ("GetBucketTagging", "TAGGING"),
    ("GetBucketVersioning", "VERSIONING"),
    ("GetBucketWebsite", "WEBSITE"),
    ("GetObjectAcl", "ACL"),
    ("GetObjectTagging", "OBJECT_TAGGING"),
    ("ListMultipartUploads", "UPLOADS"),
    ("ListObjectVersions", "BUCKETVERSIONS"),
    ("ListParts", "UPLOAD"),
    ("PutBucketAcl", "ACL"),
    ("PutBucketCors", "CORS"),
    ("PutBucketEncryption", "ENCRYPTION"),
    ("PutBucketLifecycleConfiguration", "LIFECYCLE"),
    ("PutBucketLogging", "LOGGING_STATUS"),
    ("PutBucketPolicy", "BUCKETPOLICY"),
    ("PutBucketTagging", "TAGGING"),
    ("PutBucketVersioning", "VERSIONING"),
    ("PutObjectAcl", "ACL"),
    ("PutObjectTagging", "OBJECT_TAGGING"),
    ("UploadPart", "PART"),
    ("UploadPartCopy", "PART"),
];

fn operation(line: &Line<'_>) -> String {
    let named = RESOURCES.iter().find(|(name, _)| *name == line.operation);
    let other = if line.key.is_some() { "OBJECT" } else { "BUCKET" };
    let resource = named.map_or(other, |(_, resource)| resource);
    let method = match line.operation {
        "CopyObject" | "UploadPartCopy" => "COPY",
        _ => line.method,
    };
    format!("REST.{method}.{resource}")
}

/// Who asked: an ARN, root by its account's canonical id, a service by its name.
fn requester(caller: &Caller) -> String {
    match &caller.principal {
        Principal::Anonymous => "-".to_owned(),
        Principal::Root => acl::canonical_id(&caller.account),
        Principal::Service { name } => format!("svc:{name}"),
        _ => caller.arn.to_string(),
    }
}

/// In quotes, without what would end them or the line.
fn quoted(text: Option<&str>) -> String {
    let Some(text) = text else { return "\"-\"".to_owned() };
    let clean: String = text.chars().filter(|c| !c.is_control() && *c != '"').collect();
    format!("\"{clean}\"")
}

/// The line, without its end.
pub fn format(line: &Line<'_>) -> String {
    let at = jiff::Timestamp::from_second(line.at.seconds()).unwrap_or_default();
    let or_none = |value: Option<u64>| {
        value.filter(|value| *value > 0).map_or("-".to_owned(), |value| value.to_string())
    };
    let text = |value: Option<&str>| value.unwrap_or("-").to_owned();
    let auth = line.auth_type.map(|kind| match kind {
        "REST-HEADER" => "AuthHeader",
        _ => "QueryString",
    });
    let key = line.key.map(|key| percent::encode(key, b"/"));
    let uri = format!("{} {} {}", line.method, line.uri, line.version);
    let fields = [
        acl::canonical_id(&line.logged.owner),
        line.logged.bucket.clone(),
        at.strftime("[%d/%b/%Y:%H:%M:%S +0000]").to_string(),
        line.source_ip.to_string(),
        requester(line.caller),
        line.request_id.to_owned(),
        operation(line),
        text(key.as_deref()),
        quoted(Some(&uri)),
        line.status.to_string(),
        text(line.error),
        or_none(line.bytes_sent),
        or_none(line.object_size),
        line.millis.to_string(),
        "-".to_owned(),
        quoted(line.referer),
        quoted(line.user_agent),
        text(line.version_id),
        line.request_id.to_owned(),
        text(line.auth_type.map(|_| "SigV4")),
        text(line.cipher_suite),
        text(auth),
        if line.host.is_empty() { "-".to_owned() } else { line.host.to_owned() },
        text(line.tls),
        text(line.logged.access_point.as_deref()),
        if line.by_acl { "Yes" } else { "-" }.to_owned(),
    ];
    fields.join(" ")
}

/// The lines that wait, by bucket.
#[derive(Default)]
pub struct AccessLogs {
    /// Tells the lines of this process from those of the one before.
    run: OnceLock<String>,
    waiting: Mutex<BTreeMap<String, Waiting>>,
}

#[derive(Default)]
struct Waiting {
    /// The number of the first line.
    first: u64,
    lines: VecDeque<(Timestamp, String)>,
}

impl AccessLogs {
    pub fn add(&self, bucket: &str, at: Timestamp, line: String) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_bucket = waiting.entry(bucket.to_owned()).or_default();
        if of_bucket.lines.len() >= LINES_MAX {
            of_bucket.lines.pop_front();
            of_bucket.first += 1;
        }
        of_bucket.lines.push_back((at, line));
    }

    /// Drops the lines before `delivered`; the others, and the number after the last of them.
    fn after(&self, bucket: &str, delivered: u64) -> (u64, Vec<(Timestamp, String)>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let of_bucket = waiting.entry(bucket.to_owned()).or_default();
        while of_bucket.first < delivered && of_bucket.lines.pop_front().is_some() {
            of_bucket.first += 1;
        }
        let lines: Vec<_> = of_bucket.lines.iter().cloned().collect();
        (of_bucket.first + lines.len() as u64, lines)
    }
}

/// How far the lines of a bucket are delivered.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Delivered {
    bucket: String,
    run: String,
    until: u64,
}

static DELIVERED: Table<Delivered> = Table::of_private(
    "s3/access-log-delivered",
    Scope::Plane,
    |row: &Delivered| row.bucket.clone(),
    |row| internal(format!("deliveries of {} are there already", row.bucket)),
    |bucket| internal(format!("nothing of {bucket} was delivered")),
);

/// Begins to deliver the lines of a bucket.
pub fn begin(cx: &mut Context, bucket: &Bucket) -> Result<()> {
    let (account, at) = (bucket.account.clone(), cx.now().plus_seconds(PERIOD_SECONDS));
    cx.in_account(&account, |cx| cx.later(&DELIVERY, at, &bucket.name))
}

fn deliver_lines(cx: &mut Context, name: &str) -> Result<Next> {
    let plane = cx.plane;
    let logs = &plane.access_logs;
    let run = logs.run.get_or_init(|| cx.uuid()).clone();
    let delivered = cx.get(&DELIVERED, name)?.filter(|row| row.run == run);
    let (until, lines) = logs.after(name, delivered.map_or(0, |row| row.until));
    let Some(bucket) = cx.get(&BUCKETS, name)? else { return Ok(Next::Done) };
    let found: Option<BucketLoggingStatus> = configuration::get(cx, name, "logging", "")?;
    let Some(wanted) = found.and_then(|found| found.logging_enabled) else {
        return Ok(Next::Done);
    };
    for (day, lines) in by_object(&wanted, lines) {
        let key = key(cx, &bucket, &wanted, day);
        let parcel = Parcel {
            service: SERVICE,
            source: Source { arn: bucket.arn(), account: bucket.account.clone() },
            bucket: &wanted.target_bucket,
            key,
            content_type: "text/plain",
            bytes: lines.as_bytes(),
            kms_key: None,
        };
        match deliver::put(cx, parcel) {
            // Where the target does not let the logs in, they are dropped, as AWS drops them.
            Err(error) if error.code.status >= 500 => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    cx.put(&DELIVERED, &Delivered { bucket: name.to_owned(), run, until })?;
    Ok(Next::Again(cx.now().plus_seconds(PERIOD_SECONDS)))
}

/// The dates of events count in the names of objects, not that of their delivery.
fn by_event(wanted: &LoggingEnabled) -> bool {
    let format = wanted.target_object_key_format.as_ref();
    let partitioned = format.and_then(|format| format.partitioned_prefix.as_ref());
    let source = partitioned.and_then(|partitioned| partitioned.partition_date_source.as_deref());
    source == Some("EventTime")
}

/// The lines of each object, and the day that it is of where that counts.
fn by_object(
    wanted: &LoggingEnabled,
    lines: Vec<(Timestamp, String)>,
) -> Vec<(Option<Timestamp>, String)> {
    let by_event = by_event(wanted);
    let mut objects: BTreeMap<Option<i64>, String> = BTreeMap::new();
    for (at, line) in lines {
        let day = by_event.then(|| at.seconds().div_euclid(86_400) * 86_400);
        let text = objects.entry(day).or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    }
    objects.into_iter().map(|(day, text)| (day.map(Timestamp::from_seconds), text)).collect()
}

/// The name of a log object.
fn key(cx: &Context, bucket: &Bucket, wanted: &LoggingEnabled, day: Option<Timestamp>) -> String {
    let at = day.unwrap_or_else(|| cx.now());
    let at = jiff::Timestamp::from_second(at.seconds()).unwrap_or_default();
    let unique = cx.uuid().replace('-', "").to_uppercase();
    let unique = unique.get(..16).unwrap_or_default();
    let (prefix, time) = (&wanted.target_prefix, at.strftime("%Y-%m-%d-%H-%M-%S"));
    let format = wanted.target_object_key_format.as_ref();
    match format.and_then(|format| format.partitioned_prefix.as_ref()) {
        None => format!("{prefix}{time}-{unique}"),
        Some(_) => {
            let Bucket { account, region, name, .. } = bucket;
            let date = at.strftime("%Y/%m/%d");
            format!("{prefix}{account}/{region}/{name}/{date}/{time}-{unique}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_fields_of_the_format() {
        let logged =
            Logged { bucket: "b".into(), owner: "123456789012".into(), access_point: None };
        let caller = Caller::anonymous();
        let line = Line {
            logged: &logged,
            at: Timestamp::from_seconds(1_549_411_238),
            source_ip: std::net::IpAddr::from([192, 0, 2, 3]),
            caller: &caller,
            request_id: "ID",
            operation: "GetObject",
            method: "GET",
            key: Some("a b"),
            uri: "/b/a%20b",
            version: "HTTP/1.1",
            status: 200,
            error: None,
            bytes_sent: Some(113),
            object_size: Some(113),
            millis: 7,
            referer: None,
            user_agent: Some("S3\"Console\n"),
            version_id: None,
            auth_type: None,
            cipher_suite: None,
            tls: None,
            host: "b.s3.localhost",
            by_acl: false,
        };
        let owner = acl::canonical_id("123456789012");
        let expected = format!(
            "{owner} b [06/Feb/2019:00:00:38 +0000] 192.0.2.3 - ID REST.GET.OBJECT a%20b \
             \"GET /b/a%20b HTTP/1.1\" 200 - 113 113 7 - \"-\" \"S3Console\" - ID - - - \
             b.s3.localhost - - -"
        );
        assert_eq!(format(&line), expected);
        let part = Line { operation: "UploadPartCopy", method: "PUT", ..line };
        assert_eq!(super::operation(&part), "REST.COPY.PART");
    }

    #[test]
    fn lines_wait_until_they_are_delivered() {
        let logs = AccessLogs::default();
        let at = Timestamp::from_seconds(0);
        logs.add("b", at, "1".into());
        logs.add("b", at, "2".into());
        let (until, lines) = logs.after("b", 0);
        assert_eq!((until, lines.len()), (2, 2));
        logs.add("b", at, "3".into());
        let (until, lines) = logs.after("b", until);
        assert_eq!((until, lines.len()), (3, 1));
        for _ in 0..LINES_MAX + 1 {
            logs.add("b", at, "x".into());
        }
        assert_eq!(logs.after("b", 0).1.len(), LINES_MAX);
        assert!(RESOURCES.is_sorted());
    }
}
