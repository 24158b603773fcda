//! Following lifecycle rules: once a day, at midnight UTC on the plane's clock, a few hundred
//! objects a transaction.
//!
//! Source: Amazon S3 User Guide, "Lifecycle configuration elements".

use super::bucket::{self, BUCKETS, Bucket, Versioning};
use super::object::{self, OBJECTS, VERSIONS, Version};
use super::upload::{self, UPLOADS};
use super::{configuration, lock};
use crate::context::Context;
use crate::job::{JobKind, Next};
use palisade_model::s3::{BucketLifecycleConfiguration, LifecycleRule, Tag};
use palisade_shape::{Result, Timestamp};

const DAY: i64 = 86_400;
/// Rows looked at in one transaction.
const BATCH: usize = 500;
/// Smaller objects are not moved to other storage classes, unless a rule's filter says a size.
const MOVED_BYTES_MIN: u64 = 128 << 10;

/// Begins a bucket's daily round. The subject is the bucket's name.
pub static ROUND: JobKind =
    JobKind { name: "s3/lifecycle-round", principal: "s3.amazonaws.com", run: round };

/// Goes on with a round: the subject is a phase, the bucket and the row to go on behind.
pub static STEP: JobKind =
    JobKind { name: "s3/lifecycle-step", principal: "s3.amazonaws.com", run: step };

fn next_midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_seconds((now.seconds().div_euclid(DAY) + 1) * DAY)
}

/// Begins to follow the rules of a bucket that had none.
pub fn begin(cx: &mut Context, bucket: &Bucket) -> Result<()> {
    let (account, at) = (bucket.account.clone(), next_midnight(cx.now()));
    cx.in_account(&account, |cx| cx.later(&ROUND, at, &bucket.name))
}

fn rules(cx: &Context, bucket: &str) -> Result<Vec<LifecycleRule>> {
    let found: Option<BucketLifecycleConfiguration> =
        configuration::get(cx, bucket, "lifecycle", "")?;
    let enabled = |rule: &LifecycleRule| rule.status == "Enabled";
    Ok(found.map(|found| found.rules).unwrap_or_default().into_iter().filter(enabled).collect())
}

fn round(cx: &mut Context, name: &str) -> Result<Next> {
    let found: Option<BucketLifecycleConfiguration> =
        configuration::get(cx, name, "lifecycle", "")?;
    if found.is_none() || !cx.exists(&BUCKETS, name)? {
        return Ok(Next::Done);
    }
    cx.later(&STEP, cx.now(), &format!("current {name}/"))?;
    Ok(Next::Again(next_midnight(cx.now())))
}

fn step(cx: &mut Context, subject: &str) -> Result<Next> {
    let (phase, after) = subject.split_once(' ').unwrap_or((subject, ""));
    let name = after.split('/').next().unwrap_or_default().to_owned();
    let Some(bucket) = cx.get(&BUCKETS, &name)? else { return Ok(Next::Done) };
    let rules = rules(cx, &name)?;
    if rules.is_empty() {
        return Ok(Next::Done);
    }
    let (last, then) = match phase {
        "current" => (current(cx, &bucket, &rules, after)?, Some("behind")),
        "behind" => (behind(cx, &bucket, &rules, after)?, Some("uploads")),
        _ => (uploads(cx, &bucket, &rules, after)?, None),
    };
    let next = match (last, then) {
        (Some(last), _) => format!("{phase} {last}"),
        (None, Some(then)) => format!("{then} {name}/"),
        (None, None) => return Ok(Next::Done),
    };
    cx.later(&STEP, cx.now(), &next)?;
    Ok(Next::Done)
}

/// Whether a rule is about a version.
fn concerns(rule: &LifecycleRule, version: &Version) -> bool {
    let tagged =
        |tag: &Tag| version.tags.iter().any(|(key, value)| *key == tag.key && *value == tag.value);
    let sized = |more: Option<i64>, less: Option<i64>| {
        let size = i64::try_from(version.size).unwrap_or(i64::MAX);
        more.is_none_or(|more| size > more) && less.is_none_or(|less| size < less)
    };
    let begins = |prefix: &Option<String>| {
        prefix.as_ref().is_none_or(|prefix| version.key.starts_with(prefix.as_str()))
    };
    let Some(filter) = &rule.filter else { return begins(&rule.prefix) };
    let and = filter.and.as_ref().is_none_or(|and| {
        begins(&and.prefix)
            && and.tags.iter().flatten().all(tagged)
            && sized(and.object_size_greater_than, and.object_size_less_than)
    });
    begins(&filter.prefix)
        && filter.tag.as_ref().is_none_or(tagged)
        && sized(filter.object_size_greater_than, filter.object_size_less_than)
        && and
}

/// When so many days from then are over: the midnight after.
fn due(from: i64, days: i32) -> i64 {
    (from + i64::from(days) * DAY + DAY - 1).div_euclid(DAY) * DAY
}

/// When a rule expires an object, if it does.
fn expires(rule: &LifecycleRule, version: &Version) -> Option<i64> {
    let expiration = rule.expiration.as_ref().filter(|_| concerns(rule, version))?;
    let by_days = expiration.days.map(|days| due(version.modified, days));
    by_days.or(expiration.date.map(Timestamp::seconds))
}

/// Unix seconds as headers have them.
pub fn http_date(at: i64) -> String {
    let date = jiff::Timestamp::from_second(at).unwrap_or_default();
    date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

/// The header `x-amz-expiration` of an object that a rule expires.
pub fn expiration(cx: &Context, version: &Version) -> Result<Option<String>> {
    let rules = rules(cx, &version.bucket)?;
    let dated = rules.iter().filter_map(|rule| Some((expires(rule, version)?, rule)));
    let Some((at, rule)) = dated.min_by_key(|(at, _)| *at) else { return Ok(None) };
    let date = http_date(at);
    let id = rule.id.as_deref().unwrap_or_default();
    Ok(Some(format!("expiry-date=\"{date}\", rule-id=\"{id}\"")))
}

/// The class that rules have an object in by now; none when it is to stay where it is.
fn moved_to(rules: &[LifecycleRule], version: &Version, now: i64) -> Option<String> {
    let sized = |rule: &LifecycleRule| {
        rule.filter.as_ref().is_some_and(|filter| {
            filter.object_size_greater_than.is_some()
                || filter.and.as_ref().is_some_and(|and| and.object_size_greater_than.is_some())
        })
    };
    let concerned = rules.iter().filter(|rule| concerns(rule, version));
    let large = concerned.filter(|rule| version.size >= MOVED_BYTES_MIN || sized(rule));
    let transitions = large.flat_map(|rule| rule.transitions.iter().flatten());
    let dated = transitions.filter_map(|transition| {
        let by_days = transition.days.map(|days| due(version.modified, days));
        let at = by_days.or(transition.date.map(Timestamp::seconds))?;
        Some((at, transition.storage_class.clone()?))
    });
    let latest = dated.filter(|(at, _)| *at <= now).max_by_key(|(at, _)| *at);
    latest.map(|(_, class)| class).filter(|class| *class != version.storage_class)
}

/// Expires and moves current versions; tells where to go on.
fn current(
    cx: &mut Context,
    bucket: &Bucket,
    rules: &[LifecycleRule],
    after: &str,
) -> Result<Option<String>> {
    let now = cx.now().seconds();
    let rows = cx.scan(&OBJECTS, &format!("{}/", bucket.name), Some(after), BATCH)?;
    let last = rows.last().map(|(key, _)| key.clone()).filter(|_| rows.len() == BATCH);
    for (_, version) in rows {
        if rules.iter().filter_map(|rule| expires(rule, &version)).any(|at| at <= now) {
            expire(cx, bucket, &version)?;
        } else if let Some(storage_class) = moved_to(rules, &version, now) {
            object::update(cx, &Version { storage_class, ..version })?;
        }
    }
    Ok(last)
}

fn expire(cx: &mut Context, bucket: &Bucket, version: &Version) -> Result<()> {
    if bucket.versioning == Versioning::Never {
        return object::remove(cx, version);
    }
    let marker = Version {
        bucket: bucket.name.clone(),
        key: version.key.clone(),
        order: object::new_order(cx),
        owner: bucket.account.clone(),
        modified: cx.now().seconds(),
        marker: true,
        ..Version::default()
    };
    object::store(cx, bucket, marker).map(drop)
}

/// Removes versions behind the current ones, and delete markers that hide nothing any more.
fn behind(
    cx: &mut Context,
    bucket: &Bucket,
    rules: &[LifecycleRule],
    after: &str,
) -> Result<Option<String>> {
    let rows = cx.scan(&VERSIONS, &format!("{}/", bucket.name), Some(after), BATCH)?;
    let last = rows.last().map(|(key, _)| key.clone()).filter(|_| rows.len() == BATCH);
    for (_, version) in rows {
        let gone = match version.marker && version.noncurrent_since == 0 {
            true => hides_nothing(cx, &version)? && marker_expires(rules, &version),
            false => old_expires(cx, rules, &version)?,
        };
        if gone && lock::check_removal(cx, &version, false).is_ok() {
            object::remove(cx, &version)?;
        }
    }
    Ok(last)
}

/// Whether a delete marker is all that there is of its key.
fn hides_nothing(cx: &Context, marker: &Version) -> Result<bool> {
    if object::current(cx, &marker.bucket, &marker.key)?.is_some() {
        return Ok(false);
    }
    let start = object::version_key(&marker.bucket, &marker.key, "");
    Ok(cx.scan(&VERSIONS, &start, None, 2)?.len() == 1)
}

fn marker_expires(rules: &[LifecycleRule], marker: &Version) -> bool {
    let wanted = |rule: &&LifecycleRule| {
        let expiration = rule.expiration.as_ref();
        expiration.is_some_and(|it| it.expired_object_delete_marker == Some(true))
    };
    rules.iter().filter(wanted).any(|rule| concerns(rule, marker))
}

/// Whether a rule removes a version that is not the current one any more.
fn old_expires(cx: &Context, rules: &[LifecycleRule], version: &Version) -> Result<bool> {
    let now = cx.now().seconds();
    let since =
        if version.noncurrent_since == 0 { version.modified } else { version.noncurrent_since };
    for rule in rules.iter().filter(|rule| concerns(rule, version)) {
        let Some(expiration) = &rule.noncurrent_version_expiration else { continue };
        if expiration.noncurrent_days.is_some_and(|days| due(since, days) > now) {
            continue;
        }
        let Some(kept) = expiration.newer_noncurrent_versions else { return Ok(true) };
        let kept = usize::try_from(kept).unwrap_or_default();
        let start = object::version_key(&version.bucket, &version.key, "");
        let newest = cx.scan(&VERSIONS, &start, None, kept)?;
        if newest.iter().all(|(_, newer)| newer.order != version.order) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Ends uploads that nobody completed in time.
fn uploads(
    cx: &mut Context,
    bucket: &Bucket,
    rules: &[LifecycleRule],
    after: &str,
) -> Result<Option<String>> {
    let now = cx.now().seconds();
    let rows = cx.scan(&UPLOADS, &format!("{}/", bucket.name), Some(after), BATCH)?;
    let last = rows.last().map(|(key, _)| key.clone()).filter(|_| rows.len() == BATCH);
    for (_, upload) in rows {
        let over = rules.iter().filter(|rule| concerns(rule, &upload.draft)).any(|rule| {
            let abort = rule.abort_incomplete_multipart_upload.as_ref();
            let days = abort.and_then(|abort| abort.days_after_initiation);
            days.is_some_and(|days| due(upload.initiated_millis / 1000, days) <= now)
        });
        if over {
            upload::abort(cx, &upload)?;
        }
    }
    bucket::touch(cx, bucket);
    Ok(last)
}
