//! What KMS knows of its keys beyond the authorization table: tags, policies, grants, and the
//! condition keys that a key or the call's way tells.
//!
//! Source: KMS Developer Guide, "AWS KMS condition keys", "Key policies in AWS KMS".

use super::key::{self, KEYS, Key};
use super::{alias, grant_use, last_usage, managed, policy_document, replica};
use crate::authorization::Requirement;
use crate::context::Context;
use crate::service::{Call, Input, Known, ResourcePolicy, Resources, Tags};
use palisade_model::kms as model;
use palisade_policy::arn::Arn;
use palisade_shape::Result;

pub struct KmsResources;

/// The row of the key that an ARN names.
fn row_of(arn: &str) -> Option<String> {
    let arn = Arn::parse(arn)?;
    let id = arn.resource.strip_prefix("key/")?;
    Some(key::row(arn.region, id))
}

fn key_of(cx: &Context, arn: &str) -> Result<Option<Key>> {
    match row_of(arn) {
        Some(row) => cx.get(&KEYS, &row),
        None => Ok(None),
    }
}

impl Resources for KmsResources {
    fn tags(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Tags> {
        let key = if kind == "key" { key_of(cx, arn)? } else { None };
        Ok(key.map(|key| key.tags).unwrap_or_default())
    }

    fn condition_keys(&self) -> &'static [&'static str] {
        &["kms:*"]
    }

    fn condition(&self, cx: &mut Context, key: &str, call: &Call) -> Result<Known> {
        match key {
            "kms:calleraccount" => return Ok(text(&cx.caller.account)),
            "kms:viaservice" => return Ok(via_service(cx)),
            "kms:grantisforawsservice" | "kms:grantisforawsresource" => {
                return Ok(truth(!cx.request.way.called_via.is_empty()));
            }
            "kms:grantconstrainttype" => return Ok(constraint_type(call)),
            _ => {}
        }
        let Some(known) = key_of(cx, call.resource)? else { return Ok(Known::Absent) };
        Ok(match key {
            "kms:keyorigin" => Known::One(known.origin),
            "kms:keyspec" => Known::One(known.spec),
            "kms:keyusage" => Known::One(known.usage),
            "kms:multiregion" => truth(known.is_multi_region()),
            "kms:multiregionkeytype" => match replica::family_of(cx, &known)? {
                Some(family) if family.primary == known.region => Known::One("PRIMARY".to_owned()),
                Some(_) => Known::One("REPLICA".to_owned()),
                None => Known::Absent,
            },
            "kms:resourcealiases" if known.aliases.is_empty() => Known::Absent,
            "kms:resourcealiases" => Known::Many(known.aliases),
            "kms:trailingdayswithoutkeyusage" => {
                Known::One(last_usage::idle_days(cx, &known)?.to_string())
            }
            // Taken from the input where it has them; enclaves are refused before they are
            // attested, and no custom key store is there.
            _ => Known::Absent,
        })
    }

    fn policy(&self, cx: &mut Context, kind: &str, arn: &str) -> Result<Option<ResourcePolicy>> {
        if kind != "key" {
            return Ok(None);
        }
        let found = match row_of(arn) {
            Some(row) => cx.get_revised(&KEYS, &row)?,
            None => None,
        };
        if let Some((key, revision)) = found {
            let document = key.policy;
            return Ok(Some(ResourcePolicy { document, revision, must_allow: true }));
        }
        // Who may ask about keys of its own account learns that one is not there; nobody else does.
        let own = *cx.caller.account == *cx.account();
        if !own {
            return Ok(None);
        }
        let document = match arn.split_once(alias::RESERVED) {
            Some(_) => managed::policy_of_wanted(cx, arn)?,
            None => None,
        };
        let document = document.unwrap_or_else(|| policy_document::default(cx.account()));
        Ok(Some(ResourcePolicy { document, revision: 0, must_allow: true }))
    }

    /// AWS managed keys, and the retiring of grants (KMS Developer Guide, "Resource control
    /// policies in AWS KMS").
    fn beyond_rcps(&self, cx: &mut Context, requirement: &Requirement) -> Result<bool> {
        if requirement.action == "kms:RetireGrant" {
            return Ok(true);
        }
        let arn = requirement.resource.as_str();
        match key_of(cx, arn)? {
            Some(key) => Ok(key.managed),
            // One that is made when it is first used.
            None => Ok(managed::policy_of_wanted(cx, arn)?.is_some()),
        }
    }

    fn granted(
        &self,
        cx: &mut Context,
        requirement: &Requirement,
        input: &dyn Input,
    ) -> Result<bool> {
        if requirement.kind != "key" {
            return Ok(false);
        }
        match key_of(cx, &requirement.resource)? {
            Some(key) => grant_use::allows(cx, &key, requirement, input),
            None => Ok(false),
        }
    }
}

fn text(value: &str) -> Known {
    if value.is_empty() { Known::Absent } else { Known::One(value.to_owned()) }
}

fn truth(value: bool) -> Known {
    Known::One(if value { "true" } else { "false" }.to_owned())
}

/// The service that forwarded the call, with its region: `s3.eu-west-1.amazonaws.com`.
fn via_service(cx: &Context) -> Known {
    let last = cx.request.way.called_via.last();
    let service = last.and_then(|service| service.strip_suffix(".amazonaws.com"));
    let region = cx.region();
    service.map_or(Known::Absent, |name| Known::One(format!("{name}.{region}.amazonaws.com")))
}

fn constraint_type(call: &Call) -> Known {
    let input = call.input.as_any().downcast_ref::<model::CreateGrantRequest>();
    let Some(limits) = input.and_then(|input| input.constraints.as_ref()) else {
        return Known::Absent;
    };
    let name = match (&limits.encryption_context_equals, &limits.encryption_context_subset) {
        (Some(_), _) => "EncryptionContextEquals",
        (None, Some(_)) => "EncryptionContextSubset",
        (None, None) => return Known::Absent,
    };
    Known::One(name.to_owned())
}
