//! Server certificates: what load balancers and distributions prove themselves with. The private
//! key is kept sealed and never shown.
//!
//! Source: IAM API reference, UploadServerCertificate and its like; IAM User Guide, "Manage server
//! certificates in IAM".

use super::certificate::{self, Validity};
use super::{list, quota, tag};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::iam::{
    DeleteServerCertificateRequest, ENTITY_ALREADY_EXISTS, GetServerCertificateRequest,
    GetServerCertificateResponse, ListServerCertificateTagsRequest,
    ListServerCertificateTagsResponse, ListServerCertificatesRequest,
    ListServerCertificatesResponse, MALFORMED_CERTIFICATE, NO_SUCH_ENTITY, ServerCertificate,
    ServerCertificateMetadata, Tag, TagServerCertificateRequest, UntagServerCertificateRequest,
    UpdateServerCertificateRequest, UploadServerCertificateRequest,
    UploadServerCertificateResponse,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// What private keys are sealed for.
const PURPOSE: &str = "server-certificate";
const CLOUDFORMATION_TYPE: &str = "AWS::IAM::ServerCertificate";

/// A server certificate as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    pub name: String,
    pub path: String,
    /// `ASCA…`
    pub id: String,
    /// PEM.
    pub body: String,
    pub chain: Option<String>,
    /// The private key's PEM, sealed for [`PURPOSE`] and this id, in base64.
    pub sealed_key: String,
    pub uploaded_millis: i64,
    pub expires_millis: i64,
    /// In the order they were given.
    pub tags: Vec<(String, String)>,
}

impl Record {
    pub fn arn(&self, cx: &Context) -> String {
        cx.iam_arn("server-certificate", &self.path, &self.name)
    }

    fn tags(&self) -> Option<Vec<Tag>> {
        let tag = |(key, value): &(String, String)| Tag { key: key.clone(), value: value.clone() };
        (!self.tags.is_empty()).then(|| self.tags.iter().map(tag).collect())
    }

    fn metadata(&self, cx: &Context) -> ServerCertificateMetadata {
        ServerCertificateMetadata {
            path: self.path.clone(),
            server_certificate_name: self.name.clone(),
            server_certificate_id: self.id.clone(),
            arn: self.arn(cx),
            upload_date: Some(Timestamp::from_millis(self.uploaded_millis)),
            expiration: Some(Timestamp::from_millis(self.expires_millis)),
        }
    }
}

/// Names are unique in an account, ignoring case.
pub static CERTIFICATES: Table<Record> = Table::of_private(
    "iam/server-certificate",
    Scope::Account,
    |record| record.name.to_lowercase(),
    |record| {
        let name = &record.name;
        ENTITY_ALREADY_EXISTS
            .because(format!("The Server Certificate with name {name} already exists."))
    },
    missing,
);

fn missing(name: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("The Server Certificate with name {name} cannot be found."))
}

/// The certificate of that name, or AWS's answer that there is none.
pub fn load(cx: &Context, name: &str) -> Result<Record> {
    cx.get(&CERTIFICATES, &name.to_lowercase())?.ok_or_else(|| missing(name))
}

fn store(cx: &mut Context, record: &Record) -> Result<Nothing> {
    cx.put(&CERTIFICATES, record)?;
    touch(cx, record);
    Ok(Nothing)
}

fn touch(cx: &mut Context, record: &Record) {
    let arn = record.arn(cx);
    cx.touch(CLOUDFORMATION_TYPE, arn);
}

/// Uploads a certificate with its private key and chain, which must belong together.
pub fn upload_server_certificate(
    cx: &mut Context,
    input: UploadServerCertificateRequest,
) -> Result<UploadServerCertificateResponse> {
    let UploadServerCertificateRequest {
        path,
        server_certificate_name,
        certificate_body,
        private_key,
        certificate_chain,
        tags,
    } = input;
    let leaf = certificate::one(&certificate_body)?;
    match leaf.validity(cx.now()) {
        Validity::Current => {}
        Validity::NotYet => {
            return Err(MALFORMED_CERTIFICATE.because("The certificate is not valid yet."));
        }
        Validity::NoLonger => {
            return Err(MALFORMED_CERTIFICATE.because("The certificate is no longer valid."));
        }
    }
    certificate::check_private_key(&leaf, &private_key)?;
    if let Some(chain) = &certificate_chain {
        certificate::check_chain(&leaf, &certificate::many(chain)?)?;
    }
    let id = cx.unique_id("ASCA");
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, &id, private_key.as_bytes(), random);
    let record = Record {
        name: server_certificate_name,
        path: path.unwrap_or_else(|| "/".to_owned()),
        id,
        body: certificate_body.trim().to_owned(),
        chain: certificate_chain.map(|chain| chain.trim().to_owned()),
        sealed_key: STANDARD.encode(sealed.map_err(internal)?),
        uploaded_millis: cx.now().whole_seconds().millis(),
        expires_millis: leaf.not_after.millis(),
        tags: tag::pairs(tag::given(tags)?.as_deref()),
    };
    cx.insert(&CERTIFICATES, &record)?;
    quota::take(cx, &quota::SERVER_CERTIFICATES)?;
    touch(cx, &record);
    Ok(UploadServerCertificateResponse {
        server_certificate_metadata: Some(record.metadata(cx)),
        tags: record.tags(),
    })
}

/// Shows a certificate and its chain, never its key.
pub fn get_server_certificate(
    cx: &mut Context,
    input: GetServerCertificateRequest,
) -> Result<GetServerCertificateResponse> {
    let record = load(cx, &input.server_certificate_name)?;
    let server_certificate = ServerCertificate {
        server_certificate_metadata: record.metadata(cx),
        tags: record.tags(),
        certificate_body: record.body,
        certificate_chain: record.chain,
    };
    Ok(GetServerCertificateResponse { server_certificate })
}

/// Lists the account's server certificates.
pub fn list_server_certificates(
    cx: &mut Context,
    input: ListServerCertificatesRequest,
) -> Result<ListServerCertificatesResponse> {
    let ListServerCertificatesRequest { path_prefix, marker, max_items } = input;
    let page = list::page(cx, &CERTIFICATES, "", marker.as_deref(), max_items, |record| {
        list::under(&record.path, path_prefix.as_deref())
    })?;
    Ok(ListServerCertificatesResponse {
        server_certificate_metadata_list: page.items.iter().map(|r| r.metadata(cx)).collect(),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Changes a certificate's name or path, and with them its ARN; the id stays.
pub fn update_server_certificate(
    cx: &mut Context,
    input: UpdateServerCertificateRequest,
) -> Result<Nothing> {
    let UpdateServerCertificateRequest {
        server_certificate_name,
        new_path,
        new_server_certificate_name,
    } = input;
    let mut record = load(cx, &server_certificate_name)?;
    record.path = new_path.unwrap_or(record.path);
    if let Some(new_name) = new_server_certificate_name.filter(|name| *name != record.name) {
        let (old_key, new_key) = (record.name.to_lowercase(), new_name.to_lowercase());
        record.name = new_name;
        if old_key != new_key && cx.exists(&CERTIFICATES, &new_key)? {
            return Err((CERTIFICATES.taken)(&record));
        }
        cx.delete(&CERTIFICATES, &old_key)?;
    }
    store(cx, &record)
}

/// Deletes a certificate with its key.
pub fn delete_server_certificate(
    cx: &mut Context,
    input: DeleteServerCertificateRequest,
) -> Result<Nothing> {
    let record = load(cx, &input.server_certificate_name)?;
    cx.delete(&CERTIFICATES, &record.name.to_lowercase())?;
    quota::give_back(cx, &quota::SERVER_CERTIFICATES)?;
    touch(cx, &record);
    Ok(Nothing)
}

/// Adds tags to a certificate; a key that is there gets the new value.
pub fn tag_server_certificate(
    cx: &mut Context,
    input: TagServerCertificateRequest,
) -> Result<Nothing> {
    let mut record = load(cx, &input.server_certificate_name)?;
    record.tags = tag::pairs(tag::merged(record.tags(), input.tags)?.as_deref());
    store(cx, &record)
}

/// Removes tags from a certificate; a key that is not there is no error.
pub fn untag_server_certificate(
    cx: &mut Context,
    input: UntagServerCertificateRequest,
) -> Result<Nothing> {
    let mut record = load(cx, &input.server_certificate_name)?;
    record.tags = tag::pairs(tag::without(record.tags(), &input.tag_keys).as_deref());
    store(cx, &record)
}

/// Lists a certificate's tags, by key.
pub fn list_server_certificate_tags(
    cx: &mut Context,
    input: ListServerCertificateTagsRequest,
) -> Result<ListServerCertificateTagsResponse> {
    let ListServerCertificateTagsRequest { server_certificate_name, marker, max_items } = input;
    let tags = load(cx, &server_certificate_name)?.tags();
    let page = list::of_items(tag::sorted(tags), marker.as_deref(), max_items)?;
    Ok(ListServerCertificateTagsResponse {
        tags: page.items,
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

#[cfg(test)]
mod tests;
