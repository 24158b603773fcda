//! What there is of uploads under way: their parts, and those of a bucket.
//!
//! Source: Amazon S3 API Reference, ListParts, ListMultipartUploads.

use super::list::{self, Encoding};
use super::object;
use super::page::{Row, Wanted, page};
use super::upload::{UPLOADED, UPLOADS, Upload, UploadedPart, find, quoted, type_name};
use super::{bucket, member};
use crate::context::Context;
use palisade_model::s3::{
    Initiator, ListMultipartUploadsOutput, ListMultipartUploadsRequest, ListPartsOutput,
    ListPartsRequest, MultipartUpload, Part as ShownPart,
};
use palisade_shape::{Result, Timestamp};

fn initiator(upload: &Upload) -> Initiator {
    Initiator { id: Some(upload.initiator.clone()), display_name: None }
}

pub fn list_parts(cx: &mut Context, input: ListPartsRequest) -> Result<ListPartsOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let upload = find(cx, &bucket.name, &input.key, &input.upload_id)?;
    let (max_parts, size) = list::size(input.max_parts, "max-parts")?;
    let marker = input.part_number_marker.unwrap_or(0);
    let start = format!("{}/", upload.id);
    let after = format!("{start}{marker:05}");
    let mut rows = cx.scan(&UPLOADED, &start, Some(&after), size + 1)?;
    let truncated = rows.len() > size;
    rows.truncate(size);
    let shown = |row: &UploadedPart| {
        let mut part = ShownPart {
            part_number: Some(row.part.number),
            last_modified: Some(Timestamp::from_seconds(row.modified)),
            e_tag: Some(quoted(&row.etag)),
            size: i64::try_from(row.part.piece.bytes).ok(),
            ..ShownPart::default()
        };
        if let (Some(algorithm), Some(value)) = (upload.algorithm, &row.part.checksum) {
            member::set(&mut part, algorithm.member(), value);
        }
        part
    };
    let last = rows.last().map_or(marker, |(_, row)| row.part.number);
    Ok(ListPartsOutput {
        abort_date: None,
        abort_rule_id: None,
        bucket: Some(bucket.name),
        key: Some(input.key),
        upload_id: Some(upload.id.clone()),
        part_number_marker: Some(marker),
        next_part_number_marker: Some(last),
        max_parts: Some(max_parts),
        is_truncated: Some(truncated),
        parts: Some(rows.iter().map(|(_, row)| shown(row)).collect()),
        initiator: Some(initiator(&upload)),
        owner: Some(bucket::owner(&upload.draft.owner)),
        storage_class: Some(upload.draft.storage_class.clone()),
        request_charged: None,
        checksum_algorithm: upload.algorithm.map(|algorithm| algorithm.name().to_owned()),
        checksum_type: upload.algorithm.map(|_| type_name(upload.composite).to_owned()),
    })
}

pub fn list_multipart_uploads(
    cx: &mut Context,
    input: ListMultipartUploadsRequest,
) -> Result<ListMultipartUploadsOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let encoding = Encoding::of(input.encoding_type.as_deref())?;
    let (max_uploads, size) = list::size(input.max_uploads, "max-uploads")?;
    let folder = format!("{}/", bucket.name);
    let wanted = Wanted {
        prefix: input.prefix.as_deref().unwrap_or_default(),
        delimiter: input.delimiter.as_deref().unwrap_or_default(),
        after: input.key_marker.as_deref().unwrap_or_default(),
        size,
    };
    let start = input.key_marker.as_deref().filter(|key| !key.is_empty()).map(|key| {
        let id = input.upload_id_marker.as_deref().filter(|id| !id.is_empty()).unwrap_or("~");
        let row = object::version_key("", key, id);
        row.strip_prefix('/').unwrap_or(&row).to_owned()
    });
    let prefix = format!("{folder}{}", object::escaped(wanted.prefix));
    let page = page(&wanted, start, |after, limit| {
        let after = after.map(|after| format!("{folder}{after}"));
        let rows = cx.scan(&UPLOADS, &prefix, after.as_deref(), limit)?;
        let row = |(at, item): (String, Upload)| Row {
            cursor: at.strip_prefix(&folder).unwrap_or(&at).to_owned(),
            key: item.draft.key.clone(),
            item,
        };
        Ok(rows.into_iter().map(row).collect())
    })?;
    let show = |text: &Option<String>| text.as_ref().map(|text| encoding.show(text));
    let last_id = page.items.last().map(|upload| upload.id.clone());
    let shown = |upload: &Upload| MultipartUpload {
        upload_id: Some(upload.id.clone()),
        key: Some(encoding.show(&upload.draft.key)),
        initiated: Some(Timestamp::from_millis(upload.initiated_millis)),
        storage_class: Some(upload.draft.storage_class.clone()),
        owner: Some(bucket::owner(&upload.draft.owner)),
        initiator: Some(initiator(upload)),
        checksum_algorithm: upload.algorithm.map(|algorithm| algorithm.name().to_owned()),
        checksum_type: upload.algorithm.map(|_| type_name(upload.composite).to_owned()),
    };
    Ok(ListMultipartUploadsOutput {
        bucket: Some(bucket.name.clone()),
        key_marker: Some(show(&input.key_marker).unwrap_or_default()),
        upload_id_marker: Some(input.upload_id_marker.clone().unwrap_or_default()),
        next_key_marker: page.last.filter(|_| page.truncated).map(|key| encoding.show(&key)),
        prefix: Some(show(&input.prefix).unwrap_or_default()),
        delimiter: show(&input.delimiter),
        next_upload_id_marker: last_id.filter(|_| page.truncated),
        max_uploads: Some(max_uploads),
        is_truncated: Some(page.truncated),
        uploads: Some(page.items.iter().map(shown).collect()),
        common_prefixes: encoding.prefixes(page.prefixes),
        encoding_type: input.encoding_type,
        request_charged: None,
    })
}
