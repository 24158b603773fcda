//! Objects and their versions as they are stored.
//!
//! The current version of a key is in one table, so that listing a bucket reads nothing else; the
//! versions behind it, and delete markers, are in another. What orders the versions of a key is
//! also their version id, newest first. A bucket without versioning has one version of each key,
//! whose id is `null`.

use super::acl::Grants;
use super::bucket::{Bucket, Versioning};
use super::checksum::Checksum;
use super::content::{Content, OpenPiece, Piece, PlainKey};
use super::encryption::{self, Seal};
use super::error;
use super::replication::{self, Status};
use super::restore::Restore;
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_shape::{Result, Shape, Timestamp};
use palisade_store::blobs::BlobName;
use palisade_store::{Key, Read, StoreError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The id of the one version that a bucket without versioning keeps of a key.
pub const NULL: &str = "null";
/// Between a key and what orders its versions; see [`escaped`].
const BETWEEN: &str = "\u{1}\u{1}";

/// One version of an object, or a delete marker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Version {
    pub bucket: String,
    pub key: String,
    /// 32 characters, which begin with the later the smaller digits.
    pub order: String,
    /// Its id is `null`; otherwise `order`.
    #[serde(skip_serializing_if = "is_default")]
    pub null: bool,
    /// The account that owns it.
    pub owner: String,
    /// Unix seconds.
    pub modified: i64,
    #[serde(skip_serializing_if = "is_default")]
    pub marker: bool,
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    pub storage_class: String,
    /// Its bytes; of an object made of parts they are in [`PARTS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<Piece>,
    /// How many parts it was uploaded in; 0 when at once.
    #[serde(skip_serializing_if = "is_default")]
    pub parts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal: Option<Seal>,
    #[serde(skip_serializing_if = "is_default")]
    pub headers: Headers,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// None: its owner has all rights and nobody else any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Grants>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    #[serde(skip_serializing_if = "is_default")]
    pub lock: ObjectLock,
    /// Unix seconds since when it is not the current version, which lifecycle rules count from.
    #[serde(skip_serializing_if = "is_default")]
    pub noncurrent_since: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restore: Option<Restore>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replication: Option<Status>,
}

/// The header fields that are kept with an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headers {
    pub cache_control: Option<String>,
    pub content_disposition: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_type: Option<String>,
    pub expires: Option<String>,
    pub website_redirect_location: Option<String>,
}

/// What keeps a version from being deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ObjectLock {
    /// `GOVERNANCE` or `COMPLIANCE`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Milliseconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until_millis: Option<i64>,
    /// `ON` or `OFF`; none when it was never set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub legal_hold: Option<String>,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Current versions, by bucket and key. Delete markers are never in here.
pub static OBJECTS: Table<Version> = Table::of_private(
    "s3/object",
    Scope::Plane,
    |version: &Version| current_key(&version.bucket, &version.key),
    |version| internal(format!("object {} is there already", version.key)),
    error::no_such_key,
);

/// Versions behind the current one and delete markers, by bucket, key and order.
pub static VERSIONS: Table<Version> = Table::of_private(
    "s3/version",
    Scope::Plane,
    |version: &Version| version_key(&version.bucket, &version.key, &version.order),
    |version| internal(format!("version {} is there already", version.order)),
    error::no_such_key,
);

/// What orders the null version of a key that is in [`VERSIONS`].
#[derive(Clone, Debug, Serialize, Deserialize)]
struct NullVersion {
    at: String,
    order: String,
}

static NULLS: Table<NullVersion> = Table::of_private(
    "s3/null-version",
    Scope::Plane,
    |row: &NullVersion| row.at.clone(),
    |row| internal(format!("null version {} is there already", row.at)),
    error::no_such_key,
);

/// The parts of an object that was uploaded in parts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Parts {
    /// The version that they are of: see [`Version::parts_key`].
    pub order: String,
    pub parts: Vec<Part>,
}

/// One part of a stored object.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Part {
    pub number: i32,
    pub piece: Piece,
    /// Of the part, in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

pub static PARTS: Table<Parts> = Table::of_private(
    "s3/object-parts",
    Scope::Plane,
    |row: &Parts| row.order.clone(),
    |row| internal(format!("the parts of {} are there already", row.order)),
    |order| internal(format!("the parts of {order} are not there")),
);

/// The blobs that something stored names, and how many name each: a replica names those of its
/// source. What is not in here is garbage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reference {
    pub blob: String,
    #[serde(default = "one")]
    pub count: u64,
}

const fn one() -> u64 {
    1
}

pub static REFERENCES: Table<Reference> = Table::of_private(
    "s3/blob",
    Scope::Plane,
    |row: &Reference| row.blob.clone(),
    |row| internal(format!("blob {} is referenced already", row.blob)),
    |blob| internal(format!("blob {blob} is not referenced")),
);

/// Whether something stored names a blob, as `read` has it.
pub fn is_referenced(read: &dyn Read, blob: &BlobName) -> Result<bool, StoreError> {
    let blob = blob.to_string();
    let key = Key { collection: REFERENCES.name, account: "", region: "", key: &blob };
    Ok(read.get(&key)?.is_some())
}

pub fn current_key(bucket: &str, key: &str) -> String {
    format!("{bucket}/{key}")
}

pub fn version_key(bucket: &str, key: &str, order: &str) -> String {
    format!("{bucket}/{}{BETWEEN}{order}", escaped(key))
}

/// A key as it stands before what orders its versions. U+0001 becomes two characters, so that keys
/// sort as before and none is the beginning of another one's versions.
pub fn escaped(key: &str) -> String {
    key.replace('\u{1}', "\u{1}\u{2}")
}

/// The key and the order in the key of a row of [`VERSIONS`], bucket taken off.
pub fn split_version_key(row: &str) -> Option<(String, &str)> {
    let (key, order) = row.rsplit_once(BETWEEN)?;
    Some((key.replace("\u{1}\u{2}", "\u{1}"), order))
}

/// What orders a version that is made now before all that were made earlier.
pub fn new_order(cx: &Context) -> String {
    let later_is_smaller = u64::MAX - cx.reader().revision();
    let random = cx.unique_id("");
    format!("{later_is_smaller:016x}{}", random.get(..16).unwrap_or_default())
}

impl Version {
    pub fn id(&self) -> &str {
        if self.null { NULL } else { &self.order }
    }

    pub fn arn(&self) -> String {
        format!("arn:aws:s3:::{}/{}", self.bucket, self.key)
    }

    /// Where its parts are in [`PARTS`]: a replica has the id of its source, and parts of its own.
    pub fn parts_key(&self) -> String {
        match self.replication {
            Some(Status::Replica) => format!("{}/{}", self.bucket, self.order),
            _ => self.order.clone(),
        }
    }

    pub fn modified(&self) -> Timestamp {
        Timestamp::from_seconds(self.modified)
    }

    /// As answers have it.
    pub fn quoted_etag(&self) -> String {
        format!("\"{}\"", self.etag)
    }

    /// The version id that an answer of this bucket shows.
    pub fn shown_id(&self, bucket: &Bucket) -> Option<String> {
        bucket.keeps_versions().then(|| self.id().to_owned())
    }

    /// The access control list: what was set, or that of a private object.
    pub fn grants(&self) -> Grants {
        self.grants.clone().unwrap_or_else(|| Grants::private(&self.owner))
    }

    /// All pieces, wherever they are.
    pub fn all_pieces(&self, cx: &Context) -> Result<Vec<Piece>> {
        if self.parts == 0 {
            return Ok(self.pieces.clone());
        }
        let parts = cx.find(&PARTS, &self.parts_key())?.parts;
        Ok(parts.into_iter().map(|part| part.piece).collect())
    }

    /// Its bytes from `offset` on, ready to be read. `input` holds a client's key where need be.
    pub fn content(
        &self,
        cx: &mut Context,
        bucket: &Bucket,
        (offset, bytes): (u64, u64),
        (input, prefix): (&dyn Shape, &str),
    ) -> Result<Content> {
        let Some(seal) = &self.seal else { return Err(internal("an object without a key")) };
        let key = encryption::open(cx, bucket, seal, &self.arn(), (input, prefix))?;
        let pieces = self.all_pieces(cx)?.into_iter().map(|piece| opened(&piece, &key));
        Ok(Content { pieces: pieces.collect::<Result<_>>()?, offset, bytes })
    }
}

/// A stored piece, ready to be read.
pub fn opened(piece: &Piece, key: &PlainKey) -> Result<OpenPiece> {
    let blob = BlobName::from_hex(&piece.blob).ok_or_else(|| internal("no name of a blob"))?;
    Ok(OpenPiece { blob, bytes: piece.bytes, key: encryption::unwrap(key, &piece.key)? })
}

/// The current version of a key; none when there is none or a delete marker stands before it.
pub fn current(cx: &Context, bucket: &str, key: &str) -> Result<Option<Version>> {
    cx.get(&OBJECTS, &current_key(bucket, key))
}

/// The newest of a key's rows behind the current version: a delete marker when there is no current
/// version and the key has versions.
pub fn newest_behind(cx: &Context, bucket: &str, key: &str) -> Result<Option<Version>> {
    let start = version_key(bucket, key, "");
    let mut rows = cx.scan(&VERSIONS, &start, None, 1)?;
    Ok(rows.pop().map(|(_, version)| version))
}

/// The version of a key with that id.
pub fn by_id(cx: &Context, bucket: &str, key: &str, id: &str) -> Result<Option<Version>> {
    if let Some(current) = current(cx, bucket, key)?
        && current.id() == id
    {
        return Ok(Some(current));
    }
    let order = match id {
        NULL => match cx.get(&NULLS, &current_key(bucket, key))? {
            Some(row) => row.order,
            None => return Ok(None),
        },
        id => id.to_owned(),
    };
    let found = cx.get(&VERSIONS, &version_key(bucket, key, &order))?;
    Ok(found.filter(|version| version.id() == id))
}

/// The version of a key with that order, if it is there.
pub fn by_order(cx: &Context, bucket: &str, key: &str, order: &str) -> Result<Option<Version>> {
    if let Some(current) = current(cx, bucket, key)?
        && current.order == order
    {
        return Ok(Some(current));
    }
    cx.get(&VERSIONS, &version_key(bucket, key, order))
}

/// Names the blob of a new version or part.
pub fn reference(cx: &mut Context, piece: &Piece) -> Result<()> {
    let there = cx.get(&REFERENCES, &piece.blob)?;
    let count = there.map_or(0, |there| there.count) + 1;
    cx.put(&REFERENCES, &Reference { blob: piece.blob.clone(), count })
}

/// Names it no more: it is garbage once this commits, unless something else names it.
pub fn dereference(cx: &mut Context, piece: &Piece) -> Result<()> {
    let Some(there) = cx.get(&REFERENCES, &piece.blob)? else { return Ok(()) };
    if there.count > 1 {
        return cx.put(&REFERENCES, &Reference { count: there.count - 1, ..there });
    }
    cx.delete(&REFERENCES, &piece.blob).map(drop)
}

/// Stores a version as the newest of its key, or a delete marker.
pub fn store(cx: &mut Context, bucket: &Bucket, mut version: Version) -> Result<Version> {
    version.null = bucket.versioning != Versioning::Enabled;
    let now = version.modified;
    if version.null {
        remove_null_behind(cx, &version)?;
    }
    if let Some(before) = current(cx, &bucket.name, &version.key)? {
        if version.null && before.null {
            forget_content(cx, &before)?;
            cx.delete(&OBJECTS, &current_key(&bucket.name, &version.key))?;
        } else {
            cx.delete(&OBJECTS, &current_key(&bucket.name, &version.key))?;
            put_behind(cx, &Version { noncurrent_since: now, ..before })?;
        }
    }
    for piece in &version.pieces {
        reference(cx, piece)?;
    }
    replication::begin(cx, bucket, &mut version)?;
    if version.marker {
        put_behind(cx, &version)?;
    } else {
        cx.put(&OBJECTS, &version)?;
    }
    Ok(version)
}

fn put_behind(cx: &mut Context, version: &Version) -> Result<()> {
    if version.null {
        let at = current_key(&version.bucket, &version.key);
        cx.put(&NULLS, &NullVersion { at, order: version.order.clone() })?;
    }
    cx.put(&VERSIONS, version)
}

fn remove_null_behind(cx: &mut Context, version: &Version) -> Result<()> {
    let at = current_key(&version.bucket, &version.key);
    let Some(row) = cx.get(&NULLS, &at)? else { return Ok(()) };
    let key = version_key(&version.bucket, &version.key, &row.order);
    if let Some(null) = cx.get(&VERSIONS, &key)? {
        forget_content(cx, &null)?;
        cx.delete(&VERSIONS, &key)?;
    }
    cx.delete(&NULLS, &at)?;
    Ok(())
}

/// Writes a version back where it is, with what was changed of it.
pub fn update(cx: &mut Context, version: &Version) -> Result<()> {
    let current = current(cx, &version.bucket, &version.key)?;
    match current.is_some_and(|current| current.order == version.order) {
        true => cx.put(&OBJECTS, version),
        false => cx.put(&VERSIONS, version),
    }
}

/// Removes one version for good. What is newest then becomes the current version.
pub fn remove(cx: &mut Context, version: &Version) -> Result<()> {
    forget_content(cx, version)?;
    let at = current_key(&version.bucket, &version.key);
    let current = current(cx, &version.bucket, &version.key)?;
    if current.as_ref().is_some_and(|current| current.order == version.order) {
        cx.delete(&OBJECTS, &at)?;
    } else {
        cx.delete(&VERSIONS, &version_key(&version.bucket, &version.key, &version.order))?;
        if version.null {
            cx.delete(&NULLS, &at)?;
        }
        if current.is_some() {
            return Ok(());
        }
    }
    let Some(next) = newest_behind(cx, &version.bucket, &version.key)? else { return Ok(()) };
    if next.marker {
        return Ok(());
    }
    cx.delete(&VERSIONS, &version_key(&next.bucket, &next.key, &next.order))?;
    if next.null {
        cx.delete(&NULLS, &at)?;
    }
    cx.put(&OBJECTS, &Version { noncurrent_since: 0, ..next })
}

/// Lets go of a version's bytes: its blobs are garbage once this commits.
fn forget_content(cx: &mut Context, version: &Version) -> Result<()> {
    for piece in version.all_pieces(cx)? {
        dereference(cx, &piece)?;
    }
    if version.parts > 0 {
        cx.delete(&PARTS, &version.parts_key())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn version_keys_sort_by_key_and_then_by_order(
            one in "[\u{1}\u{2}a/]{0,4}", other in "[\u{1}\u{2}a/]{0,4}",
        ) {
            let row = |key: &str, order: &str| version_key("b", key, order);
            let expected = (&one, "0").cmp(&(&other, "1"));
            prop_assert_eq!(row(&one, "0").cmp(&row(&other, "1")), expected);
            let row = row(&one, "7");
            let split = split_version_key(row.strip_prefix("b/").unwrap());
            prop_assert_eq!(split, Some((one, "7")));
        }
    }
}
