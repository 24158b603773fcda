//! AWS managed keys: one for each service of an account and region, made when it is first asked
//! for, used through that service alone.
//!
//! Source: AWS KMS Developer Guide, "AWS managed keys", "Viewing the key policy of an AWS managed
//! key".

use super::key::{self, KEYS, Key};
use super::{alias, key_id};
use crate::context::Context;
use crate::errors::internal;
use palisade_shape::Result;

/// A service that has a key of its own.
#[derive(Debug, PartialEq, Eq)]
pub struct Owner {
    /// After `alias/aws/`.
    name: &'static str,
    /// Before the region in `kms:ViaService`.
    via: &'static str,
    /// What the key's description and policy call the service.
    title: &'static str,
}

static OWNERS: [Owner; 5] = [
    Owner { name: "s3", via: "s3", title: "S3" },
    Owner { name: "sns", via: "sns", title: "SNS" },
    Owner { name: "sqs", via: "sqs", title: "SQS" },
    Owner { name: "secretsmanager", via: "secretsmanager", title: "Secrets Manager" },
    Owner { name: "ssm", via: "ssm", title: "SSM" },
];

impl Owner {
    fn alias(&self) -> String {
        format!("{}{}", alias::RESERVED, self.name)
    }
}

/// The names of all services' keys, whether they are there yet or not.
pub fn aliases() -> impl Iterator<Item = String> {
    OWNERS.iter().map(Owner::alias)
}

/// The service whose managed key a `KeyId` of the caller's own account names.
fn owner_of(cx: &Context, key_id: &str) -> Result<Option<&'static Owner>> {
    if !key_id.contains(alias::RESERVED) {
        return Ok(None);
    }
    let name = key_id::parse(cx, key_id)?;
    if name.account != cx.account() {
        return Ok(None);
    }
    Ok(OWNERS.iter().find(|owner| name.name == owner.alias()))
}

/// The service whose managed key a call names that is not there yet.
pub fn wanted(cx: &mut Context, key_id: &str) -> Result<Option<&'static Owner>> {
    let Some(owner) = owner_of(cx, key_id)? else { return Ok(None) };
    let row = key::row(cx.region(), &owner.alias());
    Ok(if cx.exists(&alias::ALIASES, &row)? { None } else { Some(owner) })
}

/// Whether a `KeyId` has the form of a managed key's alias.
pub fn may_be_wanted(key_id: &str) -> bool {
    key_id.contains(alias::RESERVED)
}

/// What the account's principals may have the service do with its key.
const THROUGH: &str = r#""kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*",
      "kms:CreateGrant", "kms:DescribeKey""#;

/// The policy of a managed key.
pub fn policy(owner: &Owner, account: &str, region: &str) -> String {
    let Owner { name, via, title } = owner;
    let sid = format!(
        "Allow access through {title} for all principals in the account that are authorized to \
         use {title}"
    );
    format!(
        r#"{{
  "Version" : "2012-10-17",
  "Id" : "auto-{name}-2",
  "Statement" : [ {{
    "Sid" : "{sid}",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "*"
    }},
    "Action" : [ {THROUGH} ],
    "Resource" : "*",
    "Condition" : {{
      "StringEquals" : {{
        "kms:CallerAccount" : "{account}",
        "kms:ViaService" : "{via}.{region}.amazonaws.com"
      }}
    }}
  }}, {{
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {{
      "AWS" : "arn:aws:iam::{account}:root"
    }},
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  }} ]
}}"#
    )
}

/// The policy that the managed key of a `KeyId` would have, where there is none yet.
pub fn policy_of_wanted(cx: &mut Context, key_id: &str) -> Result<Option<String>> {
    let wanted = wanted(cx, key_id)?;
    Ok(wanted.map(|owner| policy(owner, cx.account(), cx.region())))
}

/// Makes the service's key for the account and region.
pub fn make(cx: &mut Context, owner: &Owner) -> Result<Key> {
    let policy = policy(owner, cx.account(), cx.region());
    let title = owner.title;
    let what = format!("Default key that protects my {title} data when no other key is defined");
    let key = key::new_managed(cx, &owner.alias(), policy, what)?;
    cx.insert(&KEYS, &key)?;
    alias::put_managed(cx, &key)?;
    Ok(key)
}

/// The service's key of the caller's account and region, made if it is not there yet.
pub fn ensure(cx: &mut Context, service: &str) -> Result<Key> {
    let owner = OWNERS.iter().find(|owner| owner.name == service);
    let owner = owner.ok_or_else(|| internal(format!("{service} has no managed key")))?;
    let alias = owner.alias();
    match wanted(cx, &alias)? {
        Some(owner) => make(cx, owner),
        None => key_id::load(cx, &alias),
    }
}
