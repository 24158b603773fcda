//! Grants: what a key's owner gives one principal to do with it.
//!
//! Source: AWS KMS API reference, CreateGrant and its like; Developer Guide, "Grants in AWS KMS".

use super::key::{self, Key};
use super::{VALIDATION_EXCEPTION, dry_run, grant_token, key_id, list};
use crate::context::Context;
use crate::errors::internal;
use crate::iam::principal_ids;
use crate::page::{self, Page};
use crate::table::{Scope, Table};
use data_encoding::HEXLOWER;
use palisade_model::kms::{
    CreateGrantRequest, CreateGrantResponse, GrantConstraints, GrantListEntry,
    INVALID_ARN_EXCEPTION, INVALID_GRANT_ID_EXCEPTION, INVALID_MARKER_EXCEPTION,
    LIMIT_EXCEEDED_EXCEPTION, ListGrantsRequest, ListGrantsResponse, ListRetirableGrantsRequest,
    NOT_FOUND_EXCEPTION, RetireGrantRequest, RevokeGrantRequest,
};
use palisade_policy::arn::Arn;
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One grant. Principals are kept by their unique ids where they have one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub id: String,
    pub region: String,
    pub key_id: String,
    pub name: String,
    pub created_millis: i64,
    pub grantee: String,
    pub retiring: Option<String>,
    /// The account that created it.
    pub issuer: String,
    pub operations: Vec<String>,
    pub constraint: Option<Constraint>,
}

/// What the encryption context of a call must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Constraint {
    Subset(BTreeMap<String, String>),
    Equals(BTreeMap<String, String>),
}

/// By region, key and id, so that the grants of a key stand together.
pub static GRANTS: Table<Grant> = Table::of_private(
    "kms/grant",
    Scope::Account,
    |grant| row(&grant.region, &grant.key_id, &grant.id),
    |grant| internal(format!("grant {} is there already", grant.id)),
    |row| NOT_FOUND_EXCEPTION.because(format!("Grant {row} not found")),
);

/// Where the grants of a principal are: whom a grant is for, or who may retire it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    key: String,
    grant: String,
}

/// By region, grantee, key and id.
pub static GRANTEES: Table<Place> = places("kms/grantee");
/// By region, retiring principal, key and id.
static RETIRING: Table<Place> = places("kms/retiring-principal");

const fn places(name: &'static str) -> Table<Place> {
    Table::of_private(
        name,
        Scope::Account,
        |place| place.key.clone(),
        |place| internal(format!("{} is noted already", place.key)),
        |key| internal(format!("{key} is not noted")),
    )
}

/// Grants of one key (Developer Guide, "Resource quotas").
const GRANTS_OF_KEY_MAX: usize = 50_000;

pub fn row(region: &str, key_id: &str, id: &str) -> String {
    format!("{region}/{key_id}/{id}")
}

fn place(region: &str, principal: &str, key_id: &str, id: &str) -> String {
    // No principal has a space.
    format!("{region} {principal} {key_id}/{id}")
}

impl Constraint {
    fn of(constraints: Option<GrantConstraints>) -> Result<Option<Self>> {
        let Some(constraints) = constraints else { return Ok(None) };
        let GrantConstraints { encryption_context_subset, encryption_context_equals } = constraints;
        // Clients send what they leave out as an empty map.
        let given = |pairs: Option<BTreeMap<String, String>>| pairs.filter(|one| !one.is_empty());
        match (given(encryption_context_subset), given(encryption_context_equals)) {
            (Some(_), Some(_)) => Err(VALIDATION_EXCEPTION.because(
                "EncryptionContextSubset and EncryptionContextEquals cannot both be specified.",
            )),
            (Some(pairs), None) => Ok(Some(Self::Subset(pairs))),
            (None, Some(pairs)) => Ok(Some(Self::Equals(pairs))),
            (None, None) => Ok(None),
        }
    }

    fn shown(self) -> GrantConstraints {
        let (subset, equals) = match self {
            Self::Subset(pairs) => (Some(pairs), None),
            Self::Equals(pairs) => (None, Some(pairs)),
        };
        GrantConstraints { encryption_context_subset: subset, encryption_context_equals: equals }
    }
}

/// Whom a grant names, as it is kept.
fn principal(cx: &mut Context, named: &str) -> Result<String> {
    let is_service = named.ends_with(".amazonaws.com") && !named.contains(':');
    if is_service {
        return Ok(named.to_owned());
    }
    let invalid = || INVALID_ARN_EXCEPTION.because(format!("ARN {named} is not a valid principal"));
    let arn = Arn::parse(named).ok_or_else(invalid)?;
    if !matches!(arn.service, "iam" | "sts") || arn.account_id().is_none() {
        return Err(invalid());
    }
    principal_ids::to_id(cx, named).map_err(|_| invalid())
}

/// Creates a grant. One of the same name and content is answered again with a new token.
pub fn create_grant(cx: &mut Context, input: CreateGrantRequest) -> Result<CreateGrantResponse> {
    let CreateGrantRequest {
        key_id,
        grantee_principal,
        retiring_principal,
        operations,
        constraints,
        grant_tokens,
        name,
        dry_run,
    } = input;
    grant_token::check(cx, grant_tokens.as_deref())?;
    let key = key_id::load_by_id(cx, &key_id)?;
    key.refuse_unusable(cx.now())?;
    let constraint = Constraint::of(constraints)?;
    check_operations(&key, &operations, constraint.as_ref())?;
    let grant = Grant {
        id: new_id(cx),
        region: key.region.clone(),
        key_id: key.id.clone(),
        name: name.unwrap_or_default(),
        created_millis: cx.now().millis(),
        grantee: principal(cx, &grantee_principal)?,
        retiring: retiring_principal.map(|named| principal(cx, &named)).transpose()?,
        issuer: cx.caller.account.to_string(),
        operations,
        constraint,
    };
    dry_run::stop(dry_run)?;
    let account = key.account.clone();
    let id = cx.in_account(&account, |cx| store(cx, grant))?;
    let grant_token = grant_token::make(cx, &key, &id)?;
    key::touch(cx, &key);
    Ok(CreateGrantResponse { grant_token: Some(grant_token), grant_id: Some(id) })
}

/// Refuses operations that keys of the kind do not have, and constraints on those without an
/// encryption context.
fn check_operations(
    key: &Key,
    operations: &[String],
    constraint: Option<&Constraint>,
) -> Result<()> {
    use super::spec::{ENCRYPT_DECRYPT, GENERATE_VERIFY_MAC, KEY_AGREEMENT, SIGN_VERIFY};
    let symmetric = key.spec()?.is_symmetric_encryption();
    if operations.is_empty() {
        return Err(VALIDATION_EXCEPTION.because("Operations must not be empty."));
    }
    for operation in operations {
        let fits = match operation.as_str() {
            "CreateGrant" | "RetireGrant" | "DescribeKey" => true,
            "Encrypt" | "Decrypt" | "ReEncryptFrom" | "ReEncryptTo" => key.usage == ENCRYPT_DECRYPT,
            "Sign" | "Verify" => key.usage == SIGN_VERIFY,
            "GenerateMac" | "VerifyMac" => key.usage == GENERATE_VERIFY_MAC,
            "DeriveSharedSecret" => key.usage == KEY_AGREEMENT,
            "GetPublicKey" => key.spec()?.is_asymmetric(),
            _ => symmetric,
        };
        if !fits {
            let text = format!("Grant operation {operation} is not valid for {}.", key.arn());
            return Err(VALIDATION_EXCEPTION.because(text));
        }
    }
    if constraint.is_some() && !symmetric {
        return Err(VALIDATION_EXCEPTION.because(
            "Encryption context constraints are valid for symmetric encryption KMS keys alone.",
        ));
    }
    Ok(())
}

/// 64 hexadecimal digits.
fn new_id(cx: &Context) -> String {
    let mut bytes = [0; 32];
    cx.plane.random.fill(&mut bytes);
    HEXLOWER.encode(&bytes)
}

/// Stores a grant, unless one of its name says the same already; answers its id.
fn store(cx: &mut Context, grant: Grant) -> Result<String> {
    let prefix = row(&grant.region, &grant.key_id, "");
    if !grant.name.is_empty() {
        let same = |known: &Grant| {
            Grant { id: grant.id.clone(), created_millis: grant.created_millis, ..known.clone() }
                == grant
        };
        if let Some(known) = cx.all(&GRANTS, &prefix)?.into_iter().find(|known| same(known)) {
            return Ok(known.id);
        }
    }
    let in_front = place(&grant.region, &grant.grantee, &grant.key_id, "");
    let of_grantee = cx.scan(&GRANTEES, &in_front, None, GRANTS_OF_KEY_MAX)?.len();
    if of_grantee >= GRANTS_OF_KEY_MAX {
        let text = format!("The key has {GRANTS_OF_KEY_MAX} grants already.");
        return Err(LIMIT_EXCEEDED_EXCEPTION.because(text));
    }
    cx.insert(&GRANTS, &grant)?;
    let note = |principal: &str| Place {
        key: place(&grant.region, principal, &grant.key_id, &grant.id),
        grant: row(&grant.region, &grant.key_id, &grant.id),
    };
    cx.insert(&GRANTEES, &note(&grant.grantee))?;
    if let Some(retiring) = &grant.retiring {
        cx.insert(&RETIRING, &note(retiring))?;
    }
    Ok(grant.id)
}

/// The grants of a key that are for one of the principals.
pub fn given_to(cx: &Context, key: &Key, principals: &[String]) -> Result<Vec<Grant>> {
    let mut grants = Vec::new();
    for principal in principals {
        let prefix = place(&key.region, principal, &key.id, "");
        for place in cx.all(&GRANTEES, &prefix)? {
            grants.push(cx.find(&GRANTS, &place.grant)?);
        }
    }
    Ok(grants)
}

/// The grant of that id, in the account that is seen.
pub fn find(cx: &Context, key: &Key, id: &str) -> Result<Option<Grant>> {
    cx.get(&GRANTS, &row(&key.region, &key.id, id))
}

fn remove(cx: &mut Context, grant: &Grant) -> Result<()> {
    let Grant { region, key_id, id, grantee, retiring, .. } = grant;
    cx.delete(&GRANTS, &row(region, key_id, id))?;
    cx.delete(&GRANTEES, &place(region, grantee, key_id, id))?;
    if let Some(retiring) = retiring {
        cx.delete(&RETIRING, &place(region, retiring, key_id, id))?;
    }
    Ok(())
}

/// Removes the grants of a key that is deleted.
pub fn forget_all(cx: &mut Context, key: &Key) -> Result<()> {
    for grant in cx.all(&GRANTS, &row(&key.region, &key.id, ""))? {
        remove(cx, &grant)?;
    }
    Ok(())
}

/// Removes a grant that the key or account should no longer give.
pub fn revoke_grant(cx: &mut Context, input: RevokeGrantRequest) -> Result<Nothing> {
    let RevokeGrantRequest { key_id, grant_id, dry_run } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    end(cx, &key, &grant_id, dry_run)
}

/// Removes a grant that its holder needs no longer.
pub fn retire_grant(cx: &mut Context, input: RetireGrantRequest) -> Result<Nothing> {
    let (key_id, grant_id) = retired(cx, &input)?;
    let key = key_id::load_by_id(cx, &key_id)?;
    end(cx, &key, &grant_id, input.dry_run)
}

/// The key and the grant that RetireGrant names, by a token or by both their ids.
pub fn retired(cx: &Context, input: &RetireGrantRequest) -> Result<(String, String)> {
    match (&input.grant_token, &input.key_id, &input.grant_id) {
        (Some(token), None, None) => {
            let named = grant_token::open(cx, token)?;
            Ok((key::arn(&named.region, &named.account, &named.key_id), named.grant_id))
        }
        (None, Some(key_id), Some(grant_id)) => Ok((key_id.clone(), grant_id.clone())),
        _ => Err(VALIDATION_EXCEPTION.because(
            "Please specify either grant token or key ID and \
                                               grant ID.",
        )),
    }
}

fn end(cx: &mut Context, key: &Key, grant_id: &str, dry_run: Option<bool>) -> Result<Nothing> {
    let account = key.account.clone();
    let grant = cx.in_account(&account, |cx| find(cx, key, grant_id))?;
    let missing = || NOT_FOUND_EXCEPTION.because(format!("Grant ID {grant_id} not found"));
    let grant = grant.ok_or_else(missing)?;
    dry_run::stop(dry_run)?;
    cx.in_account(&account, |cx| remove(cx, &grant))?;
    key::touch(cx, key);
    Ok(Nothing)
}

/// Lists the grants of a key, all or those of one principal.
pub fn list_grants(cx: &mut Context, input: ListGrantsRequest) -> Result<ListGrantsResponse> {
    let ListGrantsRequest { limit, marker, key_id, grant_id, grantee_principal } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    let account = key.account.clone();
    let grantee = grantee_principal.map(|named| principal(cx, &named)).transpose()?;
    let page = cx.in_account(&account, |cx| match (grant_id, &grantee) {
        (Some(id), _) => {
            let grant = find(cx, &key, &id)?.ok_or_else(|| {
                INVALID_GRANT_ID_EXCEPTION.because(format!("Grant ID {id} is invalid"))
            })?;
            page::start(marker.as_deref(), &INVALID_MARKER_EXCEPTION)?;
            Ok(Page { items: vec![grant], next: None })
        }
        (None, Some(grantee)) => {
            let prefix = place(&key.region, grantee, &key.id, "");
            noted(cx, &GRANTEES, &prefix, marker.as_deref(), limit)
        }
        (None, None) => {
            let prefix = row(&key.region, &key.id, "");
            list::page(cx, &GRANTS, &prefix, marker.as_deref(), limit, list::SHORT)
        }
    })?;
    key::touch(cx, &key);
    answer(cx, &account, page)
}

/// One page of the grants that a table of places leads to.
fn noted(
    cx: &Context,
    table: &Table<Place>,
    prefix: &str,
    marker: Option<&str>,
    limit: Option<i32>,
) -> Result<Page<Grant>> {
    let Page { items, next } = list::page(cx, table, prefix, marker, limit, list::SHORT)?;
    let grants = items.into_iter().map(|place| cx.find(&GRANTS, &place.grant));
    Ok(Page { items: grants.collect::<Result<_>>()?, next })
}

/// Lists the grants of the account in the region that a principal may retire.
pub fn list_retirable_grants(
    cx: &mut Context,
    input: ListRetirableGrantsRequest,
) -> Result<ListGrantsResponse> {
    let ListRetirableGrantsRequest { limit, marker, retiring_principal } = input;
    let retiring = principal(cx, &retiring_principal)?;
    let prefix = format!("{} {retiring} ", cx.region());
    let page = noted(cx, &RETIRING, &prefix, marker.as_deref(), limit)?;
    let account = cx.account().to_owned();
    answer(cx, &account, page)
}

fn answer(cx: &mut Context, account: &str, page: Page<Grant>) -> Result<ListGrantsResponse> {
    let mut grants = Vec::with_capacity(page.items.len());
    for grant in page.items {
        let grantee = principal_ids::to_arn(cx, &grant.grantee)?;
        let retiring = grant.retiring.map(|kept| principal_ids::to_arn(cx, &kept)).transpose()?;
        grants.push(GrantListEntry {
            key_id: Some(key::arn(&grant.region, account, &grant.key_id)),
            grant_id: Some(grant.id),
            name: Some(grant.name),
            creation_date: Some(Timestamp::from_millis(grant.created_millis).whole_seconds()),
            grantee_principal: Some(grantee),
            retiring_principal: retiring,
            issuing_account: Some(format!("arn:aws:iam::{}:root", grant.issuer)),
            operations: Some(grant.operations),
            constraints: grant.constraint.map(Constraint::shown),
        });
    }
    Ok(ListGrantsResponse {
        truncated: Some(page.next.is_some()),
        next_marker: page.next,
        grants: Some(grants),
    })
}
