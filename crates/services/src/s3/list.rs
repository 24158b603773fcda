//! Listing a bucket: `ListObjects`, `ListObjectsV2` and `ListObjectVersions`.
//!
//! Source: Amazon S3 API Reference; User Guide, "Listing object keys programmatically".

use super::bucket::{self, Bucket};
use super::error;
use super::object::{self, OBJECTS, VERSIONS, Version};
use super::page::{Page, Row, Wanted, page};
use super::restore;
use crate::context::Context;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use palisade_model::s3::{
    CommonPrefix, DeleteMarkerEntry, ListObjectVersionsOutput, ListObjectVersionsRequest,
    ListObjectsOutput, ListObjectsRequest, ListObjectsV2Output, ListObjectsV2Request, Object,
    ObjectVersion,
};
use palisade_shape::{Result, Timestamp};
use std::fmt::Write as _;

const KEYS_MAX: i32 = 1000;

/// How many keys a page may have; a negative number is refused.
pub fn size(asked: Option<i32>, name: &str) -> Result<(i32, usize)> {
    let asked = asked.unwrap_or(KEYS_MAX);
    let Ok(size) = usize::try_from(asked.min(KEYS_MAX)) else {
        let message = format!("Argument {name} must be an integer between 0 and 2147483647");
        return Err(error::invalid_argument(message, name, &asked.to_string()));
    };
    Ok((asked.min(KEYS_MAX), size))
}

/// Keys as answers show them: encoded where the request says so.
pub struct Encoding(pub bool);

impl Encoding {
    pub fn of(encoding: Option<&str>) -> Result<Self> {
        match encoding {
            None => Ok(Self(false)),
            Some("url") => Ok(Self(true)),
            Some(other) => Err(error::invalid_argument(
                "Invalid Encoding Method specified in Request",
                "encoding-type",
                other,
            )),
        }
    }

    /// Every byte but letters, digits, `-_.~*` and the slash is percent-encoded, and a space is a
    /// plus.
    pub fn show(&self, text: &str) -> String {
        if !self.0 {
            return text.to_owned();
        }
        let mut out = String::with_capacity(text.len());
        for byte in text.bytes() {
            match byte {
                b' ' => out.push('+'),
                b'-' | b'_' | b'.' | b'~' | b'*' | b'/' => out.push(char::from(byte)),
                _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
                // Writing to a string cannot fail.
                _ => drop(write!(out, "%{byte:02X}")),
            }
        }
        out
    }

    pub fn prefixes(&self, prefixes: Vec<String>) -> Option<Vec<CommonPrefix>> {
        let shown = |prefix: String| CommonPrefix { prefix: Some(self.show(&prefix)) };
        let prefixes: Vec<_> = prefixes.into_iter().map(shown).collect();
        Some(prefixes).filter(|prefixes| !prefixes.is_empty())
    }
}

fn current(cx: &Context, bucket: &Bucket, wanted: &Wanted<'_>) -> Result<Page<Version>> {
    let folder = format!("{}/", bucket.name);
    let prefix = format!("{folder}{}", wanted.prefix);
    let start = Some(wanted.after.to_owned()).filter(|after| !after.is_empty());
    page(wanted, start, |after, limit| {
        let after = after.map(|after| format!("{folder}{after}"));
        let rows = cx.scan(&OBJECTS, &prefix, after.as_deref(), limit)?;
        let row = |(_, item): (String, Version)| Row {
            cursor: item.key.clone(),
            key: item.key.clone(),
            item,
        };
        Ok(rows.into_iter().map(row).collect())
    })
}

/// Now, when the request asks what is restored of archived objects.
fn restored(cx: &Context, attributes: Option<&Vec<String>>) -> Option<Timestamp> {
    // The header may hold several in one value.
    let mut names = attributes.into_iter().flatten().flat_map(|names| names.split(','));
    names.any(|name| name.trim() == "RestoreStatus").then(|| cx.now())
}

fn shown(
    version: Version,
    encoding: &Encoding,
    owner: bool,
    restored: Option<Timestamp>,
) -> Object {
    let checksum = version.checksum.as_ref();
    Object {
        last_modified: Some(version.modified()),
        e_tag: Some(version.quoted_etag()),
        checksum_algorithm: checksum.map(|checksum| vec![checksum.algorithm.name().to_owned()]),
        checksum_type: checksum.map(|checksum| checksum.of_type().to_owned()),
        size: i64::try_from(version.size).ok(),
        owner: owner.then(|| bucket::owner(&version.owner)),
        restore_status: restored.and_then(|now| restore::status(&version, now)),
        key: Some(encoding.show(&version.key)),
        storage_class: Some(version.storage_class),
    }
}

pub fn list_objects(cx: &mut Context, input: ListObjectsRequest) -> Result<ListObjectsOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let encoding = Encoding::of(input.encoding_type.as_deref())?;
    let (max_keys, size) = size(input.max_keys, "max-keys")?;
    let wanted = Wanted {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: input.marker.as_deref().unwrap_or_default(),
        size,
    };
    let page = current(cx, &bucket, &wanted)?;
    let show = |text: &Option<String>| text.as_ref().map(|text| encoding.show(text));
    let next = page.last.filter(|_| page.truncated && input.delimiter.is_some());
    bucket::touch(cx, &bucket);
    let asked = restored(cx, input.optional_object_attributes.as_ref());
    let contents = page.items.into_iter().map(|it| shown(it, &encoding, true, asked));
    Ok(ListObjectsOutput {
        is_truncated: Some(page.truncated),
        marker: Some(show(&input.marker).unwrap_or_default()),
        next_marker: next.map(|next| encoding.show(&next)),
        contents: Some(contents.collect()),
        name: Some(bucket.name),
        prefix: Some(show(&input.prefix).unwrap_or_default()),
        delimiter: show(&input.delimiter),
        max_keys: Some(max_keys),
        common_prefixes: encoding.prefixes(page.prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

pub fn list_objects_v2(
    cx: &mut Context,
    input: ListObjectsV2Request,
) -> Result<ListObjectsV2Output> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let encoding = Encoding::of(input.encoding_type.as_deref())?;
    let (max_keys, size) = size(input.max_keys, "max-keys")?;
    let token = match &input.continuation_token {
        None => None,
        Some(token) => {
            let bytes = STANDARD.decode(token).ok();
            let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
            let message = "The continuation token provided is incorrect";
            let invalid = || error::invalid_argument(message, "continuation-token", token);
            Some(key.ok_or_else(invalid)?)
        }
    };
    let after = token.as_deref().or(input.start_after.as_deref());
    let wanted = Wanted {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: after.unwrap_or_default(),
        size,
    };
    let page = current(cx, &bucket, &wanted)?;
    let show = |text: &Option<String>| text.as_ref().map(|text| encoding.show(text));
    let owner = input.fetch_owner == Some(true);
    let key_count = i32::try_from(page.items.len() + page.prefixes.len()).ok();
    bucket::touch(cx, &bucket);
    let asked = restored(cx, input.optional_object_attributes.as_ref());
    let contents = page.items.into_iter().map(|it| shown(it, &encoding, owner, asked));
    let contents: Vec<_> = contents.collect();
    Ok(ListObjectsV2Output {
        is_truncated: Some(page.truncated),
        contents: Some(contents).filter(|contents| !contents.is_empty()),
        name: Some(bucket.name),
        prefix: Some(show(&input.prefix).unwrap_or_default()),
        delimiter: show(&input.delimiter),
        max_keys: Some(max_keys),
        common_prefixes: encoding.prefixes(page.prefixes),
        encoding_type: input.encoding_type,
        key_count,
        continuation_token: input.continuation_token,
        next_continuation_token: page.last.filter(|_| page.truncated).map(|k| STANDARD.encode(k)),
        start_after: show(&input.start_after),
        request_charged: None,
    })
}

/// Rows of both tables behind a cursor, which is a key and the order of a version of it.
fn versions_behind(
    cx: &Context,
    bucket: &Bucket,
    prefix: &str,
    after: Option<&str>,
    limit: usize,
) -> Result<Vec<Row<(Version, bool)>>> {
    let folder = format!("{}/", bucket.name);
    let behind_prefix = format!("{folder}{}", object::escaped(prefix));
    let after_row = after.map(|after| format!("{folder}{after}"));
    let behind = cx.scan(&VERSIONS, &behind_prefix, after_row.as_deref(), limit)?;
    let of_key = after.and_then(object::split_version_key);
    let mut rows: Vec<(String, Version, bool)> = Vec::new();
    if let Some((key, order)) = &of_key
        && let Some(current) = object::current(cx, &bucket.name, key)?
        && current.order.as_str() > *order
    {
        rows.push((cursor(&current), current, true));
    }
    let after_key = match &of_key {
        Some((key, _)) => Some(format!("{folder}{key}")),
        None => after.map(|after| format!("{folder}{after}")),
    };
    let start = format!("{folder}{prefix}");
    let current = cx.scan(&OBJECTS, &start, after_key.as_deref(), limit)?;
    rows.extend(current.into_iter().map(|(_, version)| (cursor(&version), version, true)));
    rows.extend(behind.into_iter().map(|(_, version)| (cursor(&version), version, false)));
    rows.sort_by(|left, right| left.0.cmp(&right.0));
    rows.truncate(limit);
    let row = |(cursor, version, current): (String, Version, bool)| Row {
        cursor,
        key: version.key.clone(),
        item: (version, current),
    };
    Ok(rows.into_iter().map(row).collect())
}

fn cursor(version: &Version) -> String {
    let row = object::version_key("", &version.key, &version.order);
    row.strip_prefix('/').unwrap_or(&row).to_owned()
}

/// Where a listing of versions goes on: behind a version, or behind all versions of a key.
fn versions_start(
    cx: &Context,
    bucket: &Bucket,
    key: Option<&str>,
    version_id: Option<&str>,
) -> Result<Option<String>> {
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return match version_id {
            Some(id) => Err(error::invalid_argument(
                "A version-id marker cannot be specified without a key marker.",
                "version-id-marker",
                id,
            )),
            None => Ok(None),
        };
    };
    let order = match version_id.filter(|id| !id.is_empty()) {
        None => "~".to_owned(),
        Some(id) => match object::by_id(cx, &bucket.name, key, id)? {
            Some(version) => version.order,
            None => id.to_owned(),
        },
    };
    let row = object::version_key("", key, &order);
    Ok(Some(row.strip_prefix('/').unwrap_or(&row).to_owned()))
}

pub fn list_object_versions(
    cx: &mut Context,
    input: ListObjectVersionsRequest,
) -> Result<ListObjectVersionsOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let encoding = Encoding::of(input.encoding_type.as_deref())?;
    let (max_keys, size) = size(input.max_keys, "max-keys")?;
    let (key_marker, id_marker) = (input.key_marker.as_deref(), input.version_id_marker.as_deref());
    let start = versions_start(cx, &bucket, key_marker, id_marker)?;
    let wanted = Wanted {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: key_marker.unwrap_or_default(),
        size,
    };
    let page = page(&wanted, start, |after, limit| {
        versions_behind(cx, &bucket, wanted.prefix, after, limit)
    })?;
    let last_item = page.items.last().map(|(version, _)| version);
    let last_version = last_item.filter(|version| page.last.as_ref() == Some(&version.key));
    let next_version = last_version.map(|version| version.id().to_owned());
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    let mut newest_seen: Option<String> = None;
    let asked = restored(cx, input.optional_object_attributes.as_ref());
    for (version, current) in page.items {
        let latest = current || is_latest(cx, &bucket, &version, newest_seen.as_deref())?;
        newest_seen = Some(version.key.clone());
        match version.marker {
            true => markers.push(marker_entry(&version, latest, &encoding)),
            false => versions.push(version_entry(version, latest, &encoding, asked)),
        }
    }
    let show = |text: &Option<String>| text.as_ref().map(|text| encoding.show(text));
    bucket::touch(cx, &bucket);
    Ok(ListObjectVersionsOutput {
        is_truncated: Some(page.truncated),
        key_marker: Some(show(&input.key_marker).unwrap_or_default()),
        version_id_marker: Some(input.version_id_marker.clone().unwrap_or_default()),
        next_key_marker: page.last.filter(|_| page.truncated).map(|key| encoding.show(&key)),
        next_version_id_marker: next_version.filter(|_| page.truncated),
        versions: Some(versions).filter(|versions| !versions.is_empty()),
        delete_markers: Some(markers).filter(|markers| !markers.is_empty()),
        name: Some(bucket.name),
        prefix: Some(show(&input.prefix).unwrap_or_default()),
        delimiter: show(&input.delimiter),
        max_keys: Some(max_keys),
        common_prefixes: encoding.prefixes(page.prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}

/// Whether a row behind the current version is the newest of its key all the same: a delete marker.
fn is_latest(
    cx: &Context,
    bucket: &Bucket,
    version: &Version,
    before: Option<&str>,
) -> Result<bool> {
    if !version.marker || before == Some(version.key.as_str()) {
        return Ok(false);
    }
    if object::current(cx, &bucket.name, &version.key)?.is_some() {
        return Ok(false);
    }
    let newest = object::newest_behind(cx, &bucket.name, &version.key)?;
    Ok(newest.is_some_and(|newest| newest.order == version.order))
}

fn version_entry(
    version: Version,
    latest: bool,
    encoding: &Encoding,
    restored: Option<Timestamp>,
) -> ObjectVersion {
    let checksum = version.checksum.as_ref();
    ObjectVersion {
        e_tag: Some(version.quoted_etag()),
        checksum_algorithm: checksum.map(|checksum| vec![checksum.algorithm.name().to_owned()]),
        checksum_type: checksum.map(|checksum| checksum.of_type().to_owned()),
        size: i64::try_from(version.size).ok(),
        key: Some(encoding.show(&version.key)),
        version_id: Some(version.id().to_owned()),
        is_latest: Some(latest),
        last_modified: Some(version.modified()),
        owner: Some(bucket::owner(&version.owner)),
        restore_status: restored.and_then(|now| restore::status(&version, now)),
        storage_class: Some(version.storage_class),
    }
}

fn marker_entry(version: &Version, latest: bool, encoding: &Encoding) -> DeleteMarkerEntry {
    DeleteMarkerEntry {
        owner: Some(bucket::owner(&version.owner)),
        key: Some(encoding.show(&version.key)),
        version_id: Some(version.id().to_owned()),
        is_latest: Some(latest),
        last_modified: Some(version.modified()),
    }
}
