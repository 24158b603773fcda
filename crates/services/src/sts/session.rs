//! Issuing sessions and opening their tokens.
//!
//! A token is the session itself ([`Session`]), the secret key included: JSON, packed with DEFLATE,
//! sealed under the plane's master key and bound to its access key id. The server keeps nothing of
//! it. The size is bounded by what [`super::packing`] lets into a session.

use crate::caller::{Session, SessionKind};
use crate::context::Context;
use crate::errors::internal;
use crate::plane::Plane;
use base64::{Engine, engine::general_purpose::STANDARD};
use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use palisade_model::sts::Credentials;
use palisade_shape::{Result, Timestamp};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

/// Begins every token: the version of its form.
const MARKER: &str = "PLSD1";
/// Longer ones are none of ours.
const TOKEN_BYTES_MAX: usize = 16 * 1024;
/// A session unpacks to less: fifty tags of full length are 19 KiB.
const SESSION_BYTES_MAX: u64 = 256 * 1024;
const PURPOSE: &str = "session";

/// The principal that a session stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    pub account: String,
    pub arn: String,
    /// `AROA…`, `AIDA…`, or the account for root.
    pub id: String,
    /// Empty for root, as is the path.
    pub name: String,
    pub path: String,
}

/// What decides about a session to be issued.
pub struct NewSession {
    pub issuer: Issuer,
    pub kind: SessionKind,
    pub seconds: i32,
    /// Of a role session or a federated user.
    pub name: String,
    pub policies: Vec<String>,
    pub policy_arns: Vec<String>,
    pub tags: BTreeMap<String, String>,
    pub transitive_tag_keys: Vec<String>,
    pub source_identity: Option<String>,
    /// When the caller proved a second factor, if it did.
    pub mfa_at_millis: Option<i64>,
    pub chained: bool,
    /// What the identity provider said, by condition key.
    pub federation: BTreeMap<String, String>,
}

impl NewSession {
    /// A session without name, policies and tags.
    pub fn of(issuer: Issuer, kind: SessionKind, seconds: i32) -> Self {
        Self {
            issuer,
            kind,
            seconds,
            name: String::new(),
            policies: Vec::new(),
            policy_arns: Vec::new(),
            tags: BTreeMap::new(),
            transitive_tag_keys: Vec::new(),
            source_identity: None,
            mfa_at_millis: None,
            chained: false,
            federation: BTreeMap::new(),
        }
    }
}

/// Makes the credentials of a new session, from now on.
pub fn issue(cx: &mut Context, new: NewSession) -> Result<Credentials> {
    let NewSession { issuer, .. } = new;
    let issued_at = cx.now().whole_seconds();
    let expires_at = issued_at.plus_seconds(i64::from(new.seconds));
    let access_key_id = cx.in_account(&issuer.account, |cx| cx.access_key_id("ASIA"));
    let session = Session {
        kind: new.kind,
        access_key_id,
        secret_access_key: cx.secret_access_key(),
        account: issuer.account,
        issuer_arn: issuer.arn,
        issuer_id: issuer.id,
        issuer_name: issuer.name,
        issuer_path: issuer.path,
        name: new.name,
        issued_at_millis: issued_at.millis(),
        expires_at_millis: expires_at.millis(),
        policies: new.policies,
        policy_arns: new.policy_arns,
        tags: new.tags,
        transitive_tag_keys: new.transitive_tag_keys,
        source_identity: new.source_identity,
        mfa_at_millis: new.mfa_at_millis,
        chained: new.chained,
        federation: new.federation,
    };
    Ok(Credentials {
        session_token: seal(cx.plane, &session)?,
        access_key_id: session.access_key_id,
        secret_access_key: session.secret_access_key,
        expiration: expires_at,
    })
}

/// Credentials of a session that is known already, under a new key and until another time.
pub fn reissue(cx: &mut Context, session: &Session, expires: Timestamp) -> Result<Credentials> {
    let session = Session {
        access_key_id: cx.in_account(&session.account, |cx| cx.access_key_id("ASIA")),
        secret_access_key: cx.secret_access_key(),
        expires_at_millis: expires.millis(),
        ..session.clone()
    };
    Ok(Credentials {
        session_token: seal(cx.plane, &session)?,
        access_key_id: session.access_key_id,
        secret_access_key: session.secret_access_key,
        expiration: expires,
    })
}

/// The token of a session.
pub fn seal(plane: &Plane, session: &Session) -> Result<String> {
    let json = serde_json::to_vec(session).map_err(internal)?;
    let mut packer = DeflateEncoder::new(Vec::new(), Compression::default());
    packer.write_all(&json).map_err(internal)?;
    let packed = packer.finish().map_err(internal)?;
    let sealed = plane
        .sealer
        .seal(PURPOSE, &session.access_key_id, &packed, &mut |bytes| plane.random.fill(bytes))
        .map_err(internal)?;
    Ok(format!("{MARKER}{}", STANDARD.encode(sealed)))
}

/// The session of a token that came with an access key id; none when the token is forged, cut, of
/// another key or of another plane. Whether the session is over, and whether its principal is still
/// there, is the caller's to check.
pub fn open(plane: &Plane, token: &str, access_key_id: &str) -> Option<Session> {
    unseal(plane, token, access_key_id).filter(|session| session.access_key_id == access_key_id)
}

fn unseal(plane: &Plane, token: &str, access_key_id: &str) -> Option<Session> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let sealed = STANDARD.decode(token.strip_prefix(MARKER)?).ok()?;
    let packed = plane.sealer.unseal(PURPOSE, access_key_id, &sealed).ok()?;
    let mut json = Vec::new();
    DeflateDecoder::new(&packed[..]).take(SESSION_BYTES_MAX).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}
