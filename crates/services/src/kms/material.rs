//! Key material: the versions of a key's secret, sealed by the plane.
//!
//! Source: AWS KMS Developer Guide, "Key material identifier", "Rotate AWS KMS keys".

use super::key::Key;
use super::secret::{Secret, public_key};
use super::spec::Spec;
use crate::context::Context;
use crate::errors::internal;
use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};
use data_encoding::HEXLOWER;
use palisade_shape::{Result, Timestamp};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

const PURPOSE: &str = "kms/key-material";

/// One version of a key's secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Material {
    /// 64 hexadecimal digits, the same for the same secret of the same key.
    pub id: String,
    /// In base64; none of imported material that expired or was deleted.
    pub sealed: Option<String>,
    /// The public half in base64, of asymmetric keys.
    pub public: Option<String>,
    pub state: MaterialState,
    pub description: Option<String>,
    pub valid_to_millis: Option<i64>,
    /// When it became current by a rotation, and how (`AUTOMATIC`, `ON_DEMAND`).
    pub rotated: Option<(i64, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MaterialState {
    Current,
    NonCurrent,
    /// Imported, to become current with the next rotation on demand.
    PendingRotation,
}

impl MaterialState {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Current => "CURRENT",
            Self::NonCurrent => "NON_CURRENT",
            Self::PendingRotation => "PENDING_ROTATION",
        }
    }
}

impl Material {
    /// Whether the secret is there at that time.
    pub fn is_there(&self, now: Timestamp) -> bool {
        self.sealed.is_some() && self.valid_to_millis.is_none_or(|end| now.millis() < end)
    }

    /// The id as the blob format has it.
    pub fn id_bytes(&self) -> Result<[u8; 32]> {
        let bytes = HEXLOWER.decode(self.id.as_bytes()).map_err(internal)?;
        bytes.try_into().map_err(|_| internal("a material id that is no hash"))
    }
}

/// What ties a secret to its key: all regions of a multi-Region key share it.
fn owner(account: &str, key_id: &str, material_id: &str) -> String {
    format!("{account}/{key_id}/{material_id}")
}

/// The identifier of a secret of a key.
pub fn id_of(account: &str, key_id: &str, secret: &[u8]) -> String {
    let mut hash = digest::Context::new(&digest::SHA256);
    for part in [b"palisade-kms-material".as_slice(), account.as_bytes(), key_id.as_bytes()] {
        hash.update(&(part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(secret);
    HEXLOWER.encode(hash.finish().as_ref())
}

/// A secret of the key that is current from now on.
pub fn seal(
    cx: &Context,
    (account, key_id): (&str, &str),
    spec: &Spec,
    secret: &Secret,
) -> Result<Material> {
    let id = id_of(account, key_id, secret);
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let owner = owner(account, key_id, &id);
    let sealed = cx.plane.sealer.seal(PURPOSE, &owner, secret, random).map_err(internal)?;
    let public = public_key(spec.family, secret)?;
    Ok(Material {
        id,
        sealed: Some(STANDARD.encode(sealed)),
        public: public.map(|public| STANDARD.encode(public)),
        state: MaterialState::Current,
        description: None,
        valid_to_millis: None,
        rotated: None,
    })
}

/// The secret itself. Whoever calls this checked that the key may be used.
pub fn unseal(cx: &Context, key: &Key, material: &Material) -> Result<Secret> {
    let sealed = material.sealed.as_deref();
    let sealed = sealed.ok_or_else(|| internal("key material that is gone"))?;
    let sealed = STANDARD.decode(sealed).map_err(internal)?;
    let owner = owner(&key.account, &key.id, &material.id);
    let plain = cx.plane.sealer.unseal(PURPOSE, &owner, &sealed).map_err(internal)?;
    Ok(Zeroizing::new(plain))
}
