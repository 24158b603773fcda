//! Multi-Region keys: keys of one id and material in several regions, one of them the primary.
//!
//! Source: AWS KMS API reference, ReplicateKey, UpdatePrimaryRegion; Developer Guide, "Multi-Region
//! keys in AWS KMS".

use super::key::{self, EXTERNAL, KEYS, Key};
use super::policy_document::{self, Lockout};
use super::{VALIDATION_EXCEPTION, key_id, quota, tag};
use crate::context::Context;
use crate::errors::internal;
use crate::table::{Scope, Table};
use palisade_model::kms::{
    ALREADY_EXISTS_EXCEPTION, KMS_INVALID_STATE_EXCEPTION, MultiRegionConfiguration,
    MultiRegionKey, NOT_FOUND_EXCEPTION, ReplicateKeyRequest, ReplicateKeyResponse,
    UNSUPPORTED_OPERATION_EXCEPTION, UpdatePrimaryRegionRequest,
};
use palisade_shape::{Nothing, Result};
use serde::{Deserialize, Serialize};

/// Where the keys of one id are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    pub id: String,
    pub primary: String,
    /// In order.
    pub replicas: Vec<String>,
}

pub static FAMILIES: Table<Family> = Table::of_private(
    "kms/multi-region-key",
    Scope::Account,
    |family| family.id.clone(),
    |family| internal(format!("{} has a family already", family.id)),
    |id| internal(format!("{id} has no family")),
);

impl Family {
    /// What DescribeKey of the key in `region` shows.
    pub fn configuration(&self, account: &str, region: &str) -> MultiRegionConfiguration {
        let place = |region: &String| MultiRegionKey {
            arn: Some(key::arn(region, account, &self.id)),
            region: Some(region.clone()),
        };
        let kind = if self.primary == region { "PRIMARY" } else { "REPLICA" };
        MultiRegionConfiguration {
            multi_region_key_type: Some(kind.to_owned()),
            primary_key: Some(place(&self.primary)),
            replica_keys: Some(self.replicas.iter().map(place).collect()),
        }
    }

    fn regions(&self) -> impl Iterator<Item = &String> {
        std::iter::once(&self.primary).chain(&self.replicas)
    }
}

/// The family of a multi-Region key.
pub fn family_of(cx: &Context, key: &Key) -> Result<Option<Family>> {
    if !key.is_multi_region() {
        return Ok(None);
    }
    // Reads of another account's key come here too; the key says whose it is.
    let document = palisade_store::Key {
        collection: FAMILIES.name,
        account: &key.account,
        region: "",
        key: &key.id,
    };
    let found = cx.reader().get(&document).map_err(crate::context::from_store)?;
    found.map(|document| FAMILIES.decode(&document.body)).transpose()
}

/// Notes a new primary key.
pub fn found_family(cx: &mut Context, key: &Key) -> Result<()> {
    let family = Family { id: key.id.clone(), primary: key.region.clone(), replicas: Vec::new() };
    cx.insert(&FAMILIES, &family)
}

/// Whether a key is a primary with replicas that are still there.
pub fn has_replicas(cx: &Context, key: &Key) -> Result<bool> {
    let family = family_of(cx, key)?;
    Ok(family.is_some_and(|one| one.primary == key.region && !one.replicas.is_empty()))
}

/// Whether a key's own region is where its family is administered.
pub fn is_primary(cx: &Context, key: &Key) -> Result<bool> {
    Ok(family_of(cx, key)?.is_none_or(|family| family.primary == key.region))
}

/// The replicas of a primary key.
pub fn replicas_of(cx: &Context, key: &Key) -> Result<Vec<Key>> {
    let Some(family) = family_of(cx, key)?.filter(|family| family.primary == key.region) else {
        return Ok(Vec::new());
    };
    family.replicas.iter().map(|region| cx.find(&KEYS, &key::row(region, &key.id))).collect()
}

/// Takes a deleted key out of its family. Answers the primary key if that has waited for this.
pub fn leave(cx: &mut Context, key: &Key) -> Result<Option<Key>> {
    let Some(mut family) = family_of(cx, key)? else { return Ok(None) };
    if family.primary == key.region {
        cx.delete(&FAMILIES, &family.id)?;
        return Ok(None);
    }
    family.replicas.retain(|region| *region != key.region);
    cx.put(&FAMILIES, &family)?;
    if !family.replicas.is_empty() {
        return Ok(None);
    }
    let primary = cx.get(&KEYS, &key::row(&family.primary, &family.id))?;
    let waits = |key: &Key| key.deletion.is_some_and(|deletion| deletion.at_millis.is_none());
    Ok(primary.filter(waits))
}

/// Refuses a region that no partition of AWS's has.
fn check_region(cx: &Context, region: &str) -> Result<()> {
    // The pattern of a region's name was checked before.
    if region.starts_with("cn-") || region.starts_with("us-gov-") || region.starts_with("us-iso") {
        let text = format!("{region} is not in the {} partition.", cx.partition());
        return Err(VALIDATION_EXCEPTION.because(text));
    }
    Ok(())
}

fn refuse_single_region(key: &Key) -> Result<()> {
    if key.is_multi_region() {
        return Ok(());
    }
    let text = format!("{} is not a multi-Region key.", key.arn());
    Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text))
}

/// Makes a key of the same id and material in another region, with a policy, description and tags
/// of its own. The material of imported keys is imported there again.
pub fn replicate_key(cx: &mut Context, input: ReplicateKeyRequest) -> Result<ReplicateKeyResponse> {
    let ReplicateKeyRequest {
        key_id,
        replica_region,
        policy,
        bypass_policy_lockout_safety_check,
        description,
        tags,
    } = input;
    let primary = key_id::load_by_id(cx, &key_id)?;
    refuse_single_region(&primary)?;
    primary.refuse_unusable(cx.now())?;
    check_region(cx, &replica_region)?;
    let family = family_of(cx, &primary)?;
    let mut family = family.ok_or_else(|| internal("a multi-Region key without a family"))?;
    if family.primary != primary.region {
        let text =
            format!("{} is a replica key; only a primary key can be replicated.", primary.arn());
        return Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text));
    }
    if family.regions().any(|region| *region == replica_region) {
        let arn = key::arn(&replica_region, &primary.account, &primary.id);
        return Err(ALREADY_EXISTS_EXCEPTION.because(format!("Key '{arn}' already exists.")));
    }
    let policy = match policy {
        Some(text) => {
            let lockout = Lockout::of(bypass_policy_lockout_safety_check);
            policy_document::checked(cx, &text, lockout)?
        }
        None => policy_document::default(&primary.account),
    };
    let mut replica = Key {
        region: replica_region.clone(),
        created_millis: cx.now().millis(),
        enabled: true,
        description: description.unwrap_or_default(),
        deletion: None,
        policy,
        tags: tag::given(tags)?,
        aliases: Vec::new(),
        ..primary.clone()
    };
    if replica.origin == EXTERNAL {
        for material in &mut replica.materials {
            material.sealed = None;
            material.valid_to_millis = None;
        }
    }
    quota::take_key_in(cx, &replica_region)?;
    cx.insert(&KEYS, &replica)?;
    family.replicas.push(replica_region);
    family.replicas.sort();
    cx.put(&FAMILIES, &family)?;
    key::touch(cx, &primary);
    key::touch(cx, &replica);
    let replica_policy = policy_document::shown(cx, &replica.policy)?;
    Ok(ReplicateKeyResponse {
        replica_key_metadata: Some(key::metadata(cx, &replica)?),
        replica_policy: Some(replica_policy),
        replica_tags: Some(tag::shown(&replica.tags)),
    })
}

/// Makes a replica the primary key, and the primary a replica.
pub fn update_primary_region(
    cx: &mut Context,
    input: UpdatePrimaryRegionRequest,
) -> Result<Nothing> {
    let UpdatePrimaryRegionRequest { key_id, primary_region } = input;
    let key = key_id::load_by_id(cx, &key_id)?;
    refuse_single_region(&key)?;
    key.refuse_unusable(cx.now())?;
    let family = family_of(cx, &key)?;
    let mut family = family.ok_or_else(|| internal("a multi-Region key without a family"))?;
    if family.primary != key.region {
        let text = format!("{} is not a primary key.", key.arn());
        return Err(UNSUPPORTED_OPERATION_EXCEPTION.because(text));
    }
    if primary_region == key.region {
        let text = format!("{primary_region} is the primary Region already.");
        return Err(VALIDATION_EXCEPTION.because(text));
    }
    let arn = key::arn(&primary_region, &key.account, &key.id);
    let next = cx.get(&KEYS, &key::row(&primary_region, &key.id))?;
    let next =
        next.ok_or_else(|| NOT_FOUND_EXCEPTION.because(format!("Key '{arn}' does not exist")))?;
    if next.deletion.is_some() {
        return Err(KMS_INVALID_STATE_EXCEPTION.because(format!("{arn} is pending deletion.")));
    }
    family.replicas.retain(|region| *region != primary_region);
    family.replicas.push(std::mem::replace(&mut family.primary, primary_region));
    family.replicas.sort();
    cx.put(&FAMILIES, &family)?;
    key::touch(cx, &key);
    key::touch(cx, &next);
    Ok(Nothing)
}
