//! Access control lists: canned ones, those of headers and of documents, and what they grant.
//!
//! Source: Amazon S3 User Guide, "Access control list (ACL) overview"; API Reference, PutBucketAcl.

use super::bucket::{self, Bucket};
use super::error::{self, ACL_NOT_SUPPORTED, INVALID_ARGUMENT, INVALID_REQUEST};
use super::{member, object, public, read};
use crate::accounts::ACCOUNTS;
use crate::context::Context;
use aws_lc_rs::digest;
use palisade_model::s3::{
    AccessControlPolicy, CreateBucketRequest, GetBucketAclOutput, GetBucketAclRequest,
    GetObjectAclOutput, GetObjectAclRequest, Grant as Shown, Grantee as ShownGrantee,
    PutBucketAclRequest, PutObjectAclOutput, PutObjectAclRequest,
};
use palisade_shape::{ErrorCode, Nothing, Result, Shape};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

static BUCKET_CANNOT_HAVE_ACLS: ErrorCode =
    ErrorCode::plain("InvalidBucketAclWithObjectOwnership", 400);
static MALFORMED_ACL: ErrorCode = ErrorCode::plain("MalformedACLError", 400);

const EVERYONE: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";
const GRANTS_MAX: usize = 100;

/// The grants of a bucket or an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grants(pub Vec<Grant>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    pub grantee: Grantee,
    pub permission: Permission,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Grantee {
    Account(String),
    Everyone,
    Authenticated,
    LogDelivery,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Permission {
    FullControl,
    Read,
    Write,
    ReadAcp,
    WriteAcp,
}

const PERMISSIONS: [(Permission, &str, &str); 5] = [
    (Permission::FullControl, "FULL_CONTROL", "GrantFullControl"),
    (Permission::Read, "READ", "GrantRead"),
    (Permission::Write, "WRITE", "GrantWrite"),
    (Permission::ReadAcp, "READ_ACP", "GrantReadACP"),
    (Permission::WriteAcp, "WRITE_ACP", "GrantWriteACP"),
];

impl Grants {
    /// Its owner has all rights and nobody else any.
    pub fn private(owner: &str) -> Self {
        let grantee = Grantee::Account(owner.to_owned());
        Self(vec![Grant { grantee, permission: Permission::FullControl }])
    }

    fn and(mut self, grantee: Grantee, permission: Permission) -> Self {
        self.0.push(Grant { grantee, permission });
        self
    }

    pub fn is_public(&self) -> bool {
        let group =
            |grant: &Grant| matches!(grant.grantee, Grantee::Everyone | Grantee::Authenticated);
        self.0.iter().any(group)
    }

    /// Whether the service that delivers access logs has the permission.
    pub fn allow_logs(&self, wanted: Permission) -> bool {
        self.0.iter().any(|grant| {
            let permitted =
                grant.permission == wanted || grant.permission == Permission::FullControl;
            permitted && grant.grantee == Grantee::LogDelivery
        })
    }

    /// Whether a caller of `account` (empty for nobody in particular) has the permission. The
    /// owner's own principals get nothing by it: their policies decide.
    pub fn allow(&self, owner: &str, account: &str, wanted: Permission, public: bool) -> bool {
        self.0.iter().any(|grant| {
            let permitted =
                grant.permission == wanted || grant.permission == Permission::FullControl;
            let named = match &grant.grantee {
                Grantee::Account(named) => named == account && named != owner,
                Grantee::Everyone => public,
                Grantee::Authenticated => public && !account.is_empty(),
                Grantee::LogDelivery => false,
            };
            permitted && named
        })
    }
}

/// The canonical user id of an account: 64 hexadecimal digits.
pub fn canonical_id(account: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("canonical user {account}").as_bytes());
    let mut text = String::with_capacity(64);
    for byte in hash.as_ref() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The account with that canonical user id.
fn account_of(cx: &Context, canonical: &str) -> Result<Option<String>> {
    let accounts = cx.scan(&ACCOUNTS, "", None, usize::MAX)?;
    let mut ids = accounts.into_iter().map(|(id, _)| id);
    Ok(ids.find(|id| canonical_id(id) == canonical))
}

fn by_canonical_id(cx: &Context, id: &str) -> Result<Grantee> {
    let account = account_of(cx, id)?;
    account
        .map(Grantee::Account)
        .ok_or_else(|| error::invalid_argument("Invalid id", "CanonicalUser/ID", id))
}

fn by_email(cx: &Context, email: &str) -> Result<Grantee> {
    let mut accounts = cx.scan(&ACCOUNTS, "", None, usize::MAX)?.into_iter();
    let found = accounts.find(|(_, account)| account.email.eq_ignore_ascii_case(email));
    found.map(|(id, _)| Grantee::Account(id)).ok_or_else(|| {
        error::UNRESOLVABLE_GRANT
            .because("The e-mail address you provided does not match any account on record.")
    })
}

fn by_uri(uri: &str) -> Result<Grantee> {
    match uri {
        EVERYONE => Ok(Grantee::Everyone),
        AUTHENTICATED => Ok(Grantee::Authenticated),
        LOG_DELIVERY => Ok(Grantee::LogDelivery),
        _ => Err(error::invalid_argument("Invalid group uri", "Group/URI", uri)),
    }
}

/// What a canned list grants on something of `owner` in a bucket of `bucket_owner`.
fn canned(name: &str, owner: &str, bucket_owner: &str) -> Result<Grants> {
    let own = Grants::private(owner);
    let other = Grantee::Account(bucket_owner.to_owned());
    Ok(match name {
        "private" | "aws-exec-read" => own,
        "public-read" => own.and(Grantee::Everyone, Permission::Read),
        "public-read-write" => {
            own.and(Grantee::Everyone, Permission::Read).and(Grantee::Everyone, Permission::Write)
        }
        "authenticated-read" => own.and(Grantee::Authenticated, Permission::Read),
        "log-delivery-write" => own
            .and(Grantee::LogDelivery, Permission::Write)
            .and(Grantee::LogDelivery, Permission::ReadAcp),
        "bucket-owner-read" if owner != bucket_owner => own.and(other, Permission::Read),
        "bucket-owner-full-control" if owner != bucket_owner => {
            own.and(other, Permission::FullControl)
        }
        "bucket-owner-read" | "bucket-owner-full-control" => own,
        other => return Err(error::invalid_argument("", "x-amz-acl", other)),
    })
}

/// The list that a request sets: canned, by headers, or as a document. None when it sets none.
pub fn requested(
    cx: &Context,
    input: &dyn Shape,
    owner: &str,
    bucket_owner: &str,
) -> Result<Option<Grants>> {
    let mut by_headers = Vec::new();
    for (permission, _, name) in PERMISSIONS {
        let Some(value) = member::text(input, name) else { continue };
        for named in value.split(',') {
            let grantee = named_in_header(cx, named.trim())?;
            by_headers.push(Grant { grantee, permission });
        }
    }
    let acl = member::text(input, "ACL");
    match (acl, by_headers.is_empty()) {
        (Some(_), false) => {
            Err(INVALID_REQUEST
                .because("Specifying both Canned ACLs and Header Grants is not allowed"))
        }
        (Some(name), true) => canned(&name, owner, bucket_owner).map(Some),
        (None, false) => Ok(Some(Grants(by_headers))),
        (None, true) => Ok(None),
    }
}

/// `id="…"`, `uri="…"` or `emailAddress="…"`: the kind and what stands in quotes.
pub fn kind_and_name(text: &str) -> (&str, &str) {
    let (kind, name) = text.split_once('=').unwrap_or((text, ""));
    (kind.trim(), name.trim().trim_matches('"'))
}

fn named_in_header(cx: &Context, text: &str) -> Result<Grantee> {
    let (kind, value) = kind_and_name(text);
    match kind {
        "id" => by_canonical_id(cx, value),
        "uri" => by_uri(value),
        "emailAddress" => by_email(cx, value),
        other => Err(error::invalid_argument("Argument format not recognized", "grant", other)),
    }
}

/// The grants of a document, whose owner must be `owner`.
fn of_document(cx: &Context, document: &AccessControlPolicy, owner: &str) -> Result<Grants> {
    let id = document.owner.as_ref().and_then(|owner| owner.id.as_deref());
    if id != Some(canonical_id(owner).as_str()) {
        return Err(error::denied());
    }
    let malformed = || {
        MALFORMED_ACL.because(
            "The XML you provided was not well-formed or did not validate against our published \
             schema",
        )
    };
    let mut grants = Vec::new();
    for grant in document.grants.iter().flatten() {
        let named = grant.permission.as_deref().unwrap_or_default();
        let permission = PERMISSIONS.iter().find(|(_, name, _)| *name == named);
        let (permission, ..) = permission.ok_or_else(malformed)?;
        let grantee = grant.grantee.as_ref().ok_or_else(malformed)?;
        let grantee = match (&grantee.id, &grantee.uri, &grantee.email_address) {
            (Some(id), None, None) => by_canonical_id(cx, id)?,
            (None, Some(uri), None) => by_uri(uri)?,
            (None, None, Some(email)) => by_email(cx, email)?,
            _ => return Err(malformed()),
        };
        grants.push(Grant { grantee, permission: *permission });
    }
    if grants.len() > GRANTS_MAX {
        return Err(malformed());
    }
    Ok(Grants(grants))
}

fn shown(grants: &Grants) -> Vec<Shown> {
    let one = |grant: &Grant| {
        let mut grantee = ShownGrantee::default();
        match &grant.grantee {
            Grantee::Account(account) => {
                grantee.r#type = "CanonicalUser".to_owned();
                grantee.id = Some(canonical_id(account));
            }
            group => {
                grantee.r#type = "Group".to_owned();
                let uri = match group {
                    Grantee::Everyone => EVERYONE,
                    Grantee::Authenticated => AUTHENTICATED,
                    Grantee::Account(_) | Grantee::LogDelivery => LOG_DELIVERY,
                };
                grantee.uri = Some(uri.to_owned());
            }
        }
        let named = PERMISSIONS.iter().find(|(permission, ..)| *permission == grant.permission);
        Shown { grantee: Some(grantee), permission: named.map(|(_, name, _)| (*name).to_owned()) }
    };
    grants.0.iter().map(one).collect()
}

/// Refuses a new bucket with a list that it cannot have.
pub fn check_new_bucket(bucket: &Bucket, input: &CreateBucketRequest) -> Result<()> {
    let owner = Grants::private(&bucket.account);
    let set = input.acl.is_some() || bucket.grants != owner;
    if bucket.acls_disabled() && set && bucket.grants != owner {
        return Err(BUCKET_CANNOT_HAVE_ACLS.because(
            "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
        ));
    }
    if bucket.grants.is_public() && public::block(bucket).block_acls {
        return Err(public::blocked_acl());
    }
    Ok(())
}

/// Refuses a list on an object of a bucket that has none, or a public one where that is blocked.
pub fn check_for_object(bucket: &Bucket, owner: &str, grants: Option<&Grants>) -> Result<()> {
    let Some(grants) = grants else { return Ok(()) };
    if bucket.acls_disabled() && *grants != Grants::private(owner) {
        return Err(not_supported());
    }
    if grants.is_public() && public::block(bucket).block_acls {
        return Err(public::blocked_acl());
    }
    Ok(())
}

pub fn not_supported() -> palisade_shape::Error {
    ACL_NOT_SUPPORTED.because("The bucket does not allow ACLs")
}

/// The grants of a bucket.
pub fn get_bucket_acl(cx: &mut Context, input: GetBucketAclRequest) -> Result<GetBucketAclOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let owner = Some(bucket::owner(&bucket.account));
    Ok(GetBucketAclOutput { owner, grants: Some(shown(&bucket.grants)) })
}

/// Sets the grants of a bucket.
pub fn put_bucket_acl(cx: &mut Context, input: PutBucketAclRequest) -> Result<Nothing> {
    let mut bucket = bucket::load(cx, &input.bucket)?;
    let asked = requested(cx, &input, &bucket.account, &bucket.account)?;
    let grants = match (asked, &input.access_control_policy) {
        (Some(grants), None) => grants,
        (None, Some(document)) => of_document(cx, document, &bucket.account)?,
        (None, None) => {
            let message = "Your request was missing a required header";
            return Err(INVALID_ARGUMENT.because(message));
        }
        (Some(_), Some(_)) => {
            return Err(INVALID_REQUEST
                .because("This request does not support both a header and a body for the ACL."));
        }
    };
    if bucket.acls_disabled() && grants != Grants::private(&bucket.account) {
        return Err(not_supported());
    }
    if grants.is_public() && public::block_of(cx, &bucket)?.block_acls {
        return Err(public::blocked_acl());
    }
    bucket.grants = grants;
    bucket::save(cx, &bucket)?;
    Ok(Nothing)
}

/// The grants of an object.
pub fn get_object_acl(cx: &mut Context, input: GetObjectAclRequest) -> Result<GetObjectAclOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    Ok(GetObjectAclOutput {
        owner: Some(bucket::owner(&version.owner)),
        grants: Some(shown(&version.grants())),
        request_charged: None,
    })
}

/// Sets the grants of an object.
pub fn put_object_acl(cx: &mut Context, input: PutObjectAclRequest) -> Result<PutObjectAclOutput> {
    let bucket = bucket::load(cx, &input.bucket)?;
    let mut version = read::find(cx, &bucket, &input.key, input.version_id.as_deref())?;
    let asked = requested(cx, &input, &version.owner, &bucket.account)?;
    let grants = match (asked, &input.access_control_policy) {
        (Some(grants), _) => grants,
        (None, Some(document)) => of_document(cx, document, &version.owner)?,
        (None, None) => return Err(error::malformed_xml()),
    };
    if bucket.acls_disabled() {
        // Only the list that such an object has anyway may be set.
        if grants != Grants::private(&version.owner) {
            return Err(not_supported());
        }
        return Ok(PutObjectAclOutput { request_charged: None });
    }
    if grants.is_public() && public::block_of(cx, &bucket)?.block_acls {
        return Err(public::blocked_acl());
    }
    version.grants = Some(grants);
    object::update(cx, &version)?;
    bucket::touch(cx, &bucket);
    Ok(PutObjectAclOutput { request_charged: None })
}
