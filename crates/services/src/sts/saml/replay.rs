//! Assertions that were used. Each is good once for each role that it names: a provider's assertion
//! may name several, and its bearer may take them one after another.
//!
//! Source: Profiles for SAML V2.0, section 4.1.4.5.

use crate::caller::SamlProof;
use crate::context::Context;
use crate::errors::internal;
use crate::sts::role::RoleArn;
use crate::table::{Scope, Table};
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use palisade_model::sts::INVALID_IDENTITY_TOKEN;
use palisade_shape::Result;
use serde::{Deserialize, Serialize};

/// Of each use this many rows that serve no longer are removed, so that the table stays as small as
/// the assertions of five minutes.
const REMOVED_MAX: usize = 8;

/// An assertion that was used for a role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Used {
    /// The end of its use and a hash, so that the oldest come first.
    key: String,
}

static USED: Table<Used> = Table::of_private(
    "sts/saml-assertion",
    Scope::Account,
    |used| used.key.clone(),
    |_| INVALID_IDENTITY_TOKEN.because("The assertion was used for this role before."),
    |key| internal(format!("no used assertion {key}")),
);

/// Uses the assertion up, or refuses one that was.
pub fn use_up(cx: &mut Context, role: &RoleArn, proof: &SamlProof) -> Result<()> {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [&proof.issuer, &proof.assertion_id, &role.arn] {
        hash.update(part.as_bytes());
        hash.update(b"\0");
    }
    let hash = URL_SAFE_NO_PAD.encode(hash.finish());
    let key = format!("{:016}:{hash}", proof.usable_until_millis.max(0));
    let now = format!("{:016}", cx.now().millis().max(0));
    cx.in_account(&role.account, |cx| {
        cx.insert(&USED, &Used { key })?;
        let oldest = cx.scan(&USED, "", None, REMOVED_MAX)?;
        for (key, _) in oldest.into_iter().filter(|(key, _)| *key < now) {
            cx.delete(&USED, &key)?;
        }
        Ok(())
    })
}
