//! X.509 signing certificates of users and of the root user, which SOAP and old command line tools
//! sign with.
//!
//! Source: IAM API reference, UploadSigningCertificate and its like.

use super::certificate::{self, Validity};
use super::credential::{self, Kept};
use super::principal::{Owner, named_or_own};
use super::{list, quota, user};
use crate::context::Context;
use crate::errors::internal;
use crate::random;
use crate::table::{Scope, Table};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::iam::{
    DUPLICATE_CERTIFICATE, DeleteSigningCertificateRequest, INVALID_CERTIFICATE,
    ListSigningCertificatesRequest, ListSigningCertificatesResponse, NO_SUCH_ENTITY,
    SigningCertificate, UpdateSigningCertificateRequest, UploadSigningCertificateRequest,
    UploadSigningCertificateResponse, status_type,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

const CLOUDFORMATION_TYPE: &str = "AWS::IAM::SigningCertificate";

/// A certificate as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The user's unique id, or the account for root: what survives a new name.
    pub owner_id: String,
    pub id: String,
    /// PEM, as it was uploaded.
    pub body: String,
    /// SHA-256 of the certificate, in base64.
    pub digest: String,
    /// `Active` or `Inactive`.
    pub status: String,
    pub uploaded_millis: i64,
}

impl Kept for Record {
    fn kept_since(&self) -> i64 {
        self.uploaded_millis
    }
}

/// Certificates, by owner and id.
pub static CERTIFICATES: Table<Record> = Table::of_private(
    "iam/signing-certificate",
    Scope::Account,
    |record| credential::key(&record.owner_id, &record.id),
    |record| internal(format!("certificate {} is there already", record.id)),
    |key| {
        let id = key.rsplit('/').next().unwrap_or_default();
        NO_SUCH_ENTITY.because(format!("The Certificate with id {id} cannot be found."))
    },
);

/// Whose a certificate is: one belongs to one user of the account.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Use {
    digest: String,
    id: String,
}

static USES: Table<Use> = Table::of_private(
    "iam/signing-certificate-use",
    Scope::Account,
    |row| row.digest.clone(),
    |_| duplicate(),
    |digest| internal(format!("no certificate has the digest {digest}")),
);

fn duplicate() -> Error {
    DUPLICATE_CERTIFICATE
        .because("The same certificate is associated with an IAM user in the account.")
}

/// The owner's id, and the name to show.
fn holder(cx: &Context, name: Option<&str>) -> Result<(String, String)> {
    match named_or_own(cx, name)? {
        Owner::User(name) => {
            let user = user::load(cx, &name)?;
            Ok((user.user_id, user.user_name))
        }
        Owner::Root => Ok((cx.account().to_owned(), String::new())),
    }
}

fn shown(record: Record, user_name: &str) -> SigningCertificate {
    SigningCertificate {
        user_name: user_name.to_owned(),
        certificate_id: record.id,
        certificate_body: record.body,
        status: record.status,
        upload_date: Some(Timestamp::from_millis(record.uploaded_millis)),
    }
}

fn touch(cx: &mut Context, id: &str, name: &str) {
    match name {
        "" => cx.touch(CLOUDFORMATION_TYPE, id),
        name => credential::touch(cx, CLOUDFORMATION_TYPE, id, name),
    }
}

/// Whether the root user has a signing certificate.
pub fn root_has_one(cx: &Context) -> Result<bool> {
    let prefix = credential::key(cx.account(), "");
    Ok(!cx.scan(&CERTIFICATES, &prefix, None, 1)?.is_empty())
}

/// Uploads a certificate for a user, or for the caller.
pub fn upload_signing_certificate(
    cx: &mut Context,
    input: UploadSigningCertificateRequest,
) -> Result<UploadSigningCertificateResponse> {
    let UploadSigningCertificateRequest { user_name, certificate_body } = input;
    let (owner_id, name) = holder(cx, user_name.as_deref())?;
    let certificate = certificate::one(&certificate_body)?;
    if certificate.validity(cx.now()) != Validity::Current {
        return Err(INVALID_CERTIFICATE.because("The certificate is not valid at this time."));
    }
    let digest = digest::digest(&digest::SHA256, &certificate.der);
    let known = credential::all(cx, &CERTIFICATES, &owner_id)?.len();
    let record = Record {
        owner_id,
        id: random::certificate_id(&*cx.plane.random),
        body: certificate_body,
        digest: STANDARD.encode(digest.as_ref()),
        status: status_type::ACTIVE.to_owned(),
        uploaded_millis: cx.now().whole_seconds().millis(),
    };
    cx.insert(&USES, &Use { digest: record.digest.clone(), id: record.id.clone() })?;
    quota::check(cx, &quota::SIGNING_CERTIFICATES_PER_USER, known + 1)?;
    cx.insert(&CERTIFICATES, &record)?;
    touch(cx, &record.id, &name);
    Ok(UploadSigningCertificateResponse { certificate: shown(record, &name) })
}

/// Lists the certificates of a user, or of the caller.
pub fn list_signing_certificates(
    cx: &mut Context,
    input: ListSigningCertificatesRequest,
) -> Result<ListSigningCertificatesResponse> {
    let ListSigningCertificatesRequest { user_name, marker, max_items } = input;
    let (owner_id, name) = holder(cx, user_name.as_deref())?;
    let records = credential::all(cx, &CERTIFICATES, &owner_id)?;
    let page = list::of_items(records, marker.as_deref(), max_items)?;
    Ok(ListSigningCertificatesResponse {
        certificates: page.items.into_iter().map(|record| shown(record, &name)).collect(),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Makes a certificate active or inactive.
pub fn update_signing_certificate(
    cx: &mut Context,
    input: UpdateSigningCertificateRequest,
) -> Result<Nothing> {
    let UpdateSigningCertificateRequest { user_name, certificate_id, status } = input;
    let (owner_id, name) = holder(cx, user_name.as_deref())?;
    let mut record = credential::find(cx, &CERTIFICATES, &owner_id, &certificate_id)?;
    record.status = credential::status(status)?;
    cx.put(&CERTIFICATES, &record)?;
    touch(cx, &record.id, &name);
    Ok(Nothing)
}

/// Deletes a certificate.
pub fn delete_signing_certificate(
    cx: &mut Context,
    input: DeleteSigningCertificateRequest,
) -> Result<Nothing> {
    let DeleteSigningCertificateRequest { user_name, certificate_id } = input;
    let (owner_id, name) = holder(cx, user_name.as_deref())?;
    let record = credential::find(cx, &CERTIFICATES, &owner_id, &certificate_id)?;
    cx.delete(&USES, &record.digest)?;
    credential::remove(cx, &CERTIFICATES, &owner_id, &certificate_id)?;
    touch(cx, &record.id, &name);
    Ok(Nothing)
}

#[cfg(test)]
mod tests;
