//! SSH public keys of users, for CodeCommit.
//!
//! RSA keys of 2,048 bits or more, in OpenSSH's form or as a PEM public key; either way out comes
//! the form that is asked for. Two texts of one key are one key.
//!
//! Source: IAM API reference, UploadSSHPublicKey and its like; RFC 4253, section 6.6.

use super::credential::{self, Kept};
use super::principal::named_or_own;
use super::{list, quota, user};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{PublicEncryptingKey, PublicKeyComponents};
use base64::{Engine, engine::general_purpose::STANDARD};
use md5::{Digest, Md5};
use palisade_model::iam::{
    DUPLICATE_SSH_PUBLIC_KEY, DeleteSSHPublicKeyRequest, GetSSHPublicKeyRequest,
    GetSSHPublicKeyResponse, INVALID_PUBLIC_KEY, ListSSHPublicKeysRequest,
    ListSSHPublicKeysResponse, NO_SUCH_ENTITY, SSHPublicKey, SSHPublicKeyMetadata,
    UNRECOGNIZED_PUBLIC_KEY_ENCODING, UpdateSSHPublicKeyRequest, UploadSSHPublicKeyRequest,
    UploadSSHPublicKeyResponse, status_type,
};
use palisade_shape::{Error, Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

const BITS_MIN: usize = 2048;
const ALGORITHM: &[u8] = b"ssh-rsa";
const CLOUDFORMATION_TYPE: &str = "AWS::IAM::SSHPublicKey";

/// A key as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The user's unique id: what survives a new name.
    pub user_id: String,
    /// `APKA…`
    pub id: String,
    /// In OpenSSH's binary form, in base64.
    pub key: String,
    /// What followed the key in OpenSSH's form.
    pub comment: Option<String>,
    /// `Active` or `Inactive`.
    pub status: String,
    pub uploaded_millis: i64,
}

/// Keys, by user and id.
pub static KEYS: Table<Record> = Table::of_private(
    "iam/ssh-public-key",
    Scope::Account,
    |record| credential::key(&record.user_id, &record.id),
    |record| internal(format!("SSH key {} is there already", record.id)),
    |key| missing(key.rsplit('/').next().unwrap_or_default()),
);

fn missing(id: &str) -> Error {
    NO_SUCH_ENTITY.because(format!("The SSH Public Key with id {id} cannot be found."))
}

/// An RSA public key: modulus and exponent, big-endian without leading zeros.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RsaKey {
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

impl RsaKey {
    fn new(modulus: &[u8], exponent: &[u8]) -> Self {
        Self { modulus: without_zeros(modulus), exponent: without_zeros(exponent) }
    }

    fn bits(&self) -> usize {
        let first = self.modulus.first().map_or(0, |byte| byte.leading_zeros() as usize);
        (self.modulus.len() * 8).saturating_sub(first)
    }

    /// Of a PEM public key (RFC 7468, section 13).
    fn from_pem(text: &str) -> Option<Self> {
        let pem = x509_parser::pem::parse_x509_pem(text.as_bytes()).ok()?.1;
        if pem.label != "PUBLIC KEY" {
            return None;
        }
        let (_, info) = SubjectPublicKeyInfo::from_der(&pem.contents).ok()?;
        match info.parsed().ok()? {
            PublicKey::RSA(key) => Some(Self::new(key.modulus, key.exponent)),
            _ => None,
        }
    }

    /// Of OpenSSH's binary form: algorithm, exponent, modulus, and nothing behind.
    fn from_blob(mut blob: &[u8]) -> Option<Self> {
        let algorithm = take(&mut blob)?;
        let (exponent, modulus) = (take(&mut blob)?, take(&mut blob)?);
        let whole = algorithm == ALGORITHM && blob.is_empty();
        whole.then(|| Self::new(modulus, exponent))
    }

    fn blob(&self) -> Vec<u8> {
        let mut blob = Vec::new();
        put(&mut blob, ALGORITHM);
        for number in [&self.exponent, &self.modulus] {
            // A number that would look negative gets a zero in front (RFC 4251, section 5).
            let sign = number.first().is_some_and(|byte| *byte >= 0x80);
            put(&mut blob, &[if sign { &[0][..] } else { &[] }, number.as_slice()].concat());
        }
        blob
    }

    /// As a PEM public key; none if it is no sound RSA key.
    fn pem(&self) -> Option<String> {
        let components = PublicKeyComponents { n: &*self.modulus, e: &*self.exponent };
        let key: PublicEncryptingKey = components.try_into().ok()?;
        let der = AsDer::as_der(&key).ok()?;
        let text = STANDARD.encode(der.as_ref());
        let mut pem = "-----BEGIN PUBLIC KEY-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, more) = rest.split_at(rest.len().min(64));
            pem.push_str(line);
            pem.push('\n');
            rest = more;
        }
        pem.push_str("-----END PUBLIC KEY-----\n");
        Some(pem)
    }
}

fn without_zeros(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|byte| *byte == 0).collect()
}

/// The next field: its length in four bytes, and its bytes.
fn take<'b>(blob: &mut &'b [u8]) -> Option<&'b [u8]> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (field, rest) = rest.split_at_checked(length)?;
    *blob = rest;
    Some(field)
}

fn put(blob: &mut Vec<u8>, field: &[u8]) {
    let length = u32::try_from(field.len()).unwrap_or(u32::MAX);
    blob.extend_from_slice(&length.to_be_bytes());
    blob.extend_from_slice(field);
}

/// The key in an uploaded text, and the comment behind it.
fn parse(text: &str) -> Result<(RsaKey, Option<String>)> {
    let text = text.trim();
    let (key, comment) = if text.starts_with("-----BEGIN") {
        (RsaKey::from_pem(text), None)
    } else {
        let mut words = text.splitn(3, [' ', '\t']);
        if words.next() != Some("ssh-rsa") {
            let message = "The public key encoding is neither ssh-rsa nor PEM.";
            return Err(UNRECOGNIZED_PUBLIC_KEY_ENCODING.because(message));
        }
        let blob = words.next().and_then(|word| STANDARD.decode(word).ok());
        let comment = words.next().map(str::trim).filter(|comment| !comment.is_empty());
        (blob.and_then(|blob| RsaKey::from_blob(&blob)), comment.map(str::to_owned))
    };
    let invalid =
        || INVALID_PUBLIC_KEY.because("The public key is malformed or otherwise invalid.");
    let key = key.ok_or_else(invalid)?;
    if key.bits() < BITS_MIN {
        let message = format!("The public key must have {BITS_MIN} bits or more.");
        return Err(INVALID_PUBLIC_KEY.because(message));
    }
    if key.pem().is_none() {
        return Err(invalid());
    }
    Ok((key, comment))
}

/// MD5 of the binary form, as OpenSSH prints it.
fn fingerprint(blob: &[u8]) -> String {
    let pairs: Vec<String> = Md5::digest(blob).iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

fn shown(record: &Record, user: &str, encoding: &str) -> Result<SSHPublicKey> {
    let blob = STANDARD.decode(&record.key).map_err(internal)?;
    let body = match encoding {
        "PEM" => RsaKey::from_blob(&blob).and_then(|key| key.pem()),
        _ => Some(match &record.comment {
            Some(comment) => format!("ssh-rsa {} {comment}", record.key),
            None => format!("ssh-rsa {}", record.key),
        }),
    };
    Ok(SSHPublicKey {
        user_name: user.to_owned(),
        ssh_public_key_id: record.id.clone(),
        fingerprint: fingerprint(&blob),
        ssh_public_key_body: body.ok_or_else(|| internal("a stored SSH key is no RSA key"))?,
        status: record.status.clone(),
        upload_date: Some(Timestamp::from_millis(record.uploaded_millis)),
    })
}

/// Uploads a key for a user.
pub fn upload_ssh_public_key(
    cx: &mut Context,
    input: UploadSSHPublicKeyRequest,
) -> Result<UploadSSHPublicKeyResponse> {
    let UploadSSHPublicKeyRequest { user_name, ssh_public_key_body } = input;
    let user = user::load(cx, &user_name)?;
    let (key, comment) = parse(&ssh_public_key_body)?;
    let key = STANDARD.encode(key.blob());
    let known = credential::all(cx, &KEYS, &user.user_id)?;
    if known.iter().any(|record| record.key == key) {
        let message = format!("The SSH public key is already associated with user {user_name}.");
        return Err(DUPLICATE_SSH_PUBLIC_KEY.because(message));
    }
    quota::check(cx, &quota::SSH_PUBLIC_KEYS_PER_USER, known.len() + 1)?;
    let record = Record {
        user_id: user.user_id,
        id: cx.access_key_id("APKA"),
        key,
        comment,
        status: status_type::ACTIVE.to_owned(),
        uploaded_millis: cx.now().whole_seconds().millis(),
    };
    cx.insert(&KEYS, &record)?;
    credential::touch(cx, CLOUDFORMATION_TYPE, &record.id, &user.user_name);
    let shown = shown(&record, &user.user_name, "SSH")?;
    let shown = SSHPublicKey { ssh_public_key_body, ..shown };
    Ok(UploadSSHPublicKeyResponse { ssh_public_key: Some(shown) })
}

/// Shows a key in OpenSSH's form or as PEM.
pub fn get_ssh_public_key(
    cx: &mut Context,
    input: GetSSHPublicKeyRequest,
) -> Result<GetSSHPublicKeyResponse> {
    let GetSSHPublicKeyRequest { user_name, ssh_public_key_id, encoding } = input;
    let user = user::load(cx, &user_name)?;
    let record = credential::find(cx, &KEYS, &user.user_id, &ssh_public_key_id)?;
    let shown = shown(&record, &user.user_name, &encoding)?;
    Ok(GetSSHPublicKeyResponse { ssh_public_key: Some(shown) })
}

/// Lists the keys of a user, or of the caller. Root has none.
pub fn list_ssh_public_keys(
    cx: &mut Context,
    input: ListSSHPublicKeysRequest,
) -> Result<ListSSHPublicKeysResponse> {
    let ListSSHPublicKeysRequest { user_name, marker, max_items } = input;
    let user = credential::user_of(cx, &named_or_own(cx, user_name.as_deref())?)?;
    let page =
        list::of_items(credential::all(cx, &KEYS, &user.user_id)?, marker.as_deref(), max_items)?;
    let metadata = |record: Record| SSHPublicKeyMetadata {
        user_name: user.user_name.clone(),
        ssh_public_key_id: record.id,
        status: record.status,
        upload_date: Timestamp::from_millis(record.uploaded_millis),
    };
    Ok(ListSSHPublicKeysResponse {
        ssh_public_keys: Some(page.items.into_iter().map(metadata).collect()),
        is_truncated: Some(page.next.is_some()),
        marker: page.next,
    })
}

/// Makes a key active or inactive.
pub fn update_ssh_public_key(
    cx: &mut Context,
    input: UpdateSSHPublicKeyRequest,
) -> Result<Nothing> {
    let UpdateSSHPublicKeyRequest { user_name, ssh_public_key_id, status } = input;
    let user = user::load(cx, &user_name)?;
    let mut record = credential::find(cx, &KEYS, &user.user_id, &ssh_public_key_id)?;
    record.status = credential::status(status)?;
    cx.put(&KEYS, &record)?;
    credential::touch(cx, CLOUDFORMATION_TYPE, &record.id, &user.user_name);
    Ok(Nothing)
}

/// Deletes a key.
pub fn delete_ssh_public_key(
    cx: &mut Context,
    input: DeleteSSHPublicKeyRequest,
) -> Result<Nothing> {
    let DeleteSSHPublicKeyRequest { user_name, ssh_public_key_id } = input;
    let user = user::load(cx, &user_name)?;
    credential::remove(cx, &KEYS, &user.user_id, &ssh_public_key_id)?;
    credential::touch(cx, CLOUDFORMATION_TYPE, &ssh_public_key_id, &user.user_name);
    Ok(Nothing)
}

impl Kept for Record {
    fn kept_since(&self) -> i64 {
        self.uploaded_millis
    }
}

#[cfg(test)]
mod tests;
