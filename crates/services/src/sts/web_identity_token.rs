//! Tokens by which a principal has itself confirmed to others: the other way of web identity
//! federation.
//!
//! Each account has a key of its own for each algorithm, made when it is first needed and sealed.
//! Who is shown a token finds its keys at its issuer ([`published`]). Keys and the nonces of
//! signatures are the library's own random numbers: it takes none of its callers'.
//!
//! Source: STS API reference, GetWebIdentityToken; IAM User Guide, "Outbound identity federation".

use crate::caller::Principal;
use crate::context::Context;
use crate::errors::{ACCESS_DENIED, VALIDATION_ERROR, internal};
use crate::iam::outbound_federation;
use crate::service::Input;
use crate::table::{Scope, Table};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256,
};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use palisade_model::sts::{
    GetWebIdentityTokenRequest, GetWebIdentityTokenResponse,
    OUTBOUND_WEB_IDENTITY_FEDERATION_DISABLED_EXCEPTION, SESSION_DURATION_ESCALATION_EXCEPTION,
};
use palisade_shape::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

const USUAL_SECONDS: i32 = 300;
const PURPOSE: &str = "token-signing-key";
const RS256: &str = "RS256";
const ES384: &str = "ES384";

/// A key that tokens of an account are signed with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SigningKey {
    algorithm: String,
    id: String,
    /// PKCS #8, sealed for [`PURPOSE`] and the id, in base64.
    sealed: String,
}

/// Keys, by algorithm.
static SIGNING_KEYS: Table<SigningKey> = Table::of_private(
    "sts/token-signing-key",
    Scope::Account,
    |key| key.algorithm.clone(),
    |key| internal(format!("there is a key of {} already", key.algorithm)),
    |algorithm| internal(format!("there is no key of {algorithm}")),
);

/// The first call with an algorithm makes its key.
pub fn may_make_a_key(_: &dyn Input) -> bool {
    true
}

#[derive(Serialize)]
struct Header<'a> {
    alg: &'a str,
    kid: &'a str,
    typ: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    aud: &'a [String],
    sub: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    #[serde(rename = "https://sts.amazonaws.com/")]
    own: Own<'a>,
}

#[derive(Serialize)]
struct Own<'a> {
    aws_account: &'a str,
    source_region: &'a str,
    principal_id: &'a str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    request_tags: BTreeMap<&'a str, &'a str>,
}

/// Signs a token that says who the caller is.
pub fn get_web_identity_token(
    cx: &mut Context,
    input: GetWebIdentityTokenRequest,
) -> Result<GetWebIdentityTokenResponse> {
    let GetWebIdentityTokenRequest { audience, duration_seconds, signing_algorithm, tags } = input;
    let Some(issuer) = outbound_federation::issuer(cx)? else {
        return Err(OUTBOUND_WEB_IDENTITY_FEDERATION_DISABLED_EXCEPTION
            .because("Outbound web identity federation is not enabled for this account."));
    };
    if ![RS256, ES384].contains(&signing_algorithm.as_str()) {
        let text = format!("Signing algorithm {signing_algorithm} is not supported");
        return Err(VALIDATION_ERROR.because(text));
    }
    let subject = subject(cx)?;
    let now = cx.now().whole_seconds();
    let expiration = now.plus_seconds(i64::from(duration_seconds.unwrap_or(USUAL_SECONDS)));
    let session = cx.caller.session.as_deref();
    if session.is_some_and(|session| session.expires_at() < expiration) {
        return Err(SESSION_DURATION_ESCALATION_EXCEPTION.because(
            "The requested token duration would extend the session beyond its original \
             expiration time.",
        ));
    }
    let tags = tags.unwrap_or_default();
    let claims = Claims {
        iss: &issuer,
        aud: &audience,
        sub: &subject,
        iat: now.seconds(),
        exp: expiration.seconds(),
        jti: cx.uuid(),
        own: Own {
            aws_account: &cx.caller.account,
            source_region: &cx.request.region,
            principal_id: &cx.caller.arn,
            request_tags: tags.iter().map(|tag| (&*tag.key, &*tag.value)).collect(),
        },
    };
    let claims = part(&claims)?;
    let token = sign(cx, &signing_algorithm, &claims)?;
    Ok(GetWebIdentityTokenResponse {
        web_identity_token: Some(token),
        expiration: Some(expiration),
    })
}

/// The user or the role; a session of a role is named by its role.
fn subject(cx: &Context) -> Result<String> {
    match (&cx.caller.principal, cx.caller.session.as_deref()) {
        (Principal::User { .. }, _) => Ok(cx.caller.arn.to_string()),
        (Principal::AssumedRole { .. }, Some(session)) => Ok(session.issuer_arn.clone()),
        _ => {
            Err(ACCESS_DENIED
                .because("GetWebIdentityToken can be called by IAM users and roles only."))
        }
    }
}

fn part(value: &impl Serialize) -> Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).map_err(internal)?))
}

fn sign(cx: &mut Context, algorithm: &str, claims: &str) -> Result<String> {
    let (id, pkcs8) = key(cx, algorithm)?;
    let header = part(&Header { alg: algorithm, kid: &id, typ: "JWT" })?;
    let signed = format!("{header}.{claims}");
    let failed = |_| internal("a token cannot be signed");
    // The library takes nonces and salts from its own generator: its `SecureRandom` is sealed, so
    // that the plane's source cannot stand in for it. RS256 is the same each time anyway.
    let random = SystemRandom::new();
    let signature = if algorithm == RS256 {
        let pair = KeyPair::from_pkcs8(&pkcs8).map_err(internal)?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).map_err(failed)?;
        signature
    } else {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &pkcs8);
        let pair = pair.map_err(internal)?;
        pair.sign(&random, signed.as_bytes()).map_err(failed)?.as_ref().to_vec()
    };
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// The account's key of an algorithm, made if there is none yet: its id and PKCS #8.
fn key(cx: &mut Context, algorithm: &str) -> Result<(String, Vec<u8>)> {
    if let Some(known) = cx.get(&SIGNING_KEYS, algorithm)? {
        let sealed = STANDARD.decode(&known.sealed).map_err(internal)?;
        let opened = cx.plane.sealer.unseal(PURPOSE, &known.id, &sealed).map_err(internal)?;
        return Ok((known.id, opened.to_vec()));
    }
    let failed = |_| internal("a signing key cannot be made");
    let pkcs8 = if algorithm == RS256 {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
        let der: Pkcs8V1Der<'_> = pair.as_der().map_err(failed)?;
        der.as_ref().to_vec()
    } else {
        // No public function makes a pair of this curve, or of RSA, from bytes of ours.
        let random = SystemRandom::new();
        let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &random);
        pair.map_err(failed)?.as_ref().to_vec()
    };
    let id = cx.uuid();
    let random = &mut |bytes: &mut [u8]| cx.plane.random.fill(bytes);
    let sealed = cx.plane.sealer.seal(PURPOSE, &id, &pkcs8, random).map_err(internal)?;
    let record = SigningKey {
        algorithm: algorithm.to_owned(),
        id: id.clone(),
        sealed: STANDARD.encode(sealed),
    };
    cx.insert(&SIGNING_KEYS, &record)?;
    Ok((id, pkcs8))
}

/// What an issuer publishes about itself, as JSON: the document of OpenID Connect Discovery 1.0,
/// section 3.
pub fn discovery(issuer: &str) -> Result<String> {
    let document = Discovery {
        issuer,
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        response_types_supported: ["id_token"],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: [RS256, ES384],
        claims_supported: ["aud", "exp", "iat", "iss", "jti", "sub", "https://sts.amazonaws.com/"],
    };
    serde_json::to_string(&document).map_err(internal)
}

#[derive(Serialize)]
struct Discovery<'a> {
    issuer: &'a str,
    jwks_uri: String,
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: [&'static str; 2],
    claims_supported: [&'static str; 7],
}

/// The account's public keys as a JSON Web Key Set (RFC 7517). Keys that no token was signed with
/// yet are not there.
pub fn published(cx: &Context) -> Result<String> {
    let mut keys = Vec::new();
    for known in cx.all(&SIGNING_KEYS, "")? {
        let sealed = STANDARD.decode(&known.sealed).map_err(internal)?;
        let pkcs8 = cx.plane.sealer.unseal(PURPOSE, &known.id, &sealed).map_err(internal)?;
        keys.push(public(&known, &pkcs8)?);
    }
    serde_json::to_string(&BTreeMap::from([("keys", keys)])).map_err(internal)
}

/// The public half of a key, as the members of a JSON Web Key (RFC 7518, section 6).
fn public(known: &SigningKey, pkcs8: &[u8]) -> Result<BTreeMap<&'static str, String>> {
    let (algorithm, id) = (known.algorithm.clone(), known.id.clone());
    let mut members = BTreeMap::from([("alg", algorithm), ("kid", id), ("use", "sig".to_owned())]);
    if known.algorithm == RS256 {
        let pair = KeyPair::from_pkcs8(pkcs8).map_err(internal)?;
        let key = pair.public_key();
        let (modulus, exponent) = (key.modulus(), key.exponent());
        members.insert("kty", "RSA".to_owned());
        members.insert("n", URL_SAFE_NO_PAD.encode(modulus.big_endian_without_leading_zero()));
        members.insert("e", URL_SAFE_NO_PAD.encode(exponent.big_endian_without_leading_zero()));
        return Ok(members);
    }
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, pkcs8);
    let pair = pair.map_err(internal)?;
    // Uncompressed: a byte 4 and both coordinates (SEC 1, section 2.3.3).
    let point = pair.public_key().as_ref();
    let half = point.len() / 2;
    let (Some(x), Some(y)) = (point.get(1..=half), point.get(half + 1..)) else {
        return Err(internal("a public key that is no point"));
    };
    members.insert("kty", "EC".to_owned());
    members.insert("crv", "P-384".to_owned());
    members.insert("x", URL_SAFE_NO_PAD.encode(x));
    members.insert("y", URL_SAFE_NO_PAD.encode(y));
    Ok(members)
}
