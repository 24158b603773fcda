//! What AWS has retired and answers no account that did not use it before: S3 Select and
//! BitTorrent.
//!
//! Source: AWS Storage Blog, 2024-07-25, on S3 Select; Amazon S3 User Guide, "Document history",
//! on BitTorrent.

use super::error::METHOD_NOT_ALLOWED;
use super::{bucket, read};
use crate::context::Context;
use palisade_model::s3::{
    GetObjectTorrentOutput, GetObjectTorrentRequest, SelectObjectContentOutput,
    SelectObjectContentRequest,
};
use palisade_shape::Result;

/// S3's refusal, after it was seen that the object is there and the caller's to read.
fn refuse<T>(cx: &Context, bucket: &str, key: &str) -> Result<T> {
    let bucket = bucket::load(cx, bucket)?;
    read::find(cx, &bucket, key, None)?;
    Err(METHOD_NOT_ALLOWED.because("The specified method is not allowed against this resource."))
}

pub fn get_object_torrent(
    cx: &mut Context,
    input: GetObjectTorrentRequest,
) -> Result<GetObjectTorrentOutput> {
    refuse(cx, &input.bucket, &input.key)
}

pub fn select_object_content(
    cx: &mut Context,
    input: SelectObjectContentRequest,
) -> Result<SelectObjectContentOutput> {
    refuse(cx, &input.bucket, &input.key)
}
