//! What KMS's calls must be allowed. The authorization table tells the actions and the keys that
//! members of the input hold; which key of whose account a call is about is found here, because a
//! `KeyId` may be an alias or be told by a ciphertext, and an encryption context is a key for each
//! of its pairs.
//!
//! Source: Service Authorization Reference, "AWS Key Management Service"; KMS Developer Guide,
//! "AWS KMS condition keys".

use super::ciphertext::EncryptionContext;
use super::key::{self, Key};
use super::key_id::{self, KeyName};
use super::{SERVICE, alias, encrypt, grant, spec};
use crate::authorization::{Requirement, from_table};
use crate::context::Context;
use crate::service::{Input, Requires};
use palisade_model::kms as model;
use palisade_protocol::select::select;
use palisade_shape::{Blob, Result};

/// The requirement on the key that the member `KeyId` names, for the operation of that name.
pub struct OnKey(pub &'static str);

impl Requires for OnKey {
    fn requirements(&self, cx: &mut Context, input: &dyn Input) -> Result<Vec<Requirement>> {
        let named = select(input.as_shape(), "KeyId").into_iter().next().unwrap_or_default();
        Ok(vec![on_named(cx, self.0, input, &named)?])
    }
}

/// The key of a call, named by a `KeyId` or found otherwise.
pub struct Target {
    arn: String,
    account: String,
    alias: Option<String>,
}

impl Target {
    /// The key that a `KeyId` stands for. One that is not there still has an ARN; an alias that is
    /// not there has its own, on which no key policy allows anything.
    fn named(cx: &mut Context, key_id: &str) -> Result<Self> {
        let name = key_id::parse(cx, key_id)?;
        let id = key_id::id_of(cx, &name)?;
        let KeyName { account, name } = name;
        let arn = match &id {
            Some(id) => key::arn(cx.region(), &account, id),
            None => alias::arn(cx.region(), &account, &name),
        };
        let alias = name.starts_with("alias/").then_some(name);
        Ok(Self { arn, account, alias })
    }

    fn of(key: &Key) -> Self {
        Self { arn: key.arn(), account: key.account.clone(), alias: None }
    }
}

/// The keys that the table takes from the input's members. What it takes for a key's spec or usage
/// there is that of a data key, except where a key is created.
fn keys(cx: &mut Context, operation: &str, input: &dyn Input) -> Result<Requirement> {
    let mut found = from_table(cx, &SERVICE, operation, input)?;
    let mut first = match found.is_empty() {
        true => Requirement::new(format!("kms:{operation}"), "*", cx.account()),
        false => found.swap_remove(0),
    };
    first.keys.retain(|(name, _)| {
        !matches!(name.as_str(), "kms:requestalias" | "kms:encryptioncontextkeys" | "kms:keyspec")
            && !name.starts_with("kms:encryptioncontext:")
    });
    Ok(first)
}

fn on_named(
    cx: &mut Context,
    operation: &str,
    input: &dyn Input,
    key_id: &str,
) -> Result<Requirement> {
    let target = Target::named(cx, key_id)?;
    on(cx, operation, input, target)
}

fn on(cx: &mut Context, operation: &str, input: &dyn Input, target: Target) -> Result<Requirement> {
    let base = keys(cx, operation, input)?;
    let context = context_member(input);
    let mut requirement = Requirement {
        action: format!("kms:{operation}"),
        kind: "key".to_owned(),
        resource: target.arn,
        account: target.account,
        keys: base.keys,
        request_tags: base.request_tags,
    };
    if let Some(alias) = target.alias {
        requirement = requirement.with_key("kms:RequestAlias", alias);
    }
    Ok(defaults(with_context(requirement, context), operation))
}

/// A key for each pair of the encryption context, and their names.
fn with_context(mut requirement: Requirement, context: Option<&EncryptionContext>) -> Requirement {
    let Some(context) = context.filter(|context| !context.is_empty()) else { return requirement };
    for (key, value) in context {
        let name = format!("kms:EncryptionContext:{key}");
        requirement = requirement.with_key(&name, value);
    }
    requirement.with_keys("kms:EncryptionContextKeys", context.keys().cloned().collect())
}

/// What the request context holds where the input leaves a member to its default.
fn defaults(mut requirement: Requirement, operation: &str) -> Requirement {
    let defaults: &[(&str, &str)] = match operation {
        "Encrypt" | "Decrypt" => &[("kms:EncryptionAlgorithm", spec::SYMMETRIC_DEFAULT)],
        "Sign" | "Verify" => &[("kms:MessageType", "RAW")],
        "PutKeyPolicy" => &[("kms:BypassPolicyLockoutSafetyCheck", "false")],
        "ScheduleKeyDeletion" => &[("kms:ScheduleKeyDeletionPendingWindowInDays", "30")],
        "EnableKeyRotation" => &[("kms:RotationPeriodInDays", "365")],
        "CreateKey" => &[
            ("kms:BypassPolicyLockoutSafetyCheck", "false"),
            ("kms:KeyOrigin", "AWS_KMS"),
            ("kms:KeySpec", spec::SYMMETRIC_DEFAULT),
            ("kms:KeyUsage", spec::ENCRYPT_DECRYPT),
            ("kms:MultiRegion", "false"),
        ],
        _ => &[],
    };
    for (name, value) in defaults {
        let lower = name.to_lowercase();
        if !requirement.keys.iter().any(|(known, _)| *known == lower) {
            requirement = requirement.with_key(name, *value);
        }
    }
    requirement
}

/// The encryption context of a call with one.
pub fn context_member(input: &dyn Input) -> Option<&EncryptionContext> {
    let any = input.as_any();
    if let Some(input) = any.downcast_ref::<model::EncryptRequest>() {
        input.encryption_context.as_ref()
    } else if let Some(input) = any.downcast_ref::<model::DecryptRequest>() {
        input.encryption_context.as_ref()
    } else if let Some(input) = any.downcast_ref::<model::GenerateDataKeyRequest>() {
        input.encryption_context.as_ref()
    } else if let Some(input) = any.downcast_ref::<model::GenerateDataKeyWithoutPlaintextRequest>()
    {
        input.encryption_context.as_ref()
    } else if let Some(input) = any.downcast_ref::<model::GenerateDataKeyPairRequest>() {
        input.encryption_context.as_ref()
    } else {
        any.downcast_ref::<model::GenerateDataKeyPairWithoutPlaintextRequest>()
            .and_then(|input| input.encryption_context.as_ref())
    }
}

/// A new key has no ARN yet; its tags need their own permission.
pub fn create_key(cx: &mut Context, input: &model::CreateKeyRequest) -> Result<Vec<Requirement>> {
    let mut base = keys(cx, "CreateKey", input)?;
    let spec = input.key_spec.as_ref().or(input.customer_master_key_spec.as_ref());
    if let Some(spec) = spec {
        base = base.with_key("kms:KeySpec", spec);
    }
    if input.multi_region == Some(true) {
        base = base.with_key("kms:MultiRegionKeyType", "PRIMARY");
    }
    let created = defaults(base, "CreateKey");
    let mut needed = vec![created];
    if let Some(tags) = input.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let tags = tags.iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone())).collect();
        let tagging = Requirement::new("kms:TagResource", "*", cx.account());
        needed.push(tagging.with_tags(tags));
    }
    Ok(needed)
}

/// The key that decrypts: the one that is named, else the one that the ciphertext names.
pub fn decrypt(cx: &mut Context, input: &model::DecryptRequest) -> Result<Vec<Requirement>> {
    let side = Side {
        action: "Decrypt",
        named: input.key_id.as_deref(),
        algorithm: input.encryption_algorithm.as_deref(),
        blob: input.ciphertext_blob.as_ref(),
    };
    let target = side.target(cx)?;
    Ok(vec![on(cx, side.action, input, target)?])
}

struct Side<'i> {
    action: &'static str,
    named: Option<&'i str>,
    algorithm: Option<&'i str>,
    blob: Option<&'i Blob>,
}

impl Side<'_> {
    fn target(&self, cx: &mut Context) -> Result<Target> {
        match self.named {
            Some(named) => Target::named(cx, named),
            None => {
                let algorithm = self.algorithm.unwrap_or(spec::SYMMETRIC_DEFAULT);
                let key = encrypt::decrypting_key(cx, None, algorithm, self.blob)?;
                Ok(Target::of(&key))
            }
        }
    }
}

/// Both sides, each on its key with its own encryption context.
pub fn re_encrypt(cx: &mut Context, input: &model::ReEncryptRequest) -> Result<Vec<Requirement>> {
    let from = Side {
        action: "ReEncryptFrom",
        named: input.source_key_id.as_deref(),
        algorithm: input.source_encryption_algorithm.as_deref(),
        blob: input.ciphertext_blob.as_ref(),
    };
    let source = from.target(cx)?;
    let destination = Target::named(cx, &input.destination_key_id)?;
    let same = if source.arn == destination.arn { "true" } else { "false" };
    let sides = [
        (from.action, source, from.algorithm, input.source_encryption_context.as_ref()),
        (
            "ReEncryptTo",
            destination,
            input.destination_encryption_algorithm.as_deref(),
            input.destination_encryption_context.as_ref(),
        ),
    ];
    let mut needed = Vec::with_capacity(2);
    for (action, target, algorithm, context) in sides {
        let mut one = Requirement::new(format!("kms:{action}"), target.arn, &target.account)
            .of_kind("key")
            .with_key("kms:ReEncryptOnSameKey", same)
            .with_key("kms:EncryptionAlgorithm", algorithm.unwrap_or(spec::SYMMETRIC_DEFAULT));
        if let Some(alias) = target.alias {
            one = one.with_key("kms:RequestAlias", alias);
        }
        needed.push(with_context(one, context));
    }
    Ok(needed)
}

/// An alias of the caller's account: no policy of its own, so identity policies decide.
fn on_alias(cx: &Context, action: &str, name: &str) -> Requirement {
    let arn = alias::arn(cx.region(), cx.account(), name);
    Requirement::new(action, arn, cx.account()).of_kind("alias")
}

pub fn create_alias(
    cx: &mut Context,
    input: &model::CreateAliasRequest,
) -> Result<Vec<Requirement>> {
    let target = Target::named(cx, &input.target_key_id)?;
    let on_key = Requirement::new("kms:CreateAlias", target.arn, &target.account).of_kind("key");
    Ok(vec![on_alias(cx, "kms:CreateAlias", &input.alias_name), on_key])
}

/// The alias, the key that it stands for, and the key that it is to stand for.
pub fn update_alias(
    cx: &mut Context,
    input: &model::UpdateAliasRequest,
) -> Result<Vec<Requirement>> {
    let mut needed = vec![on_alias(cx, "kms:UpdateAlias", &input.alias_name)];
    needed.extend(on_key_of_alias(cx, "kms:UpdateAlias", &input.alias_name)?);
    let target = Target::named(cx, &input.target_key_id)?;
    let on_new = Requirement::new("kms:UpdateAlias", target.arn, &target.account).of_kind("key");
    needed.push(on_new);
    Ok(needed)
}

pub fn delete_alias(
    cx: &mut Context,
    input: &model::DeleteAliasRequest,
) -> Result<Vec<Requirement>> {
    let mut needed = vec![on_alias(cx, "kms:DeleteAlias", &input.alias_name)];
    needed.extend(on_key_of_alias(cx, "kms:DeleteAlias", &input.alias_name)?);
    Ok(needed)
}

/// The key behind an alias of the caller's account; an alias that is not there has none.
fn on_key_of_alias(cx: &mut Context, action: &str, name: &str) -> Result<Option<Requirement>> {
    let row = key::row(cx.region(), name);
    let Some(alias) = cx.get(&alias::ALIASES, &row)? else { return Ok(None) };
    let arn = key::arn(&alias.region, &alias.account, &alias.key_id);
    Ok(Some(Requirement::new(action, arn, &alias.account).of_kind("key")))
}

/// The retired grant's key, whether a token or ids name it.
pub fn retire_grant(
    cx: &mut Context,
    input: &model::RetireGrantRequest,
) -> Result<Vec<Requirement>> {
    let (key_id, _) = grant::retired(cx, input)?;
    Ok(vec![on_named(cx, "RetireGrant", input, &key_id)?])
}

/// Replicating needs permission on the primary key, and to create a key in the other region.
pub fn replicate_key(
    cx: &mut Context,
    input: &model::ReplicateKeyRequest,
) -> Result<Vec<Requirement>> {
    let mut needed = vec![on_named(cx, "ReplicateKey", input, &input.key_id)?];
    let created = Requirement::new("kms:CreateKey", "*", cx.account());
    needed.push(
        created.with_key("kms:MultiRegion", "true").with_key("kms:MultiRegionKeyType", "REPLICA"),
    );
    if let Some(tags) = input.tags.as_ref().filter(|tags| !tags.is_empty()) {
        let tags = tags.iter().map(|tag| (tag.tag_key.clone(), tag.tag_value.clone())).collect();
        needed.push(Requirement::new("kms:TagResource", "*", cx.account()).with_tags(tags));
    }
    Ok(needed)
}

/// Both regions' keys.
pub fn update_primary_region(
    cx: &mut Context,
    input: &model::UpdatePrimaryRegionRequest,
) -> Result<Vec<Requirement>> {
    let primary = on_named(cx, "UpdatePrimaryRegion", input, &input.key_id)?;
    let mut next = primary.clone();
    let mut fields: Vec<&str> = primary.resource.splitn(6, ':').collect();
    if let Some(region) = fields.get_mut(3) {
        *region = &input.primary_region;
    }
    next.resource = fields.join(":");
    Ok(vec![primary, next])
}

/// Aliases of one key are listed with permission for the list alone, as in AWS.
pub fn list_aliases(
    cx: &mut Context,
    _input: &model::ListAliasesRequest,
) -> Result<Vec<Requirement>> {
    Ok(vec![Requirement::new("kms:ListAliases", "*", cx.account())])
}
