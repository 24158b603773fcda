//! KMS keys: the record, and what makes, shows and lists them.
//!
//! Source: AWS KMS API reference, CreateKey, DescribeKey, ListKeys; Developer Guide, "Key states".

use super::material::{self, Material, MaterialState};
use super::policy_document::{self, Lockout};
use super::replica::{self, FAMILIES};
use super::secret;
use super::spec::{self, Spec};
use super::{VALIDATION_EXCEPTION, custom_key_store, key_id, list, managed, quota, tag};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use base64::{Engine, engine::general_purpose::STANDARD};
use palisade_model::kms::{
    CreateKeyRequest, CreateKeyResponse, DescribeKeyRequest, DescribeKeyResponse, KeyListEntry,
    KeyMetadata, ListKeysRequest, ListKeysResponse, MultiRegionConfiguration, NOT_FOUND_EXCEPTION,
    UNSUPPORTED_OPERATION_EXCEPTION, UpdateKeyDescriptionRequest,
};
use palisade_shape::{Nothing, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// What KMS keeps of a key. Times are milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Key {
    /// A UUID; `mrk-` and 32 hexadecimal digits of a multi-Region key.
    pub id: String,
    pub account: String,
    pub region: String,
    pub created_millis: i64,
    pub enabled: bool,
    pub description: String,
    pub usage: String,
    pub spec: String,
    /// `AWS_KMS` or `EXTERNAL`.
    pub origin: String,
    /// An AWS service made it for the account.
    pub managed: bool,
    pub deletion: Option<Deletion>,
    /// Users and roles by their unique ids.
    pub policy: String,
    pub tags: Vec<(String, String)>,
    /// The names that stand for it, with their `alias/`, sorted.
    pub aliases: Vec<String>,
    pub rotation: Option<Rotation>,
    pub on_demand_started_millis: Option<i64>,
    /// In the order in which they came.
    pub materials: Vec<Material>,
}

/// A deletion that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deletion {
    pub window_days: i32,
    /// None while replicas of a primary key are there.
    pub at_millis: Option<i64>,
}

/// Automatic rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rotation {
    pub period_days: i32,
    pub next_millis: i64,
}

/// By region and id, so that a region's keys stand together.
pub static KEYS: Table<Key> = Table::of_private(
    "kms/key",
    Scope::Account,
    |key| row(&key.region, &key.id),
    |key| internal(format!("key {} is there already", key.id)),
    |key| NOT_FOUND_EXCEPTION.because(format!("Key '{key}' does not exist")),
);

const CLOUDFORMATION_TYPE: &str = "AWS::KMS::Key";

pub const EXTERNAL: &str = "EXTERNAL";
const AWS_KMS: &str = "AWS_KMS";

/// The row of a key.
pub fn row(region: &str, id: &str) -> String {
    format!("{region}/{id}")
}

/// The keys that the account made itself, in all regions, but those that are to be deleted.
pub fn customer_keys(cx: &Context) -> Result<Vec<Key>> {
    let keys = cx.all(&KEYS, "")?.into_iter();
    Ok(keys.filter(|key| !key.managed && key.deletion.is_none()).collect())
}

impl Key {
    pub fn arn(&self) -> String {
        arn(&self.region, &self.account, &self.id)
    }

    pub fn row(&self) -> String {
        row(&self.region, &self.id)
    }

    pub fn spec(&self) -> Result<&'static Spec> {
        Spec::named(&self.spec)
    }

    pub fn algorithms(&self) -> Result<&'static [&'static str]> {
        let algorithms = self.spec()?.algorithms(&self.usage);
        algorithms.ok_or_else(|| internal(format!("key {} has a usage it cannot have", self.id)))
    }

    pub fn is_multi_region(&self) -> bool {
        self.id.starts_with("mrk-")
    }

    pub fn current(&self) -> Option<&Material> {
        self.materials.iter().find(|material| material.state == MaterialState::Current)
    }

    pub fn material(&self, id: &str) -> Option<&Material> {
        self.materials.iter().find(|material| material.id == id)
    }

    /// The identifier that answers of symmetric encryption keys show.
    pub fn shown_material_id(&self) -> Option<String> {
        let shown = self.spec == spec::SYMMETRIC_DEFAULT;
        self.current().filter(|_| shown).map(|material| material.id.clone())
    }
}

pub fn arn(region: &str, account: &str, id: &str) -> String {
    format!("arn:aws:kms:{region}:{account}:key/{id}")
}

/// Names the key in the audit record; its owner's trail gets the event as well.
pub fn touch(cx: &mut Context, key: &Key) {
    let account = key.account.clone();
    cx.in_account(&account, |cx| cx.touch(CLOUDFORMATION_TYPE, key.arn()));
    if *cx.caller.account != *account && !cx.notes.shared_with.contains(&account) {
        cx.notes.shared_with.push(account);
    }
}

/// Stores a changed key.
pub fn put(cx: &mut Context, key: &Key) -> Result<()> {
    let account = key.account.clone();
    cx.in_account(&account, |cx| cx.put(&KEYS, key))
}

/// Makes the secret of a new asymmetric key before the transaction begins.
pub fn prepare_key(cx: &mut Context, input: &CreateKeyRequest) -> Result<()> {
    let spec = Spec::named(&requested_spec(input)?)?;
    if spec.is_asymmetric() && input.origin.as_deref().is_none_or(|origin| origin == AWS_KMS) {
        spec::usage_of_new(spec, input.key_usage.clone())?;
        secret::prepared(cx, spec.family)?;
    }
    Ok(())
}

/// The old name of `KeySpec` means the same.
fn requested_spec(input: &CreateKeyRequest) -> Result<String> {
    let (new, old) = (&input.key_spec, &input.customer_master_key_spec);
    if let (Some(new), Some(old)) = (new, old)
        && new != old
    {
        return Err(VALIDATION_EXCEPTION.because(
            "You cannot specify KeySpec and CustomerMasterKeySpec in the same request. \
             CustomerMasterKeySpec is deprecated.",
        ));
    }
    Ok(new.clone().or_else(|| old.clone()).unwrap_or_else(|| spec::SYMMETRIC_DEFAULT.to_owned()))
}

/// Creates a key, with its material unless that is to be imported.
pub fn create_key(cx: &mut Context, input: CreateKeyRequest) -> Result<CreateKeyResponse> {
    let spec = Spec::named(&requested_spec(&input)?)?;
    let CreateKeyRequest {
        policy,
        description,
        key_usage,
        customer_master_key_spec: _,
        key_spec: _,
        origin,
        custom_key_store_id,
        bypass_policy_lockout_safety_check,
        tags,
        multi_region,
        xks_key_id,
    } = input;
    let usage = spec::usage_of_new(spec, key_usage)?;
    let origin = origin.unwrap_or_else(|| AWS_KMS.to_owned());
    custom_key_store::check_origin(&origin, custom_key_store_id, xks_key_id)?;
    let multi_region = multi_region.unwrap_or(false);
    let id = new_id(cx, multi_region);
    let policy = match policy {
        Some(text) => {
            let lockout = Lockout::of(bypass_policy_lockout_safety_check);
            policy_document::checked(cx, &text, lockout)?
        }
        None => policy_document::default(cx.account()),
    };
    let mut key = Key {
        account: cx.account().to_owned(),
        region: cx.region().to_owned(),
        created_millis: cx.now().millis(),
        enabled: true,
        description: description.unwrap_or_default(),
        usage,
        spec: spec.name.to_owned(),
        origin,
        managed: false,
        deletion: None,
        policy,
        tags: tag::given(tags)?,
        aliases: Vec::new(),
        rotation: None,
        on_demand_started_millis: None,
        materials: Vec::new(),
        id,
    };
    if key.origin == AWS_KMS {
        let secret = secret::prepared(cx, spec.family)?;
        key.materials.push(material::seal(cx, (&key.account, &key.id), spec, &secret)?);
    }
    quota::take_key(cx)?;
    cx.insert(&KEYS, &key)?;
    if multi_region {
        replica::found_family(cx, &key)?;
    }
    touch(cx, &key);
    Ok(CreateKeyResponse { key_metadata: Some(metadata(cx, &key)?) })
}

/// A key that a service of AWS asks for: enabled, symmetric, and named by an alias of AWS.
pub fn new_managed(cx: &mut Context, alias: &str, policy: String, what: String) -> Result<Key> {
    let spec = Spec::named(spec::SYMMETRIC_DEFAULT)?;
    let (account, id) = (cx.account().to_owned(), cx.uuid());
    let secret = secret::generate(cx, spec.family)?;
    let sealed = material::seal(cx, (&account, &id), spec, &secret)?;
    let now = cx.now();
    Ok(Key {
        id,
        account,
        region: cx.region().to_owned(),
        created_millis: now.millis(),
        enabled: true,
        description: what,
        usage: spec::ENCRYPT_DECRYPT.to_owned(),
        spec: spec.name.to_owned(),
        origin: AWS_KMS.to_owned(),
        managed: true,
        deletion: None,
        policy,
        tags: Vec::new(),
        aliases: vec![alias.to_owned()],
        rotation: None,
        on_demand_started_millis: None,
        materials: vec![sealed],
    })
}

fn new_id(cx: &Context, multi_region: bool) -> String {
    let id = cx.uuid();
    if multi_region { format!("mrk-{}", id.replace('-', "")) } else { id }
}

/// What DescribeKey and its like show of a key.
pub fn metadata(cx: &Context, key: &Key) -> Result<KeyMetadata> {
    let (spec, now) = (key.spec()?, cx.now());
    let algorithms = |usage: &str| {
        let known = spec.algorithms(usage).filter(|_| key.usage == usage);
        known.map(|names| names.iter().map(|name| (*name).to_owned()).collect::<Vec<String>>())
    };
    let state = key.state(now);
    let deletion = key.deletion;
    let material = key.current().filter(|material| material.is_there(now));
    let imported = material.filter(|_| key.origin == EXTERNAL);
    let expires = imported.and_then(|material| material.valid_to_millis);
    Ok(KeyMetadata {
        aws_account_id: Some(key.account.clone()),
        key_id: key.id.clone(),
        arn: Some(key.arn()),
        creation_date: Some(Timestamp::from_millis(key.created_millis)),
        enabled: Some(state == super::key_state::State::Enabled),
        description: Some(key.description.clone()),
        key_usage: Some(key.usage.clone()),
        key_state: Some(state.name().to_owned()),
        deletion_date: deletion.and_then(|one| one.at_millis).map(Timestamp::from_millis),
        valid_to: expires.map(Timestamp::from_millis),
        origin: Some(key.origin.clone()),
        custom_key_store_id: None,
        cloud_hsm_cluster_id: None,
        expiration_model: imported.map(|_| super::import::model_of(expires).to_owned()),
        key_manager: Some(if key.managed { "AWS" } else { "CUSTOMER" }.to_owned()),
        customer_master_key_spec: Some(key.spec.clone()),
        key_spec: Some(key.spec.clone()),
        encryption_algorithms: algorithms(spec::ENCRYPT_DECRYPT),
        signing_algorithms: algorithms(spec::SIGN_VERIFY),
        key_agreement_algorithms: algorithms(spec::KEY_AGREEMENT),
        multi_region: Some(key.is_multi_region()),
        multi_region_configuration: configuration(cx, key)?,
        pending_deletion_window_in_days: deletion
            .filter(|one| one.at_millis.is_none())
            .map(|one| one.window_days),
        mac_algorithms: algorithms(spec::GENERATE_VERIFY_MAC),
        xks_key_configuration: None,
        current_key_material_id: key.shown_material_id(),
    })
}

fn configuration(cx: &Context, key: &Key) -> Result<Option<MultiRegionConfiguration>> {
    if !key.is_multi_region() {
        return Ok(None);
    }
    let family = replica::family_of(cx, key)?;
    let family = family.ok_or_else(|| internal(format!("{} has no family", FAMILIES.name)))?;
    Ok(Some(family.configuration(&key.account, &key.region)))
}

/// The public half of the key's current material.
pub fn public_key(key: &Key) -> Result<Vec<u8>> {
    let public = key.current().and_then(|material| material.public.as_deref());
    let public = public.ok_or_else(|| {
        let text =
            format!("{} key spec is {} which is not valid for GetPublicKey.", key.arn(), key.spec);
        UNSUPPORTED_OPERATION_EXCEPTION.because(text)
    })?;
    STANDARD.decode(public).map_err(internal)
}

/// Answers about a key. Asked for the alias of an AWS service, KMS makes that service's key.
pub fn describe_key(cx: &mut Context, input: DescribeKeyRequest) -> Result<DescribeKeyResponse> {
    let DescribeKeyRequest { key_id, grant_tokens: _ } = input;
    let key = match managed::wanted(cx, &key_id)? {
        Some(service) => managed::make(cx, service)?,
        None => key_id::load(cx, &key_id)?,
    };
    touch(cx, &key);
    Ok(DescribeKeyResponse { key_metadata: Some(metadata(cx, &key)?) })
}

/// Lists the keys of the account in the region.
pub fn list_keys(cx: &mut Context, input: ListKeysRequest) -> Result<ListKeysResponse> {
    let ListKeysRequest { limit, marker } = input;
    let prefix = row(cx.region(), "");
    let page = list::page(cx, &KEYS, &prefix, marker.as_deref(), limit, list::LONG)?;
    let entry = |key: Key| KeyListEntry { key_arn: Some(key.arn()), key_id: Some(key.id) };
    Ok(ListKeysResponse {
        truncated: Some(page.next.is_some()),
        next_marker: page.next,
        keys: Some(page.items.into_iter().map(entry).collect()),
    })
}

/// Changes what a key's owner says of it.
pub fn update_key_description(
    cx: &mut Context,
    input: UpdateKeyDescriptionRequest,
) -> Result<Nothing> {
    let UpdateKeyDescriptionRequest { key_id, description } = input;
    let mut key = key_id::load(cx, &key_id)?;
    key.refuse_pending_deletion()?;
    key.description = description;
    put(cx, &key)?;
    touch(cx, &key);
    Ok(Nothing)
}
