//! Calls that another service makes to KMS for its own caller, inside its own transaction: S3 for
//! an object that KMS protects.
//!
//! They are calls of that caller, as in AWS: its policies, the key's policy and its grants decide,
//! with `kms:ViaService` and `aws:CalledVia` telling the service, and each has its own event and
//! decision record. A refusal is recorded too, and comes back as `AccessDenied`.
//!
//! On a snapshot (a GET) and in a transaction (a PUT) alike; only [`managed_key`] and what is
//! called with the alias of an AWS managed key that is not there yet want a transaction.
//!
//! Source: AWS KMS Developer Guide, "How AWS services use AWS KMS", "kms:ViaService".

use super::ciphertext::EncryptionContext;
use super::secret::Secret;
use super::{SERVICE, data_key, encrypt, managed};
use crate::audit::{self, Told};
use crate::authorization::{Credential, Decided, authorize, denial, of_caller, without_key};
use crate::caller::Principal;
use crate::context::{Context, Request, from_store};
use crate::errors::{ACCESS_DENIED, internal};
use crate::random;
use crate::service::Input;
use palisade_model::kms::{DecryptRequest, GenerateDataKeyRequest, GenerateDataKeyResponse};
use palisade_shape::{Blob, Result, Shape};
use zeroize::Zeroizing;

/// A key for one object, in the clear and as it is kept.
pub struct DataKey {
    /// 32 bytes.
    pub plaintext: Secret,
    /// What [`decrypt`] takes.
    pub blob: Vec<u8>,
    /// The ARN of the KMS key.
    pub key_arn: String,
}

/// `kms:GenerateDataKey` (AES-256) for the caller of `cx`, forwarded by `service` (`s3`).
/// `key_id` is a key's id or ARN, or an alias's name or ARN; for the service's own AWS managed key
/// that is `alias/aws/s3`. The encryption context is authenticated: the same one decrypts.
pub fn generate_data_key(
    cx: &mut Context,
    service: &str,
    key_id: &str,
    context: &EncryptionContext,
) -> Result<DataKey> {
    if managed::may_be_wanted(key_id) && cx.may_write() {
        managed_key(cx, service)?;
    }
    let input = GenerateDataKeyRequest {
        key_id: key_id.to_owned(),
        encryption_context: Some(context.clone()),
        number_of_bytes: None,
        key_spec: Some("AES_256".to_owned()),
        grant_tokens: None,
        recipient: None,
        dry_run: None,
    };
    let made = call(cx, service, "GenerateDataKey", input, data_key::generate_data_key)?;
    let GenerateDataKeyResponse { ciphertext_blob, plaintext, key_id, .. } = made;
    let missing = || internal("a data key without its parts");
    Ok(DataKey {
        plaintext: Zeroizing::new(plaintext.ok_or_else(missing)?.0),
        blob: ciphertext_blob.ok_or_else(missing)?.0,
        key_arn: key_id.ok_or_else(missing)?,
    })
}

/// `kms:Decrypt` of the blob of a [`DataKey`] for the caller of `cx`, forwarded by `service`
/// (`s3`).
pub fn decrypt(
    cx: &mut Context,
    service: &str,
    blob: &[u8],
    context: &EncryptionContext,
) -> Result<Secret> {
    let input = DecryptRequest {
        ciphertext_blob: Some(Blob(blob.to_vec())),
        encryption_context: Some(context.clone()),
        grant_tokens: None,
        key_id: None,
        encryption_algorithm: None,
        recipient: None,
        dry_run: None,
        dry_run_modifiers: None,
    };
    let opened = call(cx, service, "Decrypt", input, encrypt::decrypt)?;
    let plain = opened.plaintext.ok_or_else(|| internal("a decryption without plaintext"))?;
    Ok(Zeroizing::new(plain.0))
}

/// The ARN of the service's AWS managed key in the caller's account and region, which is made if it
/// is not there yet: the service's own doing, which needs no permission of the caller.
pub fn managed_key(cx: &mut Context, service: &str) -> Result<String> {
    let account = cx.caller.account.to_string();
    let key = cx.in_account(&account, |cx| managed::ensure(cx, service))?;
    Ok(key.arn())
}

/// Authorizes, handles and records one forwarded call.
fn call<I: Input + Clone, O: Shape>(
    cx: &mut Context,
    service: &str,
    operation: &'static str,
    input: I,
    handler: fn(&mut Context, I) -> Result<O>,
) -> Result<O> {
    let row = SERVICE.operation(operation).ok_or_else(|| internal("no such KMS operation"))?;
    let mut way = cx.request.way.clone();
    way.called_via.push(format!("{service}.amazonaws.com"));
    let request = Request {
        id: random::uuid(&*cx.plane.random),
        way,
        service: SERVICE.model.name,
        operation,
        ..cx.request.clone()
    };
    cx.as_request(&request, |cx| {
        let credential = credential(cx)?;
        let (decided, permitted) = match authorize(cx, &SERVICE, row, &input, &credential) {
            Ok(decided) => {
                let permitted = permitted(&credential, &decided);
                (decided, permitted)
            }
            Err(error) => (Vec::new(), Err(error)),
        };
        let result = permitted.and_then(|()| handler(cx, input.clone()));
        let notes = std::mem::take(&mut cx.notes);
        let told = Told {
            input: Some(input.as_shape()),
            output: result.as_ref().ok().map(|output| output as &dyn Shape),
            error: result.as_ref().err(),
            decided: &decided,
            notes: &notes,
            effect: Some(row.effect),
        };
        record(cx, &credential, told, result.is_ok())?;
        result
    })
}

/// The caller with its policies as they are now.
fn credential(cx: &Context) -> Result<Credential> {
    let caller = cx.caller.clone();
    match caller.principal {
        Principal::Service { .. } | Principal::Anonymous => Ok(without_key(caller)),
        _ => of_caller(cx.plane, cx.reader(), caller)?
            .ok_or_else(|| ACCESS_DENIED.because("Who calls is not there any more.")),
    }
}

fn permitted(credential: &Credential, decided: &[Decided]) -> Result<()> {
    match decided.last().filter(|last| !last.decision.allowed()) {
        None => Ok(()),
        Some(denied) => Err(ACCESS_DENIED.because(denial("kms", credential, denied))),
    }
}

/// A success commits with the transaction that it is part of. A refusal ends that transaction, so
/// it is kept with the reads, as everything is where there is none.
fn record(cx: &mut Context, credential: &Credential, told: Told<'_>, done: bool) -> Result<()> {
    let revision = cx.reader().revision();
    let records = audit::records(cx.plane, cx.request, credential, told, revision);
    for record in records {
        match done && cx.may_write() {
            true => cx.audit(record)?,
            false => cx.plane.reads.append(&record).map_err(from_store)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
