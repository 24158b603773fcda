//! What AWS services write into buckets: logs, inventories, reports. Such a write is a call of the
//! service, on behalf of the resource that it is about; the bucket's policy must let it in, and it
//! is recorded like any other call.
//!
//! Source: Amazon S3 User Guide, "Permissions for log delivery", "Granting permissions for Amazon
//! S3 Inventory".

use super::SERVICE;
use super::receive::{self, Receiving};
use crate::audit::{self, Told};
use crate::authorization::{Credential, Decided, authorize, denial, without_key};
use crate::caller::Caller;
use crate::context::{Context, Request, Source, Way, from_store};
use crate::errors::{ACCESS_DENIED, internal};
use crate::random;
use crate::service::Operation;
use crate::transfer::Transfer;
use palisade_model::s3::PutObjectRequest;
use palisade_shape::{Result, Shape};

/// One object that a service writes.
pub struct Parcel<'a> {
    /// The service principal: `logging.s3.amazonaws.com`.
    pub service: &'static str,
    /// What it is about, as `aws:SourceArn` and `aws:SourceAccount` have it.
    pub source: Source,
    pub bucket: &'a str,
    pub key: String,
    pub content_type: &'a str,
    pub bytes: &'a [u8],
    /// `SSEKMSKeyId`, where it is not the bucket's default encryption that counts.
    pub kms_key: Option<String>,
}

/// Writes the object in the transaction of `cx`. A refusal (a status below 500) is recorded and
/// leaves nothing behind.
pub fn put(cx: &mut Context, parcel: Parcel<'_>) -> Result<()> {
    let row = SERVICE.operation("PutObject").ok_or_else(|| internal("no PutObject"))?;
    let Parcel { service, source, bucket, key, content_type, bytes, kms_key } = parcel;
    let input = PutObjectRequest {
        bucket: bucket.to_owned(),
        key,
        content_type: Some(content_type.to_owned()),
        server_side_encryption: kms_key.as_ref().map(|_| "aws:kms".to_owned()),
        ssekms_key_id: kms_key,
        ..PutObjectRequest::default()
    };
    let request = Request {
        id: random::uuid(&*cx.plane.random),
        way: Way { source: Some(source), ..Way::default() },
        service: SERVICE.model.name,
        operation: row.name,
        ..cx.request.clone()
    };
    let caller = Caller::service(service);
    let credential = without_key(caller.clone());
    let transfer = Transfer::default();
    let written = cx.as_caller(&caller, &request, &transfer, |cx| {
        let (decided, result) = write(cx, row, &input, &credential, bytes);
        let notes = std::mem::take(&mut cx.notes);
        let told = Told {
            input: Some(&input),
            output: result.as_ref().ok().map(|output| &**output as &dyn Shape),
            error: result.as_ref().err(),
            decided: &decided,
            notes: &notes,
            effect: Some(row.effect),
        };
        record(cx, &credential, told, result.is_ok())?;
        result.map(drop)
    });
    if written.is_ok() {
        // Should the transaction end otherwise after all, nothing names the blob: it is swept.
        transfer.keep();
    }
    written
}

type Written = (Vec<Decided>, Result<Box<dyn Shape + Send>>);

fn write(
    cx: &mut Context,
    row: &Operation,
    input: &PutObjectRequest,
    credential: &Credential,
    bytes: &[u8],
) -> Written {
    let decided = match authorize(cx, &SERVICE, row, input, credential) {
        Ok(decided) => decided,
        Err(error) => return (Vec::new(), Err(error)),
    };
    if let Some(denied) = decided.last().filter(|last| !last.decision.allowed()) {
        let refusal = ACCESS_DENIED.because(denial(SERVICE.model.name, credential, denied));
        return (decided, Err(refusal));
    }
    let stored = stage(cx, input, bytes).and_then(|()| {
        // The row's own function, so that whatever holds of uploads holds of this one.
        row.handler.call(cx, input)
    });
    (decided, stored)
}

fn stage(cx: &mut Context, input: &PutObjectRequest, bytes: &[u8]) -> Result<()> {
    let plan = receive::plan(cx, input, &[])?;
    let mut receiving = Receiving::begin(cx, plan)?;
    receiving.write(bytes)?;
    let received = receiving.finish(&[])?;
    let transfer = cx.transfer.ok_or_else(|| internal("a delivery without its body"))?;
    transfer.put(received);
    Ok(())
}

/// A success commits with the transaction; a refusal is kept with the reads.
fn record(cx: &mut Context, credential: &Credential, told: Told<'_>, done: bool) -> Result<()> {
    let revision = cx.reader().revision();
    for record in audit::records(cx.plane, cx.request, credential, told, revision) {
        match done {
            true => cx.audit(record)?,
            false => cx.plane.reads.append(&record).map_err(from_store)?,
        }
    }
    Ok(())
}
